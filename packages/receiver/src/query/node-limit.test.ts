import { describe, expect, it } from "vitest";
import { resolveMaxNodes } from "./node-limit.ts";

const limits = { maxFlamegraphNodesDefault: 8192, maxFlamegraphNodesMax: 1000_000 };
const boundless = { maxFlamegraphNodesDefault: 8192, maxFlamegraphNodesMax: 0 };

describe("resolveMaxNodes", () => {
  it("is the default where none is asked for", () => {
    expect(resolveMaxNodes(undefined, limits)).toBe(8192);
    expect(resolveMaxNodes(0, limits)).toBe(8192);
  });

  it("accepts the maximum and refuses one more", () => {
    expect(resolveMaxNodes(1_000_000, limits)).toBe(1_000_000);
    expect(() => resolveMaxNodes(1_000_001, limits)).toThrow(
      "max flamegraph nodes limit 1000001 is greater than allowed 1000000",
    );
  });

  it("reads a negative number as boundless only where there is no maximum", () => {
    expect(resolveMaxNodes(-1, boundless)).toBe(0);
    expect(() => resolveMaxNodes(-1, limits)).toThrow(
      "max flamegraph nodes limit must be set (max allowed 1000000)",
    );
  });
});
