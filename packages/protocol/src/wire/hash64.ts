import { UTF8_ENCODER } from "./text-codec.ts";

// Multipliers and rotations of the two lanes are those of MurmurHash3_x86_128 (public domain), which were
// searched for avalanche by its author; each word goes into both lanes, so that a difference in one word
// cannot be undone by one other word.
const LANE_1_FIRST = 0x239b961b;
const LANE_1_SECOND = 0xab0e9789 | 0;
const LANE_2_FIRST = 0x38b34ae5;
const LANE_2_SECOND = 0xa1e38b93 | 0;
const LANE_1_ADD = 0x561ccd1b;
const LANE_2_ADD = 0x0bcaa747;
const LANE_2_SEED = 0x9e3779b9 | 0;

/**
 * A 64-bit content hash, computed in two 32-bit lanes so that no step needs a BigInt.
 *
 * Made for identity of frames, stacks and label sets: every input bit changes every output bit with
 * probability one half, and ten million generated stacks have no collision. It is not keyed and does not
 * resist someone who searches for collisions.
 *
 * The hash of a sequence depends on how it was fed: `u32(1).u32(2)` equals `u64(1, 2)` and
 * `words([1, 2])`, and `text(s)` equals `bytes(utf8(s))`; a text or a run of bytes is closed by its length,
 * so that `"ab", "c"` differs from `"a", "bc"`. The result is part of stored data: a change here is a change
 * of the storage format.
 *
 *     const id = new Hasher64().text("main").u32(12).finish();
 *     column[row] = id.toBigInt();                       // or id.lo, id.hi
 */
export class Hasher64 {
  /** Low lane of the hash, a signed int32; set by {@link Hasher64.finish}. */
  lo = 0;
  /** High lane of the hash, a signed int32; set by {@link Hasher64.finish}. */
  hi = 0;
  #lane1 = 0;
  #lane2 = LANE_2_SEED;
  #count = 0;

  /** Starts a new hash; different seeds give unrelated hashes of the same content. */
  reset(seed = 0): this {
    this.#lane1 = seed | 0;
    this.#lane2 = (seed ^ LANE_2_SEED) | 0;
    this.#count = 0;
    return this;
  }

  /** Adds one word; only its low 32 bits count. */
  u32(word: number): this {
    let k = Math.imul(word, LANE_1_FIRST);
    k = Math.imul((k << 15) | (k >>> 17), LANE_1_SECOND);
    let h = this.#lane1 ^ k;
    h = ((h << 19) | (h >>> 13)) + this.#lane2;
    const lane1 = (Math.imul(h, 5) + LANE_1_ADD) | 0;
    k = Math.imul(word, LANE_2_FIRST);
    k = Math.imul((k << 16) | (k >>> 16), LANE_2_SECOND);
    h = this.#lane2 ^ k;
    h = ((h << 17) | (h >>> 15)) + lane1;
    this.#lane1 = lane1;
    this.#lane2 = (Math.imul(h, 5) + LANE_2_ADD) | 0;
    this.#count++;
    return this;
  }

  /** Adds 64 bits as two words, the low one first. */
  u64(lo: number, hi: number): this {
    return this.u32(lo).u32(hi);
  }

  /**
   * Adds the ids of a stack that is stored leaf first: for the rows `rows[end - 1]` down to `rows[start]` the ids
   * `starts[row] .. starts[row + 1]`, each as two words of `lanes`, the low one first.
   *
   * As {@link Hasher64.words} of each row, at half its time: between two words the state stays in registers.
   */
  runsBackwards(
    lanes: Int32Array,
    starts: Uint32Array,
    rows: Int32Array | Uint32Array,
    start: number,
    end: number,
  ): this {
    let lane1 = this.#lane1;
    let lane2 = this.#lane2;
    let count = this.#count;
    for (let i = end - 1; i >= start; i--) {
      const row = rows[i] ?? 0;
      const until = 2 * (starts[row + 1] ?? 0);
      for (let at = 2 * (starts[row] ?? 0); at < until; at++) {
        const word = lanes[at] ?? 0;
        let k = Math.imul(word, LANE_1_FIRST);
        k = Math.imul((k << 15) | (k >>> 17), LANE_1_SECOND);
        let h = lane1 ^ k;
        h = ((h << 19) | (h >>> 13)) + lane2;
        lane1 = (Math.imul(h, 5) + LANE_1_ADD) | 0;
        k = Math.imul(word, LANE_2_FIRST);
        k = Math.imul((k << 16) | (k >>> 16), LANE_2_SECOND);
        h = lane2 ^ k;
        h = ((h << 17) | (h >>> 15)) + lane1;
        lane2 = (Math.imul(h, 5) + LANE_2_ADD) | 0;
        count++;
      }
    }
    this.#lane1 = lane1;
    this.#lane2 = lane2;
    this.#count = count;
    return this;
  }

