import { describe, expect, it } from "vitest";
import { formatGoDuration, formatPrometheusDuration } from "./duration-text.ts";

describe("formatGoDuration", () => {
  it.for([
    [0, "0s"],
    [250, "250ms"],
    [1500, "1.5s"],
    [90_500, "1m30.5s"],
    [3_600_000, "1h0m0s"],
    [172_800_000, "48h0m0s"],
  ] as const)("prints %d ms as %s", ([durationMs, text]) => {
    expect(formatGoDuration(durationMs)).toBe(text);
  });
});

describe("formatPrometheusDuration", () => {
  it.for([
    [0, "0s"],
    [5, "5ms"],
    [90_000, "1m30s"],
    [86_400_000, "1d"],
    [129_600_000, "1d12h"],
    [604_800_000, "1w"],
    [31_536_000_000, "1y"],
  ] as const)("prints %d ms as %s", ([durationMs, text]) => {
    expect(formatPrometheusDuration(durationMs)).toBe(text);
  });
});
