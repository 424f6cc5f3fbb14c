import { describe, expect, it } from "vitest";
import {
  chooseGrid,
  formatOffset,
  isBackwards,
  pinRange,
  resolveRange,
  resolveTime,
  shiftRange,
  shiftTime,
} from "./time-range.ts";

const NOW = 1_700_000_000_000;

describe("resolveTime", () => {
  it.for([
    ["now", NOW],
    ["now-90s", NOW - 90_000],
    [" now-2d ", NOW - 172_800_000],
    ["now+1h", NOW + 3_600_000],
    ["1700000000", NOW],
    ["1700000000000", NOW],
    ["2023-11-14T22:13:20Z", NOW],
  ] as const)("reads %s", ([text, expected]) => {
    expect(resolveTime(text, NOW)).toBe(expected);
  });

  it.for(["", "yesterday", "now-1y", "now-", "-1h"])("does not read %j", (text) => {
    expect(resolveTime(text, NOW)).toBeUndefined();
  });
});

describe("resolveRange", () => {
  it("refuses an empty and a reversed range", () => {
    expect(resolveRange({ from: "now", until: "now" }, NOW)).toBeUndefined();
    expect(resolveRange({ from: "now", until: "now-1h" }, NOW)).toBeUndefined();
  });
});

describe("isBackwards", () => {
  it("tells a range whose end comes first from what is no range", () => {
    const isReversed = (from: string, until: string): boolean => isBackwards({ from, until }, NOW);

    expect([isReversed("now", "now-1h"), isReversed("now", "now")]).toEqual([true, true]);
    expect([isReversed("now-1h", "now"), isReversed("soon", "now"), isReversed("", "")]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe("pinRange", () => {
  it("makes relative ends absolute", () => {
    expect(pinRange({ from: "now-1h", until: "now" }, NOW)).toEqual({
      from: String(NOW - 3_600_000),
      until: String(NOW),
    });
  });
});

describe("shiftTime", () => {
  it("keeps what is relative relative", () => {
    expect(shiftRange({ from: "now-1h", until: "now" }, -3_600_000, NOW)).toEqual({
      from: "now-2h",
      until: "now-1h",
    });
    expect(shiftTime("now-1h", 3_600_000, NOW)).toBe("now");
  });

  it("moves what is absolute", () => {
    expect(shiftTime(String(NOW), -1000, NOW)).toBe(String(NOW - 1000));
  });
});

describe("formatOffset", () => {
  it("takes the largest unit that divides it", () => {
    expect([604_800_000, 90_000_000, 5_400_000, 61_000].map(formatOffset)).toEqual([
      "1w",
      "25h",
      "90m",
      "61s",
    ]);
  });
});

describe("chooseGrid", () => {
  it("never goes below the upload interval of 15 s", () => {
    expect(chooseGrid({ fromMs: NOW, untilMs: NOW + 60_000 }).stepSeconds).toBe(15);
  });

  it("keeps at most 240 buckets and aligns them", () => {
    const grid = chooseGrid({ fromMs: NOW + 1, untilMs: NOW + 86_400_000 });

    expect(grid.stepSeconds).toBe(600);
    expect(grid.fromMs % 600_000).toBe(0);
    expect(grid.untilMs % 600_000).toBe(0);
    expect(grid.fromMs).toBeLessThanOrEqual(NOW + 1);
    expect(grid.untilMs).toBeGreaterThanOrEqual(NOW + 86_400_000);
  });
});
