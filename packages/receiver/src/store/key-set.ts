const INITIAL_SLOTS = 64;

/**
 * A set of 64-bit keys, each given as two 32-bit lanes, in typed arrays: 16 bytes per slot, at most half of the
 * slots used. Keys are hashes, so that their low bits serve as the place in the table.
 */
export class KeySet {
  #lanes: Int32Array = new Int32Array(2 * INITIAL_SLOTS);
  #size = 0;
  #hasZero = false;

  get size(): number {
    return this.#size + (this.#hasZero ? 1 : 0);
  }

  /** Bytes of memory. */
  get byteLength(): number {
    return this.#lanes.byteLength;
  }

  has(lo: number, hi: number): boolean {
    // A free slot is two zeros, hence the one key that looks like it stands beside the table.
    if ((lo | hi) === 0) return this.#hasZero;
    const slot = this.#slotOf(lo | 0, hi | 0);
    return (this.#lanes[slot]! | this.#lanes[slot + 1]!) !== 0;
  }

  /** Adds a key; returns whether it is new. */
  add(lo: number, hi: number): boolean {
    if ((lo | hi) === 0) {
      const isNew = !this.#hasZero;
      this.#hasZero = true;
      return isNew;
    }
    const slot = this.#slotOf(lo | 0, hi | 0);
    if ((this.#lanes[slot]! | this.#lanes[slot + 1]!) !== 0) return false;
    this.#lanes[slot] = lo;
    this.#lanes[slot + 1] = hi;
    this.#size++;
    if (4 * this.#size > this.#lanes.length) this.#grow();
    return true;
  }

  /** Index of the key's low lane, or of the free slot where it belongs. */
  #slotOf(lo: number, hi: number): number {
    const lanes = this.#lanes;
    const mask = lanes.length - 2;
    let slot = ((lo ^ hi) << 1) & mask;
    while ((lanes[slot]! | lanes[slot + 1]!) !== 0 && (lanes[slot] !== lo || lanes[slot + 1] !== hi)) {
      slot = (slot + 2) & mask;
    }
    return slot;
  }

  #grow(): void {
    const old = this.#lanes;
    this.#lanes = new Int32Array(2 * old.length);
    for (let i = 0; i < old.length; i += 2) {
      const lo = old[i]!;
      const hi = old[i + 1]!;
      if ((lo | hi) === 0) continue;
      const slot = this.#slotOf(lo, hi);
      this.#lanes[slot] = lo;
      this.#lanes[slot + 1] = hi;
    }
  }
}
