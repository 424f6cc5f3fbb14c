import { describe, expect, it } from "vitest";
import { LabelSets } from "./label-set.ts";
import { addLabels, takeContext, toContext, toRecord, withSpan } from "./sample-context.ts";

const sets = new LabelSets({ maxValues: 2, maxSets: 9, maxLabels: 9 }, () => undefined);
const empty = toContext(sets.empty);
const span = { traceId: undefined, spanId: "b7ad6b7169203331", name: undefined, endTimeMs: undefined };

describe("addLabels", () => {
  it("keeps ids as they are, however many", () => {
    const seen = Array.from({ length: 100 }, (_, i) =>
      toRecord(addLabels(sets, empty, { route: "/a", trace_id: `trace ${i}`, span_id: i })),
    );

    expect(seen[99]).toEqual({ route: "/a", trace_id: "trace 99", span_id: "99" });
    expect(new Set(seen.map(({ trace_id }) => trace_id)).size).toBe(100);
  });

  it("makes no label set of ids", () => {
    const { labels } = addLabels(sets, empty, { trace_id: "x", span_id: "y" });

    expect(labels).toBe(sets.empty);
  });

  it("adds ids to those that are there", () => {
    const outer = addLabels(sets, empty, { trace_id: "x" });

    expect(toRecord(addLabels(sets, outer, { span_id: "y" }))).toEqual({ trace_id: "x", span_id: "y" });
    expect(toRecord(addLabels(sets, outer, { route: "/a" }))).toEqual({ trace_id: "x", route: "/a" });
  });

  it("ignores ids without a value", () => {
    expect(addLabels(sets, empty, { trace_id: undefined, span_id: "" }).ids).toBeUndefined();
  });

  it("keeps the span", () => {
    expect(addLabels(sets, withSpan(empty, span), { route: "/a" }).span).toBe(span);
  });
});

describe("takeContext", () => {
  it("leaves out a span that has ended, and one that throws", () => {
    const active = withSpan(empty, span);
    const broken = {
      ...span,
      get endTimeMs(): never {
        throw new Error("not mine");
      },
    };

    expect(takeContext(active)).toBe(active);
    expect(takeContext(withSpan(empty, { ...span, endTimeMs: 5 }))?.span).toBeUndefined();
    expect(takeContext(withSpan(empty, broken))?.span).toBeUndefined();
    expect([takeContext(empty), takeContext(undefined)]).toEqual([empty, undefined]);
  });
});

describe("toRecord", () => {
  it("leaves out the ids of spans", () => {
    expect(toRecord(withSpan(addLabels(sets, empty, { route: "/a" }), span))).toEqual({ route: "/a" });
  });
});
