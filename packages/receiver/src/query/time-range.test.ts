import { describe, expect, it } from "vitest";
import { resolveTimeRange } from "./time-range.ts";

const NOW = Date.UTC(2026, 0, 10);
const HOUR_MS = 3_600_000;
const unlimited = { maxQueryLengthMs: 0, maxQueryLookbackMs: 0 };

function range(startUnixMillis: number, endUnixMillis: number) {
  return { startUnixMillis, endUnixMillis };
}

describe("resolveTimeRange", () => {
  it("takes the first and the last millisecond whole", () => {
    const resolved = resolveTimeRange(range(1_000, 2_000), unlimited, NOW);

    expect(resolved?.fromUnixNanos).toBe(1_000_000_000n);
    expect(resolved?.untilUnixNanos).toBe(2_000_999_999n);
  });

  it.for([
    [0, 5],
    [5, 0],
    [0, 0],
  ] as const)("refuses a range without a side: %d to %d", ([start, end]) => {
    expect(() => resolveTimeRange(range(start, end), unlimited, NOW)).toThrow(
      "missing time range in the query",
    );
  });

  it("takes a range of one millisecond and refuses a reversed one", () => {
    expect(resolveTimeRange(range(7, 7), unlimited, NOW)).toBeDefined();
    expect(() => resolveTimeRange(range(8, 7), unlimited, NOW)).toThrow("query start time is after end time");
  });

  it("lets negative times pass", () => {
    expect(resolveTimeRange(range(-5, -1), unlimited, NOW)?.fromUnixNanos).toBe(-5_000_000n);
  });

  it("draws the largest int64 into the range of dates", () => {
    const resolved = resolveTimeRange(range(1, 2 ** 63), unlimited, NOW);

    expect(resolved).toMatchObject({ endUnixMillis: 8.64e15, untilUnixNanos: 2n ** 63n - 1n });
    expect(() => resolveTimeRange(range(Number.NaN, 5), unlimited, NOW)).toThrow(
      "query time is not a number",
    );
  });

  it("finds nothing where all of the range is before the lookback", () => {
    const limits = { ...unlimited, maxQueryLookbackMs: HOUR_MS };

    expect(resolveTimeRange(range(1, NOW - HOUR_MS - 1), limits, NOW)).toBeUndefined();
    expect(resolveTimeRange(range(1, NOW - HOUR_MS), limits, NOW)?.startUnixMillis).toBe(NOW - HOUR_MS);
  });

  it("accepts the longest length and refuses a millisecond more, in Pyroscope's words", () => {
    const limits = { ...unlimited, maxQueryLengthMs: 24 * HOUR_MS };

    expect(resolveTimeRange(range(NOW - 24 * HOUR_MS, NOW), limits, NOW)).toBeDefined();
    expect(() => resolveTimeRange(range(NOW - 48 * HOUR_MS, NOW), limits, NOW)).toThrow(
      "the query time range exceeds the limit (max_query_length, actual: 48h0m0s, limit: 1d)",
    );
    expect(() => resolveTimeRange(range(NOW - 24 * HOUR_MS - 1, NOW), limits, NOW)).toThrow(
      "max_query_length",
    );
  });

  it("measures the length after the lookback has cut it", () => {
    const limits = { maxQueryLengthMs: 2 * HOUR_MS, maxQueryLookbackMs: HOUR_MS };

    expect(resolveTimeRange(range(1, NOW), limits, NOW)?.startUnixMillis).toBe(NOW - HOUR_MS);
  });
});
