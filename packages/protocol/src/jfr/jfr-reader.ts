import { BYTE_DECODER, LOSSY_UTF8_DECODER } from "../wire/text-codec.ts";
import { malformedJfr } from "./malformed-jfr.ts";

/** Id of a constant, any 64 bits: a number where one is exact, since most are small, else a bigint. 0 for none. */
export type ConstantId = number | bigint;

/** How a string is written: the byte before it. */
const STRING_NULL = 0;
const STRING_EMPTY = 1;
const STRING_CONSTANT = 2;
const STRING_UTF8 = 3;
const STRING_CHARS = 4;
const STRING_LATIN1 = 5;

// Arguments that one call of `String.fromCharCode` takes on every engine.
const CHARS_PER_CALL = 8192;

/**
 * Reads the primitives of a recording, strictly: nothing is read past {@link JfrReader.limit}.
 *
 * A 64-bit integer is left in {@link JfrReader.lo} and {@link JfrReader.hi}, so that no BigInt is made for the many that
 * nobody asks for. Every method throws {@link ProtocolError} `JFR_MALFORMED`.
 *
 * Source: JDK jdk.jfr.internal.consumer.RecordingInput, EventWriter.
 */
export class JfrReader {
  readonly bytes: Uint8Array;
  position = 0;
  /** End of the event that is being read. */
  limit: number;
  /** Low half of the last integer, a signed int32. */
  lo = 0;
  /** High half of the last integer, a signed int32. */
  hi = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.limit = bytes.length;
  }

  /** Bytes that are left in the event. */
  get left(): number {
    return this.limit - this.position;
  }

  /** Reads a byte into {@link JfrReader.lo} and {@link JfrReader.hi} as well. */
  byte(): number {
    if (this.position >= this.limit) throw this.#cut(this.position);
    this.lo = this.bytes[this.position++]!;
    this.hi = 0;
    return this.lo;
  }

  /** Reads a compressed integer: seven bits a byte, the lowest first, and eight in the ninth byte. */
  integer(): void {
    const { bytes, limit, position: start } = this;
    let lo = 0;
    let hi = 0;
    for (let at = start, shift = 0; at < limit; at++, shift += 7) {
      const byte = bytes[at]!;
      const isNinth = shift === 56;
      const bits = isNinth ? byte : byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift > 28) hi |= bits << (shift - 32);
      else {
        lo |= bits << 28;
        hi = bits >>> 4;
      }
      if (byte >= 0x80 && !isNinth) continue;
      this.position = at + 1;
      this.lo = lo;
      this.hi = hi;
      return;
    }
    throw this.#cut(start);
  }

  /** Reads a type, an offset or a count: from 0 to 2^53 - 1. */
  uint(what: string): number {
    const start = this.position;
    this.integer();
    return toUint(this.lo, this.hi, () => `${what} at byte ${start}`);
  }

  /** Reads the id of a constant. */
  id(): ConstantId {
    this.integer();
    return toId(this.lo, this.hi);
  }

  /** Reads the length of an array whose elements take a byte or more. */
  arrayLength(): number {
    const start = this.position;
    const length = this.uint("array length");
    if (length > this.left) {
      throw malformedJfr(`array at byte ${start}: ${length} elements, but only ${this.left} bytes are left`);
    }
    return length;
  }

  skip(byteLength: number): void {
    if (byteLength > this.left) throw this.#cut(this.position);
    this.position += byteLength;
  }

  /** Skips a string. */
  skipString(): void {
    const encoding = this.byte();
    if (encoding === STRING_UTF8 || encoding === STRING_LATIN1) this.skip(this.arrayLength());
    else if (encoding === STRING_CHARS) for (let left = this.arrayLength(); left > 0; left--) this.integer();
    else if (encoding === STRING_CONSTANT) this.integer();
    else if (encoding > STRING_EMPTY) throw this.#encoding(encoding);
  }

  /**
   * Reads a string. Text that is not UTF-8 gets replacement characters: the JVM's own form of UTF-8 differs beyond
   * U+FFFF, and one such name must not cost the recording.
   *
   * @param constants - strings of the chunk, for one that is written as its id.
   */
  string(constants?: ReadonlyMap<ConstantId, string>): string {
    const encoding = this.byte();
    switch (encoding) {
      case STRING_NULL:
      case STRING_EMPTY:
        return "";
      case STRING_CONSTANT:
        return constants?.get(this.id()) ?? "";
      case STRING_UTF8:
        return LOSSY_UTF8_DECODER.decode(this.#take(this.arrayLength()));
      case STRING_CHARS:
        return this.#chars(this.arrayLength());
      case STRING_LATIN1:
        return this.#latin1(this.#take(this.arrayLength()));
      default:
        throw this.#encoding(encoding);
    }
  }

  #take(byteLength: number): Uint8Array {
    this.position += byteLength;
    return this.bytes.subarray(this.position - byteLength, this.position);
  }

  #chars(length: number): string {
    const units = new Uint16Array(length);
    for (let i = 0; i < length; i++) {
      this.integer();
      units[i] = this.lo;
    }
    return fromUnits(units);
  }

  #latin1(bytes: Uint8Array): string {
    // The platform's decoder is windows-1252, which agrees with Latin-1 but for 0x80 to 0x9f.
    return bytes.some((byte) => byte >= 0x80 && byte < 0xa0) ? fromUnits(bytes) : BYTE_DECODER.decode(bytes);
  }

  #cut(start: number): Error {
    return malformedJfr(`value at byte ${start}: cut off at byte ${this.limit}`);
  }

  #encoding(encoding: number): Error {
    return malformedJfr(`string before byte ${this.position}: encoding ${encoding}, expected 0 to 5`);
  }
}

/** An unsigned number of two halves, exact up to 2^53 - 1. */
function toUint(lo: number, hi: number, what: () => string): number {
  const value = hi * 2 ** 32 + (lo >>> 0);
  if (hi >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  throw malformedJfr(`${what()}: expected 0 to 2^53 - 1`);
}

/** The id of two halves. */
export function toId(lo: number, hi: number): ConstantId {
  const value = hi * 2 ** 32 + (lo >>> 0);
  return Number.isSafeInteger(value) ? value : (BigInt(hi) << 32n) | BigInt(lo >>> 0);
}

function fromUnits(units: Uint8Array | Uint16Array): string {
  let text = "";
  for (let at = 0; at < units.length; at += CHARS_PER_CALL) {
    text += String.fromCharCode(...units.subarray(at, at + CHARS_PER_CALL));
  }
  return text;
}
