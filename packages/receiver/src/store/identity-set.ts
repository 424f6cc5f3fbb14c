import type { ProfileIdentity } from "./admission.ts";

const INITIAL_SLOTS = 64;
const MASK_64 = (1n << 64n) - 1n;

/** A set of profile identities, all 128 bits of them, in a typed array: 32 bytes for each at most half-full slot. */
export class IdentitySet {
  #halves: BigUint64Array = new BigUint64Array(2 * INITIAL_SLOTS);
  #size = 0;
  #hasZero = false;

  get size(): number {
    return this.#size + (this.#hasZero ? 1 : 0);
  }

  /** Bytes of memory. */
  get byteLength(): number {
    return this.#halves.byteLength;
  }

  has({ hi, lo }: ProfileIdentity): boolean {
    // A free slot is two zeros, hence the one identity that looks like it stands beside the table.
    if (hi === 0n && lo === 0n) return this.#hasZero;
    return !this.#isFree(this.#slotOf(hi & MASK_64, lo & MASK_64));
  }

  /** Adds an identity; returns whether it is new. */
  add({ hi, lo }: ProfileIdentity): boolean {
    if (hi === 0n && lo === 0n) {
      const isNew = !this.#hasZero;
      this.#hasZero = true;
      return isNew;
    }
    const slot = this.#slotOf(hi & MASK_64, lo & MASK_64);
    if (!this.#isFree(slot)) return false;
    this.#halves[slot] = hi;
    this.#halves[slot + 1] = lo;
    this.#size++;
    if (4 * this.#size > this.#halves.length) this.#grow();
    return true;
  }

  #isFree(slot: number): boolean {
    return this.#halves[slot] === 0n && this.#halves[slot + 1] === 0n;
  }

  #slotOf(hi: bigint, lo: bigint): number {
    const mask = this.#halves.length - 2;
    // Both halves: profiles of one push have the lower one in common, those of one series the upper one.
    let slot = Number(BigInt.asUintN(31, hi ^ lo)) & mask;
    while (!this.#isFree(slot) && (this.#halves[slot] !== hi || this.#halves[slot + 1] !== lo)) {
      slot = (slot + 2) & mask;
    }
    return slot;
  }

  #grow(): void {
    const old = this.#halves;
    this.#halves = new BigUint64Array(2 * old.length);
    for (let i = 0; i < old.length; i += 2) {
      const hi = old[i]!;
      const lo = old[i + 1]!;
      if (hi === 0n && lo === 0n) continue;
      const slot = this.#slotOf(hi, lo);
      this.#halves[slot] = hi;
      this.#halves[slot + 1] = lo;
    }
  }
}

/** An identity as the text of a UUID, as the column `profile` has it. */
export function formatIdentity({ hi, lo }: ProfileIdentity): string {
  const digits = hi.toString(16).padStart(16, "0") + lo.toString(16).padStart(16, "0");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The identity of a UUID's text; the reverse of {@link formatIdentity}. */
export function parseIdentity(uuid: string): ProfileIdentity {
  const digits = uuid.replaceAll("-", "");
  return { hi: BigInt(`0x${digits.slice(0, 16)}`), lo: BigInt(`0x${digits.slice(16)}`) };
}
