import { describe, expect, it } from "vitest";
import { toHalfMeans } from "./half-means.ts";

const halves = { left: { fromMs: 0, untilMs: 30 }, right: { fromMs: 30, untilMs: 60 } };

function series(values: Readonly<Record<number, number>>) {
  const points = Object.entries(values).map(([timeMs, value]) => ({ timeMs: Number(timeMs), value }));
  return { labels: {}, points };
}

describe("toHalfMeans", () => {
  it("averages the buckets that have a value; a bucket belongs to the half that it ends in", () => {
    const shop = series({ 10: 1, 30: 3, 40: 10, 60: 20 });

    expect(toHalfMeans(shop, halves, 60)).toEqual({ left: 2, right: 15 });
  });

  it("leaves out buckets that are not complete yet", () => {
    expect(toHalfMeans(series({ 10: 4, 40: 8, 60: 1 }), halves, 50)).toEqual({ left: 4, right: 8 });
  });

  it("says nothing where a half has no value", () => {
    expect(toHalfMeans(series({ 10: 4 }), halves, 60)).toBeUndefined();
  });
});
