import { HIGH, LOW } from "./column.ts";
import type { ProtobufReader } from "./protobuf-reader.ts";
import { shortVarint } from "./short-varint.ts";

/**
 * The fields of a message that is nearly all numbers, read in one loop: the place of a field is its number.
 *
 * A field that is not there is 0; of one that comes twice the last counts.
 */
export class NumberFields {
  /** Halves of field `i` at `2 * i` and `2 * i + 1`. */
  readonly #words: Int32Array;
  readonly #lastField: number;

  /** @param lastField - fields up to this number are known, at most 15. */
  constructor(lastField: number) {
    this.#lastField = lastField;
    this.#words = new Int32Array((lastField + 1) * 2);
  }

  /**
   * Reads the message that the reader is in, to its end; fields that are not numbers are not known.
   *
   * @throws {@link ProtocolError} `WIRE_MALFORMED`.
   */
  read(reader: ProtobufReader): void {
    this.clear();
    for (let tag = this.next(reader); tag !== 0; tag = this.next(reader))
      reader.skipRest(tag, this.#lastField);
  }

  /** Forgets the message before. */
  clear(): void {
    const words = this.#words;
    // Not `fill`, which costs more than a dozen words.
    for (let i = 0; i < words.length; i++) words[i] = 0;
  }

  /**
   * Reads numbers up to the next field that is something else or not known.
   *
   * @returns the tag of that field, read as {@link ProtobufReader.field} reads; 0 at the end of the message.
   */
  next(reader: ProtobufReader): number {
    while (reader.hasMore()) {
      this.#readShort(reader);
      if (!reader.hasMore()) return 0;
      const tag = reader.field();
      if ((tag & 7) !== 0 || tag >>> 3 > this.#lastField) return tag;
      const at = (tag >>> 3) * 2;
      this.#words[at] = reader.lo;
      this.#words[at + 1] = reader.hi;
    }
    return 0;
  }

  /** Reads fields of one byte and varints of up to four, and stops at any other. */
  #readShort(reader: ProtobufReader): void {
    const { bytes, limit } = reader;
    const words = this.#words;
    const tagLimit = words.length << 2;
    let at = reader.position;
    while (at < limit) {
      const tag = bytes[at]!;
      if (tag < 8 || tag >= tagLimit || (tag & 7) !== 0) break;
      const short = shortVarint(bytes, at + 1, limit);
      if (short < 0) break;
      const word = tag >>> 2;
      words[word] = short >>> 3;
      words[word + 1] = 0;
      at += 1 + (short & 7);
    }
    reader.position = at;
  }

  /** Low half of a field. */
  lo(field: number): number {
    return this.#words[field * 2]!;
  }

  /** High half of a field. */
  hi(field: number): number {
    return this.#words[field * 2 + 1]!;
  }

  isZero(field: number): boolean {
    return (this.lo(field) | this.hi(field)) === 0;
  }

  /** Writes a field into a row of a 64-bit column. */
  writeTo(lanes: Int32Array, row: number, field: number): void {
    lanes[row * 2 + LOW] = this.lo(field);
    lanes[row * 2 + HIGH] = this.hi(field);
  }
}