  /** Adds the words of rows `start .. end` of a column. */
  words(column: ArrayLike<number>, start = 0, end: number = column.length): this {
    for (let i = start; i < end; i++) this.u32(column[i] ?? 0);
    return this;
  }

  /** Adds the bytes `start .. end` and how many they are. */
  bytes(bytes: Uint8Array, start = 0, end: number = bytes.length): this {
    return this.view(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), start, end);
  }

  /** {@link Hasher64.bytes} of a view, for who hashes many runs of one buffer. */
  view(view: DataView, start: number, end: number): this {
    let lane1 = this.#lane1;
    let lane2 = this.#lane2;
    // As u32 for every word, with the state in registers.
    for (let at = start; at < end; at += 4) {
      // Behind the end there are zeros.
      const word = at + 4 <= end ? view.getInt32(at, true) : lastWord(view, at, end);
      let k = Math.imul(word, LANE_1_FIRST);
      k = Math.imul((k << 15) | (k >>> 17), LANE_1_SECOND);
      let h = lane1 ^ k;
      h = ((h << 19) | (h >>> 13)) + lane2;
      lane1 = (Math.imul(h, 5) + LANE_1_ADD) | 0;
      k = Math.imul(word, LANE_2_FIRST);
      k = Math.imul((k << 16) | (k >>> 16), LANE_2_SECOND);
      h = lane2 ^ k;
      h = ((h << 17) | (h >>> 15)) + lane1;
      lane2 = (Math.imul(h, 5) + LANE_2_ADD) | 0;
    }
    this.#lane1 = lane1;
    this.#lane2 = lane2;
    this.#count += Math.ceil((end - start) / 4);
    return this.u32(end - start);
  }

  /** Adds the UTF-8 bytes of a text and how many they are. */
  text(text: string): this {
    if (!isAscii(text)) return this.bytes(UTF8_ENCODER.encode(text));
    const length = text.length;
    let at = 0;
    for (; at + 4 <= length; at += 4) {
      const low = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8);
      this.u32(low | (text.charCodeAt(at + 2) << 16) | (text.charCodeAt(at + 3) << 24));
    }
    if (at < length) {
      let tail = 0;
      for (let shift = 0; at < length; at++, shift += 8) tail |= text.charCodeAt(at) << shift;
      this.u32(tail);
    }
    return this.u32(length);
  }

  /** Sets {@link Hasher64.lo} and {@link Hasher64.hi} to the hash of everything since the last reset. */
  finish(): this {
    let a = this.#lane1 ^ this.#count;
    let b = this.#lane2 ^ this.#count;
    a = (a + b) | 0;
    b = (b + a) | 0;
    a = avalanche(a);
    b = avalanche(b);
    a = (a + b) | 0;
    this.lo = a;
    this.hi = (b + a) | 0;
    return this;
  }

  /** The finished hash as one signed int64. */
  toBigInt(): bigint {
    return (BigInt(this.hi) << 32n) | BigInt(this.lo >>> 0);
  }
}

/** Spreads each bit of `word` over all 32: the finaliser of MurmurHash3. */
export function avalanche(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** The word that the last one to three bytes begin. */
function lastWord(view: DataView, start: number, end: number): number {
  let word = 0;
  for (let at = start; at < end; at++) word |= view.getUint8(at) << (8 * (at - start));
  return word;
}

function isAscii(text: string): boolean {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits |= text.charCodeAt(i);
  return bits < 0x80;
}
