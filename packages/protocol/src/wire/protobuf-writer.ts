import { WIRE_LENGTH, WIRE_VARINT } from "./protobuf-reader.ts";
import { UTF8_ENCODER } from "./text-codec.ts";

/** Writes protobuf without a schema into bytes that grow. Fields that hold their default are not written. */
export class ProtobufWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(Math.max(capacity, 16));
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Writes an unsigned integer up to 2^53. */
  uint(value: number): void {
    if (value < 0x80) {
      this.#reserve(1);
      this.#bytes[this.#length++] = value;
    } else {
      this.varint(value | 0, Math.floor(value / 0x1_0000_0000));
    }
  }

  /** Writes 64 bits, given as two halves, as a varint. */
  varint(lo: number, hi: number): void {
    this.#reserve(10);
    const bytes = this.#bytes;
    let at = this.#length;
    let low = lo >>> 0;
    let high = hi >>> 0;
    while (high !== 0 || low > 0x7f) {
      bytes[at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    bytes[at++] = low;
    this.#length = at;
  }

  /** Writes bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes an integer field, or nothing for 0. */
  uintField(field: number, value: number): void {
    if (value === 0) return;
    this.uint(field * 8 + WIRE_VARINT);
    this.uint(value);
  }

  /** Writes a 64-bit field given as halves, or nothing for 0. */
  varintField(field: number, lo: number, hi: number): void {
    if (lo === 0 && hi === 0) return;
    this.uint(field * 8 + WIRE_VARINT);
    this.varint(lo, hi);
  }

  /** Writes an int64 field, or nothing for 0. */
  int64Field(field: number, value: bigint): void {
    this.varintField(field, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }

  /** Writes a text field, also when it is empty: repeated texts keep their number. */
  textField(field: number, text: string): void {
    const start = this.begin(field);
    this.text(text);
    this.end(start);
  }

  /** Writes the UTF-8 bytes of a text, without a length; a lone surrogate becomes U+FFFD. */
  text(text: string): void {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.#reserve(text.length * 3);
    this.#length += UTF8_ENCODER.encodeInto(text, this.#bytes.subarray(this.#length)).written;
  }

  /** Begins a message, packed or text field; what follows up to {@link ProtobufWriter.end} is its content. */
  begin(field: number): number {
    this.uint(field * 8 + WIRE_LENGTH);
    return this.beginLength();
  }

  /** Begins content with a length but without a tag. */
  beginLength(): number {
    this.#reserve(1);
    return ++this.#length;
  }

  /** Ends what {@link ProtobufWriter.begin} began, whose result is `start`. */
  end(start: number): void {
    const size = this.#length - start;
    if (size < 0x80) {
      this.#bytes[start - 1] = size;
      return;
    }
    // One byte was left for the length, which is enough for nearly all messages of a profile; a longer one moves
    // its content once. Computing sizes beforehand would walk every message twice.
    let extra = 0;
    for (let rest = size; rest > 0x7f; rest = Math.floor(rest / 0x80)) extra++;
    this.#reserve(extra);
    this.#bytes.copyWithin(start + extra, start, this.#length);
    this.#length = start - 1;
    this.uint(size);
    this.#length += size;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }
}
