import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketIndex, bucketTimeMs, createSeriesBuckets, NO_BUCKET } from "./series-buckets.ts";

describe("createSeriesBuckets", () => {
  it.for([
    [100, 125, 0.01, 3],
    [100, 120, 0.01, 3],
    [100, 100, 0.01, 1],
    [100, 99, 0.01, 0],
    [100, 50, 0.01, 0],
    [0, 3_600_000, 15, 241],
  ] as const)("from %i to %i by %d s makes %i", ([startMs, endMs, step, count]) => {
    expect(createSeriesBuckets(startMs, endMs, step).count).toBe(count);
  });

  it("takes a step of 1 ms and no smaller one", () => {
    expect(createSeriesBuckets(0, 10, 0.001).stepMs).toBe(1);
    expect(createSeriesBuckets(0, 10, 0.0019).stepMs).toBe(1);
    for (const step of [0.0009, 0, -1, Number.NaN]) {
      expect(() => createSeriesBuckets(0, 10, step)).toThrow(
        expect.objectContaining({ code: "QUERY_INVALID", message: `step must be >= 1ms, got ${step} s` }),
      );
    }
  });

  it("is not misled by decimal fractions", () => {
    expect(createSeriesBuckets(0, 10, 0.29).stepMs).toBe(290);
    expect(createSeriesBuckets(0, 10, 1.001).stepMs).toBe(1001);
  });
});

describe("bucketIndex", () => {
  const buckets = createSeriesBuckets(100, 125, 0.01);

  it.for([
    [90, NO_BUCKET],
    [91, 0],
    [100, 0],
    [101, 1],
    [110, 1],
    [111, 2],
    [120, 2],
    [121, NO_BUCKET],
    [125, NO_BUCKET],
  ] as const)("of %i is %i", ([timeMs, index]) => {
    expect(bucketIndex(buckets, timeMs)).toBe(index);
  });

  it("is the first bucket that does not end before the time", () => {
    const grid = fc.tuple(fc.nat(1000), fc.nat(1000), fc.integer({ min: 1, max: 50 }));

    fc.assert(
      fc.property(grid, fc.integer({ min: -100, max: 2100 }), ([startMs, lengthMs, stepMs], timeMs) => {
        const some = createSeriesBuckets(startMs, startMs + lengthMs, stepMs / 1000);
        const ends = Array.from({ length: some.count }, (_, i) => bucketTimeMs(some, i));
        const first = timeMs > startMs - stepMs ? ends.findIndex((end) => end >= timeMs) : NO_BUCKET;
        expect(bucketIndex(some, timeMs)).toBe(first);
        expect(ends.every((end) => end >= startMs && end <= startMs + lengthMs)).toBe(true);
      }),
    );
  });
});

describe("bucketTimeMs", () => {
  it("is the end of the bucket", () => {
    expect(bucketTimeMs(createSeriesBuckets(100, 125, 0.01), 2)).toBe(120);
  });
});
