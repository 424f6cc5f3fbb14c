import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { measureJsonDepth } from "./json-depth.ts";

const depthOf = (text: string, limit = 100): number =>
  measureJsonDepth(new TextEncoder().encode(text), limit);

function trueDepth(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(trueDepth));
}

describe("measureJsonDepth", () => {
  it("is the depth of any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(depthOf(JSON.stringify(value))).toBe(trueDepth(value));
      }),
    );
  });

  it("takes brackets in texts for what they are", () => {
    expect(depthOf('["[[[", "\\"[[", {"{\\\\": []}]')).toBe(3);
    expect(depthOf('["[[[')).toBe(1);
  });

  it("looks no further than the limit", () => {
    expect(depthOf("[".repeat(50), 10)).toBe(11);
    expect(depthOf("[]".repeat(50), 10)).toBe(1);
  });
});
