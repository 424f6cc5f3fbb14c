import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTime, parseTimeNanos } from "./time.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const SECOND = 1000;
const DAY = 86_400 * SECOND;

function offset(text: string): number {
  return parseTime(text, NOW) - NOW;
}

describe("parseTime", () => {
  it.for([
    ["20260131", Date.UTC(2026, 0, 31)],
    ["19010101", Date.UTC(1901, 0, 1)],
    ["20240229", Date.UTC(2024, 1, 29)],
    ["1769860800", 1_769_860_800_000],
    ["1769860800123", 1_769_860_800_123],
    ["1769860800123456", 1_769_860_800_123],
    ["1769860800123456789", 1_769_860_800_123],
    ["0", 0],
    ["7", 7000],
    ["0000000000001", 1],
    [" 1_769_860_800 ", 1_769_860_800_000],
    ["1,769,860,800", 1_769_860_800_000],
  ] as const)("reads digits by their count: %s", ([text, expected]) => {
    expect(parseTime(text, NOW)).toBe(expected);
  });

  it.for(["19001231", "20260230", "20261301", "20260132", "20260000", "00000000"])(
    "takes 8 digits that are no date after 1900 for seconds: %s",
    (text) => {
      expect(parseTime(text, NOW)).toBe(Number(text) * SECOND);
    },
  );

  it.for([
    ["now", 0],
    ["", 0],
    ["foo", 0],
    ["now-", 0],
    ["now-1s", -SECOND],
    ["now-1h", -3600 * SECOND],
    ["now+1h", 3600 * SECOND],
    ["-15m", -900 * SECOND],
    ["+15m", 900 * SECOND],
    ["15m", 0],
    ["now-2min", -120 * SECOND],
    ["now-3d", -3 * DAY],
    ["now-1w2d", -9 * DAY],
    ["now-1M", -30 * DAY],
    ["now-1mon", -30 * DAY],
    ["now-1y", -365 * DAY],
    ["now-10seconds", -10 * SECOND],
    ["now - 1 hour, 30 min", -5400 * SECOND],
    ["anything-1h", -3600 * SECOND],
    ["2026-01-31T00:00:00Z", 0],
  ] as const)("reads an offset from now: %j", ([text, expected]) => {
    expect(offset(text)).toBe(expected);
  });

  it.for([
    ["now-5", "a unit that is missing", 0],
    ["now-5q", "a unit that is not known", 0],
    ["now-h", "a number that is missing", 0],
    ["now-1h5", "a trailing number", -3600 * SECOND],
    ["now-1h-30m", "a second sign, which belongs to the unit before it", -5400 * SECOND],
    ["now-1h+30m", "a plus anywhere, before which everything is ignored", 1800 * SECOND],
    ["now-1H", "a capital hour", 0],
  ] as const)("%s: %s", ([text, , expected]) => {
    expect(offset(text)).toBe(expected);
  });

  it("rounds a finer time down, before the epoch too", () => {
    expect(parseTime("now-2s", 1000)).toBe(-1000);
    expect(parseTime("1000000000000000999", NOW)).toBe(1_000_000_000_000);
  });

  it("keeps within what int64 nanoseconds can say", () => {
    expect(parseTime("9".repeat(12), NOW)).toBe(9_223_372_036_854);
    expect(parseTime("9".repeat(100_000), NOW)).toBe(9_223_372_036_854);
    expect(parseTime(`${"0".repeat(30)}7`, NOW)).toBe(7000);
    expect(parseTime(`now-${"9".repeat(400)}y`, NOW)).toBe(NOW - 9_223_372_036_000);
    expect(offset(`now-${"9".repeat(400)}q`)).toBe(0);
  });

  it("gives a finite time for any text", () => {
    const wild = fc.string({ unit: fc.constantFrom(..."0123456789+-_, nowsmhdMyw.e") });

    fc.assert(
      fc.property(wild, (text) => {
        expect(Number.isSafeInteger(parseTime(text, NOW))).toBe(true);
      }),
    );
  });
});

describe("parseTimeNanos", () => {
  const now = BigInt(NOW) * 1_000_000n + 7n;

  it("keeps every nanosecond", () => {
    expect(parseTimeNanos("1769860800123456789", now)).toBe(1_769_860_800_123_456_789n);
    expect(parseTimeNanos("now", now)).toBe(now);
    expect(parseTimeNanos("now-1s", now)).toBe(now - 1_000_000_000n);
  });

  it("keeps within int64", () => {
    expect(parseTimeNanos("9999999999999999999", now)).toBe(2n ** 63n - 1n);
    expect(parseTimeNanos("9".repeat(50), now)).toBe(2n ** 63n - 1n);
  });
});
