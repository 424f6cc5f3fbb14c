import { describe, expect, it } from "vitest";
import { formatPoints, formatShare, formatSigned, formatValue } from "./format-value.ts";

describe("formatValue", () => {
  it.for([
    [0, "nanoseconds", "0 ns"],
    [999, "nanoseconds", "999 ns"],
    [1500, "nanoseconds", "1.5 µs"],
    [1.84e9, "nanoseconds", "1.84 s"],
    [120e9, "nanoseconds", "2 min"],
    [90_000, "seconds", "25 h"],
    [2500, "milliseconds", "2.5 s"],
    [1023, "bytes", "1,023 B"],
    [1024, "bytes", "1 KiB"],
    [13_000_000, "bytes", "12.4 MiB"],
    [999, "count", "999"],
    [5100, "count", "5.1 k"],
    [-2_500_000, "count", "-2.5 M"],
    [0.0031, "count", "0.0031"],
    [0.025, "count", "0.025"],
  ] as const)("writes %d %s as %s", ([value, unit, expected]) => {
    expect(formatValue(value, unit)).toBe(expected);
  });
});

describe("formatShare", () => {
  it.for([
    [0, "0 %"],
    [0.00001, "< 0.01 %"],
    [0.0123, "1.23 %"],
    [0.5, "50.0 %"],
    [1, "100.0 %"],
  ] as const)("writes %d as %s", ([ratio, expected]) => {
    expect(formatShare(ratio)).toBe(expected);
  });
});

describe("formatPoints", () => {
  it("writes the sign of every difference", () => {
    expect([0.123, -0.0456, 0.00001, 0].map(formatPoints)).toEqual([
      "+12.3 pts",
      "−4.56 pts",
      "+<0.01 pts",
      "0.00 pts",
    ]);
  });
});

describe("formatSigned", () => {
  it("puts the sign before the unit's text", () => {
    expect(formatSigned(-2e9, (value) => formatValue(value, "nanoseconds"))).toBe("−2 s");
  });
});
