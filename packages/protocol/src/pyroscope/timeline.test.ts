import { describe, expect, it } from "vitest";
import { alignToStep, buildTimeline, timelineStepSeconds } from "./timeline.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe("timelineStepSeconds", () => {
  it.for([
    ["an hour", HOUR, 15],
    ["6 hours", 6 * HOUR, 15],
    ["a day", DAY, 60],
    ["7 days", 7 * DAY, 300],
    ["30 days", 30 * DAY, 1800],
    ["180 days", 180 * DAY, 10_800],
    ["nothing", 0, 15],
    ["a range that runs backwards", -DAY, 15],
    ["a century", 36_525 * DAY, 2_592_000],
  ] as const)("of %s", ([, lengthMs, step]) => {
    expect(timelineStepSeconds(1000, 1000 + lengthMs)).toBe(step);
  });

  it.for([
    [17.5, 15, 20],
    [25, 20, 30],
    [45, 30, 60],
    [90, 60, 120],
    [210, 120, 300],
    [450, 300, 600],
    [750, 600, 900],
    [1050, 900, 1200],
    [1500, 1200, 1800],
    [2700, 1800, 3600],
    [5400, 3600, 7200],
    [9000, 7200, 10_800],
    [16_200, 10_800, 21_600],
    [32_400, 21_600, 43_200],
    [86_400, 43_200, 86_400],
    [604_800, 86_400, 604_800],
    [1_814_400, 604_800, 2_592_000],
    [3_628_799, 2_592_000, 31_536_000],
  ] as const)("rounds a width of %d s to %d s and a wider one to %d s", ([width, step, next]) => {
    const rangeMs = width * 1000 * 1500;

    expect(timelineStepSeconds(0, rangeMs)).toBe(step);
    expect(timelineStepSeconds(0, rangeMs + 1500)).toBe(next);
  });
});

describe("alignToStep", () => {
  it("moves both ends back to a multiple of the step", () => {
    expect(alignToStep(44_999, 61_000, 15)).toEqual({ startMs: 30_000, endMs: 60_000 });
    expect(alignToStep(30_000, 60_000, 15)).toEqual({ startMs: 30_000, endMs: 60_000 });
    expect(alignToStep(-1, 0, 15)).toEqual({ startMs: -15_000, endMs: 0 });
  });
});

describe("buildTimeline", () => {
  const points = [
    { timeMs: 30_000, value: 5 },
    { timeMs: 60_000, value: 1.9 },
    { timeMs: 74_999, value: 2 },
  ];

  it("fills steps without data with zeros", () => {
    expect(buildTimeline(points, 30_000, 90_000, 15)).toEqual({
      startTime: 30,
      samples: [5, 0, 3, 0],
      durationDelta: 15,
      watermarks: null,
    });
  });

  it("leaves out points before the start and from the end on", () => {
    expect(buildTimeline(points, 45_000, 60_000, 15).samples).toEqual([0]);
  });

  it("has no samples for an empty range or one that runs backwards", () => {
    expect(buildTimeline(points, 30_000, 30_000, 15).samples).toEqual([]);
    expect(buildTimeline(points, 60_000, 30_000, 15).samples).toEqual([]);
  });

  it("shows a negative sum as 0", () => {
    expect(buildTimeline([{ timeMs: 0, value: -3 }], 0, 15_000, 15).samples).toEqual([0]);
  });
});
