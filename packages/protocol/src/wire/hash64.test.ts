import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Hasher64 } from "./hash64.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

describe("Hasher64", () => {
  it("gives the same hash for the same content, whatever was hashed before", () => {
    const used = new Hasher64().text("something else").finish();

    expect(used.reset().text("main").u32(7).finish().toBigInt()).toBe(
      new Hasher64().text("main").u32(7).finish().toBigInt(),
    );
  });

  it("keeps its values: they are stored", () => {
    const hashOf = (text: string) => new Hasher64().text(text).finish().toBigInt();

    expect(new Hasher64().finish().toBigInt()).toBe(EMPTY_HASH);
    expect(hashOf("")).toBe(EMPTY_TEXT_HASH);
    expect(hashOf("handleRequest")).toBe(TEXT_HASH);
  });

  it("hashes a text as its UTF-8 bytes", () =>
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(), (text, seed) => {
        const asText = new Hasher64().reset(seed).text(text).finish();
        const asBytes = new Hasher64().reset(seed).bytes(utf8(text)).finish();
        expect(asText.toBigInt()).toBe(asBytes.toBigInt());
      }),
    ));

  it("hashes a part of a buffer like a copy of that part", () => {
    const bytes = utf8("xxhandleRequestyy");

    expect(new Hasher64().bytes(bytes, 2, 15).finish().toBigInt()).toBe(
      new Hasher64().text("handleRequest").finish().toBigInt(),
    );
  });

  it("takes 64 bits as two words and a column as its words", () => {
    const single = new Hasher64().u32(1).u32(-2).finish().toBigInt();

    expect(new Hasher64().u64(1, -2).finish().toBigInt()).toBe(single);
    expect(
      new Hasher64()
        .words(Int32Array.of(9, 1, -2, 9), 1, 3)
        .finish()
        .toBigInt(),
    ).toBe(single);
  });

  it("takes runs of ids as the words of each, the last row first", () =>
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer(), { maxLength: 3 })),
        fc.infiniteStream(fc.nat()),
        (runs, at) => {
          const starts = new Uint32Array(runs.length + 1);
          for (const [row, run] of runs.entries()) starts[row + 1] = starts[row]! + run.length;
          const lanes = Int32Array.from(runs.flat().flatMap((id) => [id, ~id]));
          const rows = runs.length === 0 ? [] : runs.map(() => at.next().value! % runs.length);
          const expected = new Hasher64().reset(3);
          for (const row of rows.slice(1).reverse()) {
            for (const id of runs[row]!) expected.u64(id, ~id);
          }

          const actual = new Hasher64()
            .reset(3)
            .runsBackwards(lanes, starts, Uint32Array.from(rows), Math.min(1, rows.length), rows.length);

          expect(actual.finish().toBigInt()).toBe(expected.finish().toBigInt());
        },
      ),
    ));

  it("tells apart where one text ends and the next begins", () => {
    const join = (...texts: string[]) => {
      const hasher = new Hasher64();
      for (const text of texts) hasher.text(text);
      return hasher.finish().toBigInt();
    };

    expect(
      new Set([join("ab", "c"), join("a", "bc"), join("abc"), join("abc", ""), join("", "abc")]).size,
    ).toBe(5);
  });

  it("tells apart trailing zeros", () => {
    const hashes = [0, 1, 2, 3, 4, 5].map((length) =>
      new Hasher64().bytes(new Uint8Array(length)).finish().toBigInt(),
    );

    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("depends on the seed", () => {
    expect(new Hasher64().reset(1).text("a").finish().toBigInt()).not.toBe(
      new Hasher64().reset(2).text("a").finish().toBigInt(),
    );
  });

  it.for([1, 2, 3, 8])(
    "changes every output bit half of the time when one input bit of %i words flips",
    (length) => {
      const trials = 400;
      const flips = countFlips(length, trials);

      // Each count is binomial with p = 1/2, so the standard deviation over 400 trials is 10. Over up to
      // 16,384 pairs of bits, 5.5 deviations are passed by chance once in 1,600 runs with random input; the input is fixed.
      expect(Math.min(...flips)).toBeGreaterThan(trials / 2 - 55);
      expect(Math.max(...flips)).toBeLessThan(trials / 2 + 55);
    },
  );

  it("gives a million generated stacks different hashes", () => {
    expect(countCollisions(1_000_000)).toBe(0);
  });

  it("gives a million stacks no more equal halves than chance does", () => {
    const count = 1_000_000;
    const { low, high } = hashStacks(count);

    // n²/2^33 = 116 pairs are expected to share 32 bits; 200 is 7 deviations away.
    expect(countEqual(low)).toBeLessThan(200);
    expect(countEqual(high)).toBeLessThan(200);
  });
});

const EMPTY_HASH = 898458181999596289n;
const EMPTY_TEXT_HASH = -5814452774116026017n;
const TEXT_HASH = -2032010229865670555n;

/** For each pair of input and output bit, how often the output bit changed with the input bit. */
function countFlips(wordCount: number, trials: number): Uint32Array {
  const hasher = new Hasher64();
  const counts = new Uint32Array(wordCount * 32 * 64);
  for (let trial = 0; trial < trials; trial++) {
    // Input as it occurs: small counters, not random words.
    const words = Int32Array.from({ length: wordCount }, (_, i) => trial * (i + 1));
    hasher.reset().words(words).finish();
    const { lo, hi } = hasher;
    for (let bit = 0; bit < wordCount * 32; bit++) {
      words[bit >> 5]! ^= 1 << (bit & 31);
      hasher.reset().words(words).finish();
      words[bit >> 5]! ^= 1 << (bit & 31);
      addBits(counts, bit * 64, lo ^ hasher.lo);
      addBits(counts, bit * 64 + 32, hi ^ hasher.hi);
    }
  }
  return counts;
}

function addBits(counts: Uint32Array, start: number, bits: number): void {
  for (let i = 0; i < 32; i++) counts[start + i]! += (bits >>> i) & 1;
}

/** Hashes of stacks as a store makes them: 3 to 34 frames out of few, each frame a 64-bit hash. */
function hashStacks(count: number): { low: Int32Array; high: Int32Array; whole: BigInt64Array } {
  const whole = new BigInt64Array(count);
  const lanes = new Int32Array(whole.buffer);
  const low = new Int32Array(count);
  const high = new Int32Array(count);
  const hasher = new Hasher64();
  for (let i = 0; i < count; i++) {
    hasher.reset();
    // The digits of i in base 8 make every stack different; the frames before them are common to many.
    for (let depth = 0; depth < 3 + (i & 7); depth++) hasher.u64(depth, 0);
    for (let rest = i; rest > 0; rest >>>= 3) hasher.u64(rest & 7, 0);
    hasher.u32(i & 7).finish();
    low[i] = lanes[2 * i] = hasher.lo;
    high[i] = lanes[2 * i + 1] = hasher.hi;
  }
  return { low, high, whole };
}

function countCollisions(count: number): number {
  return countEqual(hashStacks(count).whole);
}

function countEqual(column: Int32Array | BigInt64Array): number {
  const sorted = column.toSorted();
  let equal = 0;
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) equal++;
  return equal;
}
