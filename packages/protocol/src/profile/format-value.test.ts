import { describe, expect, it } from "vitest";
import { formatValue } from "./format-value.ts";

describe("formatValue", () => {
  it.for([
    [0, "nanoseconds", "0ns"],
    [999, "nanoseconds", "999ns"],
    [1000, "nanoseconds", "1us"],
    [1_500_000, "nanoseconds", "1.5ms"],
    [2e9, "nanoseconds", "2s"],
    [1023, "bytes", "1023B"],
    [1024, "bytes", "1KiB"],
    [3 * 1024 ** 3, "bytes", "3GiB"],
    [12_345, "count", "12345"],
  ] as const)("writes %d %s as %s", ([value, unit, text]) => {
    expect(formatValue(value, unit)).toBe(text);
  });
});
