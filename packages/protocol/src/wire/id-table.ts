import { HIGH, LOW } from "./column.ts";
import { avalanche } from "./hash64.ts";

/** What {@link IdTable.rowOf} gives for an id that no row has. */
export const NO_ROW = -1;

/**
 * Finds the row of a 64-bit id.
 *
 * Writers nearly always number ids 1, 2, 3 …, where the row is the id less one; anything else goes through a hash
 * table. Of two rows with one id the last wins. Id 0 has no row.
 */
export class IdTable {
  /** Ids from 1 to this number are in the row before their number; 0 when ids are not numbered like that. */
  readonly denseCount: number;
  readonly #count: number;
  readonly #ids: Int32Array;
  readonly #isDense: boolean;
  /** Row + 1 in each used slot; more than half of the slots stay empty. */
  readonly #slots: Uint32Array;
  // Random, so that nobody can choose ids that all fall into one slot.
  readonly #seed = (Math.random() * 0x1_0000_0000) | 0;

  /** @param ids - halves of the id of each row, as {@link toLanes} gives them. */
  constructor(ids: Int32Array) {
    this.#ids = ids;
    this.#count = ids.length / 2;
    this.#isDense = isDense(ids);
    this.denseCount = this.#isDense ? this.#count : 0;
    this.#slots = new Uint32Array(this.#isDense ? 0 : 2 ** Math.ceil(Math.log2(this.#count * 2 + 1)));
    if (!this.#isDense) this.#fill();
  }

  rowOf(lo: number, hi: number): number {
    if (this.#isDense) {
      const row = (lo >>> 0) - 1;
      return hi === 0 && row < this.#count ? row : NO_ROW;
    }
    if ((lo | hi) === 0) return NO_ROW;
    return (this.#slots[this.#slotOf(lo, hi)] ?? 0) - 1;
  }

  #fill(): void {
    for (let row = 0; row < this.#count; row++) {
      const slot = this.#slotOf(this.#ids[row * 2 + LOW] ?? 0, this.#ids[row * 2 + HIGH] ?? 0);
      this.#slots[slot] = row + 1;
    }
  }

  /** The slot that holds the id, or the empty one where it would go. */
  #slotOf(lo: number, hi: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = avalanche(avalanche(lo ^ this.#seed) ^ hi) & mask;
    for (let used = slots[slot] ?? 0; used !== 0; used = slots[slot] ?? 0) {
      const at = (used - 1) * 2;
      if (this.#ids[at + LOW] === lo && this.#ids[at + HIGH] === hi) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}

function isDense(ids: Int32Array): boolean {
  for (let row = 0; row * 2 < ids.length; row++) {
    if (ids[row * 2 + LOW] !== row + 1 || ids[row * 2 + HIGH] !== 0) return false;
  }
  return true;
}
