import { describe, expect, it } from "vitest";
import { sliceRows } from "./row-window.ts";

describe("sliceRows", () => {
  it("draws the rows in sight and twelve on each side", () => {
    expect(sliceRows(10_000, 20, { topPx: 2000, heightPx: 200 })).toEqual({
      first: 88,
      end: 122,
      abovePx: 1760,
      belowPx: 197_560,
    });
  });

  it("draws all of a short table", () => {
    expect(sliceRows(3, 20, { topPx: 0, heightPx: 200 })).toEqual({
      first: 0,
      end: 3,
      abovePx: 0,
      belowPx: 0,
    });
  });

  it("stays inside a table that got shorter", () => {
    expect(sliceRows(5, 20, { topPx: 9000, heightPx: 200 })).toEqual({
      first: 0,
      end: 5,
      abovePx: 0,
      belowPx: 0,
    });
  });
});
