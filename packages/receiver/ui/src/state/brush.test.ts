import { describe, expect, it } from "vitest";
import { applyRangeKey, moveEnd, moveRange, zoomRange } from "./brush.ts";

const bounds = { fromMs: 0, untilMs: 100_000 };
const range = { fromMs: 20_000, untilMs: 40_000 };

describe("moveRange", () => {
  it("keeps its length and stays within the bounds", () => {
    expect(moveRange(range, 5000, bounds)).toEqual({ fromMs: 25_000, untilMs: 45_000 });
    expect(moveRange(range, -50_000, bounds)).toEqual({ fromMs: 0, untilMs: 20_000 });
    expect(moveRange(range, 90_000, bounds)).toEqual({ fromMs: 80_000, untilMs: 100_000 });
  });
});

describe("moveEnd", () => {
  it("moves one end within the bounds", () => {
    expect(moveEnd(range, "from", 10_000, bounds)).toEqual({ fromMs: 10_000, untilMs: 40_000 });
    expect(moveEnd(range, "until", 200_000, bounds)).toEqual({ fromMs: 20_000, untilMs: 100_000 });
  });

  it("stops one second before the other end", () => {
    expect(moveEnd(range, "from", 99_000, bounds)).toEqual({ fromMs: 39_000, untilMs: 40_000 });
    expect(moveEnd(range, "until", 0, bounds)).toEqual({ fromMs: 20_000, untilMs: 21_000 });
  });
});

describe("zoomRange", () => {
  it("keeps the middle and a second at least", () => {
    expect(zoomRange(range, 2)).toEqual({ fromMs: 10_000, untilMs: 50_000 });
    expect(zoomRange(range, 0)).toEqual({ fromMs: 29_500, untilMs: 30_500 });
  });
});

describe("applyRangeKey", () => {
  it("moves by a quarter and zooms", () => {
    expect(applyRangeKey("ArrowLeft", range)).toEqual({ fromMs: 15_000, untilMs: 35_000 });
    expect(applyRangeKey("ArrowRight", range)).toEqual({ fromMs: 25_000, untilMs: 45_000 });
    expect(applyRangeKey("+", range)).toEqual({ fromMs: 25_000, untilMs: 35_000 });
    expect(applyRangeKey("-", range)).toEqual({ fromMs: 10_000, untilMs: 50_000 });
  });

  it("leaves other keys to the browser", () => {
    expect(applyRangeKey("Tab", range)).toBeUndefined();
  });
});
