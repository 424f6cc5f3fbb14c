import { describe, expect, it } from "vitest";
import { formatViewState, isHistoryStep, parseViewState, type ViewState } from "./url-state.ts";

const EVERYTHING: ViewState = {
  page: "spans",
  query: '{service_name="a&b",env=~"p.*"}',
  type: "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
  from: "now-2h",
  until: "1700000000000",
  refreshSeconds: 30,
  groupBy: "pod",
  pane: "table",
  search: "/^a b+c/",
  path: "k1.k2",
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  functionName: "Shop.price#1",
  lines: true,
  sort: "name",
  palette: "blue-orange",
  norm: "absolute",
  changes: "new",
  measure: "total",
  leftQuery: '{env="prod"}',
  leftFrom: "now-1d",
  leftUntil: "now-23h",
  rightQuery: '{env="dev"}',
  rightFrom: "now-1h",
  rightUntil: "now",
};

describe("parseViewState", () => {
  it("reads back every field that formatViewState writes", () => {
    expect(parseViewState(formatViewState(EVERYTHING))).toEqual(EVERYTHING);
  });

  it("shows the overview of the last hour without parameters", () => {
    expect(parseViewState("")).toMatchObject({
      page: "overview",
      from: "now-1h",
      until: "now",
      pane: "both",
    });
  });

  it.for([
    ["?page=admin", "page", "overview"],
    ["?norm=percent", "norm", "share"],
    ["?refresh=-1", "refreshSeconds", 0],
    ["?refresh=99999", "refreshSeconds", 0],
    [`?q=${"x".repeat(4097)}`, "query", ""],
    ["?unknown=1", "page", "overview"],
  ] as const)("falls back for a value it does not know: %s", ([search, field, expected]) => {
    expect(parseViewState(search)[field]).toBe(expected);
  });

  it.for(["?trace_id=4bf92f3577b34da6a3ce929d0e0e4736", "?page=flame&span_id=00f067aa0ba902b7"])(
    "shows spans for a link of a tracing program, whatever page it names: %s",
    (search) => {
      expect(parseViewState(search).page).toBe("spans");
    },
  );

  it("takes text of 4,096 characters", () => {
    expect(parseViewState(`?s=${"x".repeat(4096)}`).search).toHaveLength(4096);
  });
});

describe("formatViewState", () => {
  it("leaves out what stands at its fallback", () => {
    expect(formatViewState(parseViewState(""))).toBe("?");
    expect(formatViewState({ ...parseViewState(""), page: "flame" })).toBe("?page=flame");
  });
});

describe("isHistoryStep", () => {
  const before = parseViewState("");

  it("makes a step of focus, range and page", () => {
    expect(isHistoryStep(before, { ...before, path: "a" })).toBe(true);
    expect(isHistoryStep(before, { ...before, from: "now-2h" })).toBe(true);
    expect(isHistoryStep(before, { ...before, page: "diff" })).toBe(true);
  });

  it("makes none of typing and sorting", () => {
    expect(isHistoryStep(before, { ...before, search: "a", sort: "name" })).toBe(false);
  });
});
