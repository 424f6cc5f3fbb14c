import { describe, expect, it } from "vitest";
import { placeSpans } from "./span-points.ts";

function span(total: number, firstMs: number, lastMs = firstMs) {
  return { service: "", name: "", spanId: "", traceId: "", traceUrl: "", total, firstMs, lastMs };
}

describe("placeSpans", () => {
  it("places spans by time and by their share of the largest", () => {
    const points = placeSpans([span(8, 100, 150), span(2, 175)], { fromMs: 100, untilMs: 200 });

    expect(points.map(({ left, right, bottom }) => [left, right, bottom])).toEqual([
      [0, 0.5, 1],
      [0.75, 0.75, 0.25],
    ]);
  });

  it("keeps what lies outside of the range, or is nothing, at the edge", () => {
    const points = placeSpans([span(0, 0, 900)], { fromMs: 100, untilMs: 200 });

    expect(points.map(({ left, right, bottom }) => [left, right, bottom])).toEqual([[0, 1, 0]]);
    expect(placeSpans([], { fromMs: 0, untilMs: 0 })).toEqual([]);
  });
});
