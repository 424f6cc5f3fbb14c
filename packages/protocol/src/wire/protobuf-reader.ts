import { ProtocolError } from "../errors.ts";
import { shortVarint } from "./short-varint.ts";

/** Wire types of protobuf; 3 and 4, the groups of proto2, are refused. */
export const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
export const WIRE_LENGTH = 2;
const WIRE_FIXED32 = 5;

/**
 * Reads protobuf without a schema, strictly: nothing is read past {@link ProtobufReader.limit}, a varint has
 * at most 10 bytes and 64 bits, a length never passes the end of the message that holds it, and groups are refused.
 *
 * A 64-bit integer is left in {@link ProtobufReader.lo} and {@link ProtobufReader.hi}, so that no BigInt is
 * made for it. Every method throws {@link ProtocolError} `WIRE_MALFORMED`.
 *
 *     while (reader.hasMore()) {
 *       const tag = reader.field();
 *       if (tag === 8) id = reader.lo;               // field 1, a number
 *       else if (tag === 18) {                       // field 2, a message
 *         const outer = reader.open();
 *         // … its fields
 *         reader.leave(outer);
 *       } else reader.skipRest(tag, 2);
 *     }
 *
 * Source: protobuf.dev/programming-guides/encoding.
 */
export class ProtobufReader {
  readonly bytes: Uint8Array;
  position = 0;
  /** End of the message that is being read. */
  limit: number;
  /** Low half of the last varint, a signed int32. */
  lo = 0;
  /** High half of the last varint, a signed int32. */
  hi = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.limit = bytes.length;
  }

  /** Reads a varint of up to 64 bits into {@link ProtobufReader.lo} and {@link ProtobufReader.hi}. */
  varint(): void {
    const short = shortVarint(this.bytes, this.position, this.limit);
    if (short < 0) {
      this.#longVarint();
    } else {
      this.position += short & 7;
      this.lo = short >>> 3;
      this.hi = 0;
    }
  }

  /** Reads a varint that must fit into 32 bits without sign; -1 when it does not. */
  uint32(): number {
    this.varint();
    return this.hi === 0 ? this.lo >>> 0 : -1;
  }

  /** Reads a signed 64-bit integer. */
  int64(): bigint {
    this.varint();
    return this.toInt64();
  }

  /** The last varint as a signed 64-bit integer. */
  toInt64(): bigint {
    return (BigInt(this.hi) << 32n) | BigInt(this.lo >>> 0);
  }

  /** Reads a tag alone, `fieldNumber << 3 | wireType`, and leaves the value to be read. */
  tag(): number {
    const start = this.position;
    const tag = this.uint32();
    if (tag < 8)
      throw malformed(`tag at byte ${start}: expected a field number from 1 to ${MAX_FIELD_NUMBER}`);
    return tag;
  }

  /**
   * Reads a tag, `fieldNumber << 3 | wireType`, and the varint behind it: a number's value or the length of anything
   * that has one. Nearly every field begins with such two, so they are read together.
   *
   * What has a length is to be read by {@link ProtobufReader.open}; the rest of a field that is not known is passed
   * over by {@link ProtobufReader.skipRest}.
   */
  field(): number {
    const { bytes, position: at } = this;
    if (at + 1 >= this.limit) return this.#longField();
    const tag = bytes[at]!;
    const first = bytes[at + 1]!;
    // One byte holds the tags of the first 15 fields. Of wire types 0 and 2 both other bits are clear.
    if ((tag & 0x85) !== 0 || tag < 8) return this.#longField();
    this.position = at + 1;
    if (first < 0x80) {
      this.position = at + 2;
      this.lo = first;
      this.hi = 0;
    } else {
      this.varint();
    }
    return tag;
  }

  /** Reads a length and returns where that ends which it is the length of. */
  end(): number {
    this.varint();
    return this.fieldEnd();
  }

  /** Where that ends whose length {@link ProtobufReader.field} has read. */
  fieldEnd(): number {
    const end = this.position + this.lo;
    // The sign of a half is a length of 2^31 or more.
    if (this.hi !== 0 || this.lo < 0 || end > this.limit) throw this.#tooLong();
    return end;
  }

  /**
   * Enters what {@link ProtobufReader.field} has read the length of: moves {@link ProtobufReader.limit} to its end.
   *
   * @returns the limit to give to {@link ProtobufReader.leave}.
   */
  open(): number {
    const outer = this.limit;
    this.limit = this.fieldEnd();
    return outer;
  }

  /** Reads a length without a tag and enters what it is the length of, as {@link ProtobufReader.open}. */
  enter(): number {
    this.varint();
    return this.open();
  }

  /** Leaves a nested message, whose end has been reached. */
  leave(outer: number): void {
    this.limit = outer;
  }

  /** True while the current message has another field. */
  hasMore(): boolean {
    return this.position < this.limit;
  }

  /** As {@link ProtobufReader.skipRest}, after {@link ProtobufReader.tag}. */
  skip(tag: number, lastKnownField = 0): void {
    const wireType = tag & 7;
    if (wireType === WIRE_VARINT || wireType === WIRE_LENGTH) this.varint();
    this.skipRest(tag, lastKnownField);
  }

  /**
   * Skips the rest of a field that the caller does not know, after {@link ProtobufReader.field}.
   *
   * @param lastKnownField - a field up to this number is known, so that its wire type must be the wrong one.
   */
  skipRest(tag: number, lastKnownField: number): void {
    const field = tag >>> 3;
    const wireType = tag & 7;
    if (field <= lastKnownField) {
      throw malformed(
        `field ${field} before byte ${this.position}: wire type ${wireType} does not fit its type`,
      );
    }
    // A varint has been read already.
    if (wireType === WIRE_LENGTH) this.position = this.fieldEnd();
    else if (wireType === WIRE_FIXED64) this.#advance(8);
    else if (wireType === WIRE_FIXED32) this.#advance(4);
    else if (wireType !== WIRE_VARINT)
      throw malformed(`field ${field} before byte ${this.position}: wire type ${wireType} is not supported`);
  }

  #advance(length: number): void {
    const left = this.limit - this.position;
    if (length > left) {
      throw malformed(`value at byte ${this.position}: ${length} bytes, but only ${left} are left`);
    }
    this.position += length;
  }

  #longField(): number {
    const tag = this.tag();
    const wireType = tag & 7;
    if (wireType === WIRE_VARINT || wireType === WIRE_LENGTH) this.varint();
    return tag;
  }

  #tooLong(): ProtocolError {
    const shown = this.hi === 0 ? String(this.lo >>> 0) : "more than 2^32";
    const left = this.limit - this.position;
    return malformed(`length before byte ${this.position}: ${shown} bytes, but only ${left} are left`);
  }

  #longVarint(): void {
    const { bytes, limit, position: start } = this;
    let lo = 0;
    let hi = 0;
    for (let at = start, shift = 0; at < limit; at++, shift += 7) {
      const byte = bytes[at]!;
      const bits = byte & 0x7f;
      if (shift < 28) {
        lo |= bits << shift;
      } else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >>> 4;
      } else {
        hi |= bits << (shift - 32);
      }
      // The tenth byte holds bit 63 alone.
      if (shift === 63 && byte > 1) throw malformed(`varint at byte ${start}: more than 64 bits`);
      if (byte < 0x80) {
        this.position = at + 1;
        this.lo = lo;
        this.hi = hi;
        return;
      }
    }
    throw malformed(`varint at byte ${start}: cut off at byte ${limit}`);
  }
}

const MAX_FIELD_NUMBER = 536_870_911;

function malformed(message: string): ProtocolError {
  return new ProtocolError(`reading protobuf: ${message}`, { code: "WIRE_MALFORMED" });
}
