import { describe, expect, it } from "vitest";
import { AnswerCache } from "./answer-cache.ts";
import { answerBytes } from "./answer-copy.ts";

const answer = (value: unknown) => ({ value, missingBlocks: ["x"], resolution: "raw" });

describe("AnswerCache", () => {
  it("gives back what was read from the same version, whatever became of the buffers", () => {
    const cache = new AnswerCache(10_000);
    const values = Float64Array.of(1, 2);
    const first = answer({ values, big: 2n ** 60n, names: ["a"], at: [{ n: 1 }] });
    cache.put("q", "v1", first);
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
    for (const key of ["a", "b", "c", "d", "e"]) cache.put(key, "v", kilobyte);
    cache.get("a", "v");
    cache.put("f", "v", kilobyte);
    cache.put("g", "v", kilobyte);
    const present = ["a", "b", "c", "d", "e", "f", "g"].filter((key) => cache.has(key));

    expect(present).toContain("a");
    expect(present).not.toContain("b");
    expect(cache.bytes).toBeLessThanOrEqual(8000);
    cache.put("large", "v", answer(new Uint8Array(2000)));
    expect(cache.has("large")).toBe(false);
    // The newest version alone.
    const before = cache.bytes;
    cache.put("g", "v2", kilobyte);
    expect([cache.get("g", "v"), cache.bytes - before]).toEqual([undefined, 2]);
  });

  it("keeps nothing when it is off, or when nobody knows the version", () => {
    const [off, on] = [new AnswerCache(0), new AnswerCache(1000)];
    off.put("q", "v", answer(1));
    on.put("q", undefined, answer(1));

    expect([off.has("q"), on.has("q"), off.bytes, on.bytes]).toEqual([false, false, 0, 0]);
    expect(answerBytes(new Float64Array(1000))).toBeGreaterThan(8000);
  });
});
