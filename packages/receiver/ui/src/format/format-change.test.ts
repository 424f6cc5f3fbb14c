import { describe, expect, it } from "vitest";
import { chooseArrow, chooseChangeFormat, formatFactor } from "./format-change.ts";

const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";

describe("chooseChangeFormat", () => {
  it.for([
    ["share", 0.125, "12.5 %", "+12.5 pts"],
    ["rate", 0.5e9, "0.5 cores", "+0.5 cores"],
    ["absolute", 2e9, "2 s", "+2 s"],
  ] as const)("writes %s", ([norm, value, text, delta]) => {
    const format = chooseChangeFormat(norm, CPU);

    expect([format.value(value), format.delta(value)]).toEqual([text, delta]);
  });
});

describe("chooseArrow", () => {
  it("tells the direction without colour", () => {
    expect([1, -1, 0].map(chooseArrow)).toEqual(["▲", "▼", ""]);
  });
});

describe("formatFactor", () => {
  it.for([
    [1, 1.4, "+40 %"],
    [2, 1, "−50 %"],
    [1, 3.2, "×3.2"],
    [1, 1.001, "±0 %"],
    [0, 5, "new"],
    [0, 0, ""],
    [5, 0, "−100 %"],
  ] as const)("calls %d to %d %s", ([before, after, expected]) => {
    expect(formatFactor(before, after)).toBe(expected);
  });
});
