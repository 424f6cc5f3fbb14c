import type { LabelTable } from "../profile/profile.ts";
import { HIGH, LOW } from "../wire/column.ts";

/** The columns of a label table while they grow, all at once. */
export class LabelColumns {
  length = 0;
  #capacity = 0;
  readonly #firstCapacity: number;
  #key = new Uint32Array();
  #text = new Uint32Array();
  #unit = new Uint32Array();
  #number = new BigInt64Array();
  #lanes = new Int32Array();

  /** @param firstCapacity - rows to make room for when the first label comes. */
  constructor(firstCapacity: number) {
    this.#firstCapacity = Math.max(firstCapacity, 16);
  }

  push(key: number, text: number, unit: number, lo: number, hi: number): void {
    const row = this.length;
    if (row === this.#capacity) this.#resize(Math.max(row * 2, this.#firstCapacity));
    this.#key[row] = key;
    this.#text[row] = text;
    this.#unit[row] = unit;
    this.#lanes[row * 2 + LOW] = lo;
    this.#lanes[row * 2 + HIGH] = hi;
    this.length++;
  }

  /** The rows in use. The columns are of no more use. */
  finish(): LabelTable {
    if (this.#capacity !== this.length) this.#resize(this.length);
    return { length: this.length, key: this.#key, text: this.#text, number: this.#number, unit: this.#unit };
  }

  #resize(capacity: number): void {
    this.#key = resized(this.#key, new Uint32Array(capacity));
    this.#text = resized(this.#text, new Uint32Array(capacity));
    this.#unit = resized(this.#unit, new Uint32Array(capacity));
    this.#lanes = resized(this.#lanes, new Int32Array(capacity * 2));
    this.#number = new BigInt64Array(this.#lanes.buffer);
    this.#capacity = capacity;
  }
}

function resized<T extends Uint32Array | Int32Array>(from: T, to: T): T {
  to.set(from.subarray(0, to.length));
  return to;
}
