import { describe, expect, it } from "vitest";
import { AnswerCache } from "./answer-cache.ts";
import { answerBytes } from "./answer-copy.ts";
import type { QueryKeys } from "./query-key.ts";
import { timeRange } from "./time-range.ts";

const range = timeRange(1, 2);
const keys = (exact: string, sliding?: string): QueryKeys => ({ exact, sliding });
const answer = (value: unknown) => ({ value, missingBlocks: ["x"], resolution: "raw" });

describe("AnswerCache", () => {
  it("gives back what was read from the same version, whatever became of the buffers", () => {
    const cache = new AnswerCache(10_000);
    const values = Float64Array.of(1, 2);
    const first = answer({ values, big: 2n ** 60n, names: ["a"], at: [{ n: 1 }] });
    cache.put(keys("q"), range, "v1", first);
    structuredClone(first, { transfer: [values.buffer] });

    const expected = answer({ values: Float64Array.of(1, 2), big: 2n ** 60n, names: ["a"], at: [{ n: 1 }] });
    for (let time = 0; time < 2; time++) {
      const got = cache.get("q", "v1") as typeof expected;
      expect(got).toEqual(expected);
      structuredClone(got, {
        transfer: [(got.value as { values: Float64Array }).values.buffer as ArrayBuffer],
      });
    }
    expect([cache.get("q", "v2"), cache.get("other", "v1"), cache.get("q", undefined)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([cache.hitCount, cache.missCount]).toEqual([2, 1]);
  });

  it("holds no more bytes than it may, and lets go of what was used longest ago", () => {
    const cache = new AnswerCache(8000);
    const kilobyte = answer(new Uint8Array(1000));
    for (const key of ["a", "b", "c", "d", "e"]) cache.put(keys(key), range, "v", kilobyte);
    cache.get("a", "v");
    cache.put(keys("f"), range, "v", kilobyte);
    cache.put(keys("g"), range, "v", kilobyte);
    const present = ["a", "b", "c", "d", "e", "f", "g"].filter((key) => cache.has(key));

    expect(present).toContain("a");
    expect(present).not.toContain("b");
    expect(cache.bytes).toBeLessThanOrEqual(8000);
    cache.put(keys("large"), range, "v", answer(new Uint8Array(2000)));
    expect(cache.has("large")).toBe(false);
    // The newest version alone.
    const before = cache.bytes;
    cache.put(keys("g"), range, "v2", kilobyte);
    expect([cache.get("g", "v"), cache.bytes - before]).toEqual([undefined, 2]);
  });

  it("keeps nothing when it is off, or when nobody knows the version", () => {
    const [off, on] = [new AnswerCache(0), new AnswerCache(1000)];
    off.put(keys("q"), range, "v", answer(1));
    on.put(keys("q"), range, undefined, answer(1));

    expect([off.has("q"), on.has("q"), off.bytes, on.bytes]).toEqual([false, false, 0, 0]);
    expect(answerBytes(new Float64Array(1000))).toBeGreaterThan(8000);
  });

  it("gives the newest answer of a range that slides, and keeps it under the name of the last one alone", () => {
    const cache = new AnswerCache(10_000);
    cache.put(keys("1-11", "10"), timeRange(1, 11), "v1", answer("first"));
    const near = cache.near(keys("2-12", "10"), "v1");
    const others = [cache.near(keys("2-12", "10"), "v2"), cache.near(keys("2-13", "11"), "v1")];

    expect(near?.range).toEqual(timeRange(1, 11));
    expect([...others, cache.near(keys("2-12"), "v1")]).toEqual([undefined, undefined, undefined]);
    const before = cache.bytes;
    expect(cache.adopt(keys("2-12", "10"), timeRange(2, 12), "v1", near!)).toEqual(answer("first"));
    expect([cache.get("1-11", "v1"), cache.bytes]).toEqual([undefined, before]);
    expect(cache.get("2-12", "v1")).toEqual(answer("first"));
    expect(cache.near(keys("3-13", "10"), "v1")?.range).toEqual(timeRange(2, 12));
  });
});
