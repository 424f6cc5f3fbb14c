import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";

describe("parseDuration", () => {
  it.for([
    ["0", 0],
    ["1ms", 1],
    ["1.5s", 1500],
    ["1h30m", 5_400_000],
    ["30d", 2_592_000_000],
    ["2w", 1_209_600_000],
    ["1y", 31_536_000_000],
  ] as const)("reads %s", ([text, millis]) => {
    expect(parseDuration(text)).toBe(millis);
  });

  it.for(["", "1", "d", "1 d", "-1d", "1d ", "1e3s", "1µs", "99999999999999999999d"])(
    "refuses %j",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});

describe("formatDuration", () => {
  it.for([0, 1, 999, 5_400_000, 2_592_000_000, 86_400_001])("writes %i so that it reads back", (millis) => {
    expect(parseDuration(formatDuration(millis))).toBe(millis);
  });
});
