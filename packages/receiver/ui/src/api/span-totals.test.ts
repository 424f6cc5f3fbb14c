import { describe, expect, it } from "vitest";
import { readSpanTotals } from "./span-totals.ts";

const SPAN = {
  service: "shop",
  name: "GET",
  spanId: "0b",
  traceId: "0c",
  firstUnixMillis: 1,
  lastUnixMillis: 2,
};

describe("readSpanTotals", () => {
  it("reads int64 that is text", () => {
    const totals = readSpanTotals({
      total: "9000000000",
      spanTotal: "7",
      spanCount: 3,
      names: [{ service: "shop", name: "GET", spanCount: 2, total: "7" }],
      spans: [{ ...SPAN, total: "7", traceUrl: "https://t.example.com/0c" }],
    });

    expect(totals).toEqual({
      total: 9e9,
      spanTotal: 7,
      spanCount: 3,
      names: [{ service: "shop", name: "GET", spanCount: 2, total: 7 }],
      spans: [
        {
          service: "shop",
          name: "GET",
          spanId: "0b",
          traceId: "0c",
          firstMs: 1,
          lastMs: 2,
          total: 7,
          traceUrl: "https://t.example.com/0c",
        },
      ],
    });
  });

  it.for([undefined, "javascript:alert(1)", "//example.com", " data:text/html,x", 5])(
    "links nowhere with %j",
    (traceUrl) => {
      const { spans } = readSpanTotals({ spans: [{ ...SPAN, total: "1", traceUrl }] });

      expect(spans[0]?.traceUrl).toBe("");
    },
  );

  it("says what is wrong with an answer that is none", () => {
    expect(() => readSpanTotals([])).toThrow("an object belongs");
  });
});
