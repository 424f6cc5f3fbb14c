/** Most distinct ids: each takes 8 bytes here and 8 in the table, and a query never has as many frames. */
const MAX_ID_COUNT = 2 ** 28;

/**
 * Gives 64-bit ids small numbers: 0 for the first different id, 1 for the next, and so on.
 *
 * Ids are hashes, so that a Map of bigints would be the obvious way; it makes a bigint per look-up, which on the
 * 300,000 frames of a large answer costs more than all the rest of the tree.
 */
export class IdNumbers {
  /** Two words for each number: low and high half of its id. */
  #words: Uint32Array = new Uint32Array(128);
  /** Number + 1, or 0 for an empty slot; at most half of the slots are used. */
  #slots: Uint32Array = new Uint32Array(128);
  #count = 0;
  // Random, so that nobody can push frames whose ids all fall into one slot.
  readonly #seed: number = (Math.random() * 0x1_0000_0000) | 0;

  /** How many different ids there are. */
  get count(): number {
    return this.#count;
  }

  /** Numbers of these ids, in their order; new ones get the next numbers. */
  add(ids: BigUint64Array): Uint32Array {
    const numbers = new Uint32Array(ids.length);
    const words = toWords(ids);
    for (let i = 0; i < ids.length; i++) numbers[i] = this.#number(words[2 * i]!, words[2 * i + 1]!);
    return numbers;
  }

  /** The different ids, at their numbers. */
  ids(): BigUint64Array {
    const words = this.#words.slice(0, 2 * this.#count);
    return new BigUint64Array(words.buffer);
  }

  #number(lo: number, hi: number): number {
    let slot = this.#slotOf(lo, hi);
    const used = this.#slots[slot]!;
    if (used !== 0) return used - 1;
    if (2 * (this.#count + 1) > this.#slots.length) {
      this.#grow();
      slot = this.#slotOf(lo, hi);
    }
    const number = this.#count++;
    this.#words[2 * number] = lo;
    this.#words[2 * number + 1] = hi;
    this.#slots[slot] = number + 1;
    return number;
  }

  /** The slot that holds the id, or the empty one where it goes. */
  #slotOf(lo: number, hi: number): number {
    const slots = this.#slots;
    const words = this.#words;
    const mask = slots.length - 1;
    // Constants of murmur3's finaliser: odd, so that the products keep every bit, and well mixed.
    let hash = Math.imul(lo ^ this.#seed, 0x85ebca6b) ^ Math.imul(hi, 0xc2b2ae35);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    for (let used = slots[slot]!; used !== 0; used = slots[slot]!) {
      const at = 2 * (used - 1);
      if (words[at] === lo && words[at + 1] === hi) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    if (this.#count >= MAX_ID_COUNT) throw new RangeError(`numbering ids: more than ${MAX_ID_COUNT}`);
    const words = new Uint32Array(2 * this.#slots.length);
    words.set(this.#words);
    this.#words = words;
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let number = 0; number < this.#count; number++) {
      this.#slots[this.#slotOf(words[2 * number]!, words[2 * number + 1]!)] = number + 1;
    }
  }
}

function toWords(ids: BigUint64Array): Uint32Array {
  return new Uint32Array(ids.buffer, ids.byteOffset, 2 * ids.length);
}
