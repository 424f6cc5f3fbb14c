import { describe, expect, it } from "vitest";
import { answerHeaders } from "./answer-headers.ts";

describe("answerHeaders", () => {
  it("says the resolution, and nothing of blocks when none is missing", () => {
    expect(answerHeaders({ value: 1, missingBlocks: [], resolution: "raw" })).toEqual([
      ["x-pyroscope-resolution", "raw"],
    ]);
  });

  it("names the first fifty of the blocks that are missing", () => {
    const missingBlocks = Array.from({ length: 51 }, (_, i) => `block${i}`);

    const headers = new Map(answerHeaders({ value: 1, missingBlocks, resolution: "raw" }));

    expect(headers.get("x-pyroscope-partial")?.split(", ")).toEqual(missingBlocks.slice(0, 50));
  });
});
