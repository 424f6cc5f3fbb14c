import { Uint32Column } from "./column.ts";
import { avalanche } from "./hash64.ts";

/**
 * One row for each different sequence of 32-bit words, numbered in the order they first came.
 *
 * This is how the profile algebra finds equal functions, locations, stacks and samples: a row is compared word by
 * word, so that unlike with a content hash two different ones are never taken for equal.
 */
export class WordTable {
  readonly #starts = new Uint32Column(64);
  readonly #words = new Uint32Column(256);
  readonly #hashes = new Uint32Column(64);
  /** Row + 1 in each used slot; at least half of the slots stay empty. */
  #slots = new Uint32Array(128);
  // Random, so that nobody can send rows that all fall into one slot.
  readonly #seed = (Math.random() * 0x1_0000_0000) | 0;

  constructor() {
    this.#starts.push(0);
  }

  /** Number of different rows. */
  get length(): number {
    return this.#starts.length - 1;
  }

  /** Words of all rows, one after the other; row `i` is `starts()[i] .. starts()[i + 1]`. */
  words(): Uint32Array {
    return this.#words.values.slice(0, this.#words.length);
  }

  starts(): Uint32Array {
    return this.#starts.values.slice(0, this.#starts.length);
  }

  /** The row of the sequence `words[start .. end]`, added when it is new. */
  intern(words: ArrayLike<number>, start = 0, end: number = words.length): number {
    let hash = this.#seed;
    for (let i = start; i < end; i++) hash = Math.imul(avalanche(hash ^ (words[i] ?? 0)), 5) + 0x52dce729;
    hash = avalanche(hash ^ (end - start)) >>> 0;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let used = slots[slot] ?? 0; used !== 0; used = slots[slot] ?? 0) {
      if (this.#isRow(used - 1, hash, words, start, end)) return used - 1;
      slot = (slot + 1) & mask;
    }
    const row = this.length;
    this.#words.pushRange(words, start, end);
    this.#starts.push(this.#words.length);
    this.#hashes.push(hash);
    slots[slot] = row + 1;
    if ((row + 1) * 2 > slots.length) this.#growSlots();
    return row;
  }

  #isRow(row: number, hash: number, words: ArrayLike<number>, start: number, end: number): boolean {
    if (this.#hashes.values[row] !== hash) return false;
    const at = this.#starts.values[row] ?? 0;
    const length = end - start;
    if ((this.#starts.values[row + 1] ?? 0) - at !== length) return false;
    const known = this.#words.values;
    for (let i = 0; i < length; i++) if (known[at + i] !== (words[start + i] ?? 0) >>> 0) return false;
    return true;
  }

  #growSlots(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let row = 0; row < this.length; row++) {
      let slot = (this.#hashes.values[row] ?? 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = row + 1;
    }
    this.#slots = slots;
  }
}
