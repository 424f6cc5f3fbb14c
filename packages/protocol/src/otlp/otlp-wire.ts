import { ProtocolError } from "../errors.ts";
import { MAX_INT64 } from "../formats/malformed-format.ts";
import { type ProtobufReader, WIRE_LENGTH, WIRE_VARINT } from "../wire/protobuf-reader.ts";
import { UTF8_DECODER } from "../wire/text-codec.ts";

const WIRE_FIXED64 = 1;

/** Where a message lies in the bytes of a request. */
export interface MessageRange {
  readonly start: number;
  readonly end: number;
}

/** Tag of an integer field. */
export const varintTag = (field: number): number => field * 8 + WIRE_VARINT;
/** Tag of a text, bytes, message or packed field. */
export const lengthTag = (field: number): number => field * 8 + WIRE_LENGTH;
/** Tag of a fixed64 field. */
export const fixed64Tag = (field: number): number => field * 8 + WIRE_FIXED64;

/** An error of an export that breaks a rule of OTLP. */
export function malformedOtlp(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError(message, { code: "OTLP_MALFORMED", cause });
}

/**
 * Reads the fields of a message, and comes back to where the reader was.
 *
 * @param readField - reads the value of a field and returns true, or leaves it and returns false.
 */
export function readMessage(
  reader: ProtobufReader,
  { start, end }: MessageRange,
  readField: (tag: number) => boolean,
): void {
  const { position, limit } = reader;
  reader.position = start;
  reader.limit = end;
  while (reader.hasMore()) {
    const tag = reader.tag();
    if (!readField(tag)) reader.skip(tag);
  }
  reader.position = position;
  reader.limit = limit;
}

/** Steps over a text, bytes or message field, and says where its content is. */
export function readRange(reader: ProtobufReader): MessageRange {
  const end = reader.end();
  const range = { start: reader.position, end };
  reader.position = end;
  return range;
}

/** Reads a text field. */
export function readText(reader: ProtobufReader): string {
  return decodeText(reader, readRange(reader));
}

/** The text of a range. */
export function decodeText(reader: ProtobufReader, { start, end }: MessageRange): string {
  try {
    return UTF8_DECODER.decode(reader.bytes.subarray(start, end));
  } catch (error) {
    throw malformedOtlp(`text at byte ${start} is not UTF-8`, error);
  }
}

/** Reads the value of a fixed64 field. */
export function readFixed64(reader: ProtobufReader, tag: number): bigint {
  reader.skip(tag);
  const { buffer, byteOffset } = reader.bytes;
  return new DataView(buffer, byteOffset, reader.position).getBigUint64(reader.position - 8, true);
}

/** An unsigned 64-bit time or duration, which must fit into the int64 of profiles. */
export function checkInt64(name: string, value: bigint): bigint {
  const unsigned = BigInt.asUintN(64, value);
  if (unsigned <= MAX_INT64) return unsigned;
  throw malformedOtlp(`${name} is ${unsigned}: expected at most ${MAX_INT64}`);
}

/**
 * Reads the numbers of a repeated field, packed or one of them alone.
 *
 * @returns false if the tag is not of the field.
 */
export function readRepeated(
  reader: ProtobufReader,
  field: number,
  tag: number,
  readOne: () => void,
): boolean {
  if (tag === varintTag(field)) {
    readOne();
    return true;
  }
  if (tag !== lengthTag(field)) return false;
  const range = readRange(reader);
  const { position, limit } = reader;
  reader.position = range.start;
  reader.limit = range.end;
  while (reader.hasMore()) readOne();
  reader.position = position;
  reader.limit = limit;
  return true;
}
