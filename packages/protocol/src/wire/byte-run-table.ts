import { avalanche } from "./hash64.ts";
import type { Scratch } from "./scratch.ts";

/**
 * Finds equal runs of bytes in one buffer: the strings of a string table that come twice.
 *
 * A `Map` of decoded strings does the same at three times the cost: it hashes each string twice, after it was made.
 */
export class ByteRunTable {
  /** Whether the run given to {@link ByteRunTable.intern} last is ASCII. */
  isAscii = true;
  /** Number of different runs. */
  length = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #hashes: Int32Array;
  /** Row + 1 in each used slot; at least half of the slots stay empty. */
  readonly #slots: Uint32Array;
  // Random, so that nobody can send strings that all fall into one slot.
  readonly #seed = (Math.random() * 0x1_0000_0000) | 0;

  /**
   * @param capacity - the number of runs that will be given at most.
   * @param scratch - memory for the table, which is of no use after the scratch is reset.
   */
  constructor(bytes: Uint8Array, capacity: number, scratch: Scratch) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#starts = scratch.uint32(capacity);
    this.#ends = scratch.uint32(capacity);
    this.#hashes = scratch.int32(capacity);
    this.#slots = scratch.uint32(2 ** Math.ceil(Math.log2(capacity * 2 + 1))).fill(0);
  }

  /** The row of the bytes `start .. end`: the row of an equal run, or the next one. */
  intern(start: number, end: number): number {
    const hash = this.#hash(start, end);
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let used = slots[slot]!; used !== 0; used = slots[slot]!) {
      if (this.#hashes[used - 1] === hash && this.#isRun(used - 1, start, end)) return used - 1;
      slot = (slot + 1) & mask;
    }
    const row = this.length++;
    this.#starts[row] = start;
    this.#ends[row] = end;
    this.#hashes[row] = hash;
    slots[slot] = row + 1;
    return row;
  }

  #hash(start: number, end: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    let hash = this.#seed ^ (end - start);
    let bits = 0;
    let at = start;
    for (; at + 4 <= end; at += 4) {
      const word = view.getInt32(at, true);
      bits |= word;
      hash = Math.imul(hash ^ word, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    for (; at < end; at++) {
      bits |= bytes[at]!;
      hash = Math.imul(hash ^ bytes[at]!, 0x85ebca6b);
      hash ^= hash >>> 13;
    }
    this.isAscii = (bits & 0x80808080) === 0;
    return avalanche(hash);
  }

  #isRun(row: number, start: number, end: number): boolean {
    const bytes = this.#bytes;
    const known = this.#starts[row]!;
    if (this.#ends[row]! - known !== end - start) return false;
    for (let i = start; i < end; i++) if (bytes[i] !== bytes[known + i - start]) return false;
    return true;
  }
}
