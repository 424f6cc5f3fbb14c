import { describe, expect, it } from "vitest";
import { NO_SPAN, NO_TRACE, parseSpanId, parseTraceId } from "./span-ids.ts";

describe("parseSpanId", () => {
  it("reads 16 hex digits big-endian, in either case", () => {
    expect(parseSpanId("00000000000000ff")).toBe(255n);
    expect(parseSpanId("FFffFFffFFffFFff")).toBe(2n ** 64n - 1n);
  });

  it.for(["", "ff", "00000000000000fg", "00000000000000ff0", " 0000000000000ff", "0x000000000000ff"])(
    "takes %j for none",
    (text) => {
      expect(parseSpanId(text)).toBe(NO_SPAN);
    },
  );
});

describe("parseTraceId", () => {
  it("reads 32 hex digits into a high and a low half", () => {
    expect(parseTraceId("0000000000000001ffffffffffffffff")).toEqual({ hi: 1n, lo: 2n ** 64n - 1n });
  });

  it.for(["", "00000000000000ff", "z".repeat(32), "0".repeat(33)])("takes %j for none", (text) => {
    expect(parseTraceId(text)).toBe(NO_TRACE);
  });
});
