import { ProtocolError } from "../errors.ts";

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
    const short = this.#shortVarint();
    if (short < 0) {
      this.#longVarint();
    } else {
      this.lo = short;
      this.hi = 0;
    }
  }

  /** Reads a varint that must fit into 32 bits without sign; -1 when it does not. */
  uint32(): number {
    const short = this.#shortVarint();
    if (short >= 0) return short;
    this.#longVarint();
    return this.hi === 0 ? this.lo >>> 0 : -1;
  }

  /** Reads a signed 64-bit integer. */
  int64(): bigint {
    this.varint();
    return (BigInt(this.hi) << 32n) | BigInt(this.lo >>> 0);
  }

  /** Reads a tag: `fieldNumber << 3 | wireType`. */
  tag(): number {
    // One byte holds the tags of the first 15 fields. Read in place here and in `end`: half of what is read are these.
    const byte = this.position < this.limit ? this.bytes[this.position]! : 0;
    if (byte < 8 || byte >= 0x80) return this.#longTag();
    this.position++;
    return byte;
  }

  /** Reads the length of a text, bytes, packed field or message, and returns where it ends. */
  end(): number {
    const start = this.position;
    const byte = start < this.limit ? this.bytes[start]! : 0x80;
    const end = start + 1 + byte;
    if (byte >= 0x80 || end > this.limit) return this.#longEnd();
    this.position = start + 1;
    return end;
  }

  /**
   * Enters a nested message: reads its length and moves {@link ProtobufReader.limit} to its end.
   *
   * @returns the limit to give to {@link ProtobufReader.leave}.
   */
  enter(): number {
    const outer = this.limit;
    this.limit = this.end();
    return outer;
  }

  /** Leaves a nested message, whose end has been reached. */
  leave(outer: number): void {
    this.limit = outer;
  }

  /** True while the current message has another field. */
  hasMore(): boolean {
    return this.position < this.limit;
  }

  /**
   * Skips the value of a field that the caller does not know.
   *
   * @param lastKnownField - a field up to this number is known, so that its wire type must be the wrong one.
   */
  skip(tag: number, lastKnownField = 0): void {
    const field = tag >>> 3;
    const wireType = tag & 7;
    if (field <= lastKnownField) {
      throw malformed(
        `field ${field} before byte ${this.position}: wire type ${wireType} does not fit its type`,
      );
    }
    if (wireType === WIRE_VARINT) this.varint();
    else if (wireType === WIRE_LENGTH) this.position = this.end();
    else if (wireType === WIRE_FIXED64) this.#advance(8);
    else if (wireType === WIRE_FIXED32) this.#advance(4);
    else
      throw malformed(`field ${field} before byte ${this.position}: wire type ${wireType} is not supported`);
  }

  #advance(length: number): void {
    const left = this.limit - this.position;
    if (length > left) {
      throw malformed(`value at byte ${this.position}: ${length} bytes, but only ${left} are left`);
    }
    this.position += length;
  }

  #longTag(): number {
    const start = this.position;
    const tag = this.uint32();
    if (tag < 8)
      throw malformed(`tag at byte ${start}: expected a field number from 1 to ${MAX_FIELD_NUMBER}`);
    return tag;
  }

  #longEnd(): number {
    const start = this.position;
    const length = this.uint32();
    const left = this.limit - this.position;
    if (length >= 0 && length <= left) return this.position + length;
    const shown = length < 0 ? "more than 2^32" : String(length);
    throw malformed(`length at byte ${start}: ${shown} bytes, but only ${left} are left`);
  }

  /** Reads a varint of one or two bytes, which nearly all are; -1, and nothing is read, for a longer one. */
  #shortVarint(): number {
    const at = this.position;
    if (at >= this.limit) return -1;
    const first = this.bytes[at]!;
    if (first < 0x80) {
      this.position = at + 1;
      return first;
    }
    if (at + 1 >= this.limit) return -1;
    const second = this.bytes[at + 1]!;
    if (second >= 0x80) return -1;
    this.position = at + 2;
    return (first & 0x7f) | (second << 7);
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
