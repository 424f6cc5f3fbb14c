import { describe, expect, it } from "vitest";
import { toAreaPath } from "./sparkline.tsx";

describe("toAreaPath", () => {
  it("fills from the bottom to the highest value", () => {
    expect(toAreaPath([0, 2, 0], 100, 10)).toBe("M0 10L0.0 10.0L50.0 0.0L100.0 10.0L100.0 10Z");
  });

  it("ends where data may still arrive", () => {
    expect(toAreaPath([0, 2, null], 100, 10)).toBe("M0 10L0.0 10.0L50.0 0.0L50.0 10Z");
  });

  it("draws nothing without values", () => {
    expect(toAreaPath([], 100, 10)).toBe("");
    expect(toAreaPath([0, 0], 100, 10)).toBe("");
  });
});
