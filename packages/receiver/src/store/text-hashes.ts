import { Hasher64 } from "@pyroscope-ts/protocol";

// Names of functions and files of a hundred services; about 20 MB. Full, it starts anew.
const MAX_TEXTS = 100_000;
// A long text is rare, and hashed each time.
const MAX_TEXT_LENGTH = 256;

/**
 * Hashes of texts, remembered over profiles: the next profile of a program has the same names, and to look one up
 * costs a quarter of hashing it.
 */
export class TextHashes {
  readonly #hasher = new Hasher64();
  readonly #rows = new Map<string, number>();
  readonly #lanes = new Int32Array(2 * MAX_TEXTS);
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Writes the hash of a text as row `row` of `lanes`. */
  write(text: string, lanes: Int32Array, row: number): void {
    const known = this.#rows.get(text);
    if (known !== undefined) {
      lanes[2 * row] = this.#lanes[2 * known]!;
      lanes[2 * row + 1] = this.#lanes[2 * known + 1]!;
      return;
    }
    const { lo, hi } = this.#hasher.reset(this.#seed).text(text).finish();
    lanes[2 * row] = lo;
    lanes[2 * row + 1] = hi;
    if (text.length <= MAX_TEXT_LENGTH) this.#remember(text, lo, hi);
  }

  #remember(text: string, lo: number, hi: number): void {
    if (this.#rows.size === MAX_TEXTS) this.#rows.clear();
    const row = this.#rows.size;
    this.#lanes[2 * row] = lo;
    this.#lanes[2 * row + 1] = hi;
    // A copy: V8 makes a part of a larger string a view that keeps all of it.
    this.#rows.set(Buffer.from(text, "utf16le").toString("utf16le"), row);
  }
}
