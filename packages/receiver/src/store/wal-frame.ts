import { crc32 } from "node:zlib";

/** First bytes of every segment: what it is, and version 1 of its format. */
export const SEGMENT_HEADER: Buffer = Buffer.from("PYRWAL\x01\n", "latin1");

// Begins every frame, so that frames can be found again behind a damaged one. Its bytes are not UTF-8, nor a gzip header.
const FRAME_MAGIC = Buffer.from([0xf5, 0xc1, 0x9a, 0xe7]);
const FRAME_HEADER_BYTES = 12;
const TENANT_LENGTH_BYTES = 2;

/** What one frame holds. */
export interface WalRecord {
  readonly tenant: string;
  readonly record: Uint8Array;
}

/** A frame, or a run of bytes that is none, in the order of the segment. */
export type WalPiece =
  | { readonly kind: "record"; readonly offset: number; readonly record: WalRecord }
  | { readonly kind: "damage"; readonly offset: number; readonly bytes: Buffer };

/**
 * Where the checksums of a segment's frames start: a number made of its name. A frame thereby belongs to its
 * segment: bytes that a client put into a profile never pass for a frame, even where the real one is damaged.
 */
export function seedOfSegment(name: string): number {
  return crc32(name);
}

/**
 * The bytes of one frame: magic, length, crc32 of length and payload, payload; the payload is the tenant, with its
 * length, and the record. Numbers are little-endian.
 */
export function encodeFrame({ tenant, record }: WalRecord, seed: number): readonly Uint8Array[] {
  const name = Buffer.from(tenant, "utf8");
  const head = Buffer.alloc(FRAME_HEADER_BYTES + TENANT_LENGTH_BYTES + name.length);
  FRAME_MAGIC.copy(head, 0);
  head.writeUInt32LE(TENANT_LENGTH_BYTES + name.length + record.length, 4);
  head.writeUInt16LE(name.length, FRAME_HEADER_BYTES);
  name.copy(head, FRAME_HEADER_BYTES + TENANT_LENGTH_BYTES);
  const sumOfHead = crc32(head.subarray(FRAME_HEADER_BYTES), crc32(head.subarray(4, 8), seed));
  head.writeUInt32LE(crc32(record, sumOfHead), 8);
  return [head, record];
}

/**
 * Splits a segment into records and damage. Every frame whose checksum holds is found, wherever damage lies: behind
 * a broken frame the search goes on at the next magic. Records share the segment's memory.
 */
export function* readFrames(segment: Buffer, seed: number): Generator<WalPiece> {
  let offset = SEGMENT_HEADER.length;
  let damageFrom = segment.subarray(0, offset).equals(SEGMENT_HEADER) ? undefined : 0;
  if (damageFrom !== undefined) offset = 0;
  while (offset < segment.length) {
    const end = frameEnd(segment, offset, seed);
    if (end === undefined) {
      damageFrom ??= offset;
      offset = nextMagic(segment, offset + 1);
      continue;
    }
    if (damageFrom !== undefined) yield damage(segment, damageFrom, offset);
    damageFrom = undefined;
    yield {
      kind: "record",
      offset,
      record: decodePayload(segment.subarray(offset + FRAME_HEADER_BYTES, end)),
    };
    offset = end;
  }
  if (damageFrom !== undefined && damageFrom < segment.length)
    yield damage(segment, damageFrom, segment.length);
}

/** Where the frame at `offset` ends; undefined when there is no whole and undamaged one. */
function frameEnd(segment: Buffer, offset: number, seed: number): number | undefined {
  const payload = offset + FRAME_HEADER_BYTES;
  if (payload + TENANT_LENGTH_BYTES > segment.length) return undefined;
  if (!segment.subarray(offset, offset + FRAME_MAGIC.length).equals(FRAME_MAGIC)) return undefined;
  const end = payload + segment.readUInt32LE(offset + 4);
  const recordStart = payload + TENANT_LENGTH_BYTES + segment.readUInt16LE(payload);
  if (end > segment.length || recordStart > end) return undefined;
  const sum = crc32(segment.subarray(payload, end), crc32(segment.subarray(offset + 4, offset + 8), seed));
  return sum === segment.readUInt32LE(offset + 8) ? end : undefined;
}

function nextMagic(segment: Buffer, from: number): number {
  const found = segment.indexOf(FRAME_MAGIC, from);
  return found === -1 ? segment.length : found;
}

function decodePayload(payload: Buffer): WalRecord {
  const recordStart = TENANT_LENGTH_BYTES + payload.readUInt16LE(0);
  return {
    tenant: payload.toString("utf8", TENANT_LENGTH_BYTES, recordStart),
    record: payload.subarray(recordStart),
  };
}

function damage(segment: Buffer, from: number, until: number): WalPiece {
  return { kind: "damage", offset: from, bytes: segment.subarray(from, until) };
}
