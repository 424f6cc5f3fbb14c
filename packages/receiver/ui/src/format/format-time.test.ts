import { describe, expect, it } from "vitest";
import {
  formatAge,
  formatMoment,
  formatRange,
  formatRangeLabel,
  formatSpan,
  formatTicks,
} from "./format-time.ts";

const NOON = new Date(2026, 2, 1, 12, 0, 0).getTime();

describe("formatRange", () => {
  it("writes the day once when both ends share it", () => {
    expect(formatRange({ fromMs: NOON, untilMs: NOON + 3_600_000 })).toBe("2026-03-01 12:00:00 – 13:00:00");
    expect(formatRange({ fromMs: NOON, untilMs: NOON + 86_400_000 })).toBe(
      "2026-03-01 12:00:00 – 2026-03-02 12:00:00",
    );
  });
});

describe("formatMoment", () => {
  it("is read back by the browser as the same second", () => {
    expect(Date.parse(formatMoment(NOON))).toBe(NOON);
  });
});

describe("formatRangeLabel", () => {
  it.for([
    ["now-1h", "now", "Last 1 hour"],
    ["now-30m", "now", "Last 30 minutes"],
    ["now-2h", "now-1h", "now-2h – now-1h"],
    ["x", "now", "x – now"],
  ] as const)("calls %s to %s: %s", ([from, until, expected]) => {
    expect(formatRangeLabel({ from, until }, undefined)).toBe(expected);
  });

  it("writes the seconds of a range under five minutes", () => {
    const range = { from: String(NOON), until: String(NOON + 35_000) };

    expect(formatRangeLabel(range, { fromMs: NOON, untilMs: NOON + 35_000 })).toBe(
      "2026-03-01 12:00:00 – 12:00:35",
    );
  });

  it("writes dates of a pinned range", () => {
    const resolved = { fromMs: NOON, untilMs: NOON + 300_000 };

    expect(formatRangeLabel({ from: String(NOON), until: String(NOON + 300_000) }, resolved)).toBe(
      "2026-03-01 12:00 – 12:05",
    );
  });
});

describe("formatTicks", () => {
  it("writes hours, and the day where it begins", () => {
    const midnight = NOON - 43_200_000;

    expect(formatTicks([midnight - 3_600_000, midnight, midnight + 3_600_000])).toEqual([
      "23:00",
      "03-01",
      "01:00",
    ]);
  });

  it("writes seconds or days when ticks are that far apart", () => {
    expect(formatTicks([NOON, NOON + 15_000])).toEqual(["12:00:00", "12:00:15"]);
    expect(formatTicks([NOON, NOON + 86_400_000])).toEqual(["03-01", "03-02"]);
  });
});

describe("formatAge", () => {
  it.for([
    [0, "just now"],
    [12_000, "12 s ago"],
    [600_000, "10 min ago"],
    [10_800_000, "3 h ago"],
    [259_200_000, "3 d ago"],
  ] as const)("calls %d ms %s", ([ageMs, expected]) => {
    expect(formatAge(ageMs)).toBe(expected);
  });
});

describe("formatSpan", () => {
  it("takes the unit that stays short", () => {
    expect([15, 300, 7200, 604_800].map(formatSpan)).toEqual(["15 s", "5 min", "2 h", "7 d"]);
  });
});
