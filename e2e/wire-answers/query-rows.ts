import { ok, pushShop, query, RANGE, refused, SELECTION, TYPE } from "./query-request.ts";
import { NOW_MS } from "./wire-payloads.ts";
import type { WireRow } from "./wire-row.ts";

const HOUR_MS = 3_600_000;

const bySelection = (method: string, more: object = {}) =>
  [method, (change: object) => ({ ...SELECTION, ...more, ...change })] as const;
const byRange = (method: string, more: object = {}) =>
  [method, (change: object) => ({ ...RANGE, ...more, ...change })] as const;

/** Every method with a range, as a message with some fields replaced. */
const ranged = [
  byRange("ProfileTypes"),
  byRange("LabelNames"),
  byRange("LabelValues", { name: "service_name" }),
  byRange("Series"),
  bySelection("SelectMergeStacktraces"),
  bySelection("SelectMergeSpanProfile"),
  bySelection("SelectMergeProfile"),
  bySelection("SelectSeries", { step: 15 }),
  bySelection("SelectHeatmap", { step: 15, queryType: "HEATMAP_QUERY_TYPE_INDIVIDUAL" }),
  ["Diff", (change: object) => ({ left: { ...SELECTION, ...change }, right: SELECTION })],
  byRange("AnalyzeQuery", { query: `${TYPE}{}` }),
] as const;
/** Those that ask for a profile type and a selector. */
const selected = ranged.filter(
  ([method]) => !["ProfileTypes", "LabelNames", "LabelValues", "Series", "AnalyzeQuery"].includes(method),
);
/** SelectHeatmap looks at the order of its times first. */
const isOrderedFirst = (method: string) => method === "SelectHeatmap";

const rangeRows: readonly WireRow[] = ranged.flatMap(([method, make]): WireRow[] => [
  {
    row: `3.0 no start: ${method}`,
    call: query(method, make({ start: 0 })),
    ...refused("missing time range in the query"),
  },
  {
    row: `3.0 no end: ${method}`,
    call: query(method, make({ end: 0 })),
    ...refused(
      isOrderedFirst(method)
        ? /^start time must be before end time, got start=\d+ end=0$/
        : "missing time range in the query",
    ),
  },
  {
    row: `3.0 start after end: ${method}`,
    call: query(method, make({ start: RANGE.end + 1 })),
    ...refused(
      isOrderedFirst(method) ? /^start time must be before end time, / : "query start time is after end time",
    ),
  },
  {
    row: `3.0 longer than max_query_length: ${method}`,
    limits: { max_query_length: "1d" },
    call: query(method, make({ start: RANGE.end - 48 * HOUR_MS })),
    ...refused("the query time range exceeds the limit (max_query_length, actual: 48h0m0s, limit: 1d)"),
  },
  {
    row: `3.0 before max_query_lookback: ${method}`,
    limits: { max_query_lookback: "1h" },
    before: pushShop,
    call: query(method, { ...make({ start: NOW_MS - 3 * HOUR_MS, end: NOW_MS - 2 * HOUR_MS }) }),
    ...ok(),
  },
  {
    row: `3.0 no tenant: ${method}`,
    call: query(method, make({}), { "x-scope-orgid": "" }),
    status: 401,
    code: "unauthenticated",
    text: "no org id",
  },
]);

const selectionRows: readonly WireRow[] = selected.flatMap(([method, make]): WireRow[] => [
  {
    row: `3.0 no selector: ${method}`,
    call: query(method, make({ labelSelector: "" })),
    ...refused(/^parsing label selector "": /),
  },
  {
    row: `3.0 a selector that is none: ${method}`,
    call: query(method, make({ labelSelector: "{a=b}" })),
    ...refused(/^parsing label selector "\{a=b\}": /),
  },
  {
    row: `2.1 a profile type of two parts: ${method}`,
    call: query(method, make({ profileTypeID: "a:b" })),
    ...refused(
      'profile-type selection must be of the form <name>:<sample-type>:<sample-unit>:<period-type>:<period-unit>(:delta), got(2): "a:b"',
    ),
  },
  {
    row: `2.1 a profile type of six parts: ${method}`,
    call: query(method, make({ profileTypeID: `${TYPE}:delta` })),
    ...ok(),
  },
  {
    row: `2.1 a profile type that nothing has: ${method}`,
    call: query(method, make({ profileTypeID: "a:b:c:d:e" })),
    ...ok(),
  },
]);

/** Limits of the nodes of a flame graph. */
const nodeRows: readonly WireRow[] = (
  ["SelectMergeStacktraces", "SelectMergeSpanProfile", "Diff"] as const
).flatMap((method): WireRow[] => {
  const make = (maxNodes: number) =>
    method === "Diff" ? { left: { ...SELECTION, maxNodes }, right: SELECTION } : { ...SELECTION, maxNodes };
  return [
    {
      row: `3.5 too many nodes: ${method}`,
      call: query(method, make(1_048_577)),
      ...refused("max flamegraph nodes limit 1048577 is greater than allowed 1048576"),
    },
    {
      row: `3.5 a negative number of nodes: ${method}`,
      call: query(method, make(-1)),
      ...refused("max flamegraph nodes limit must be set (max allowed 1048576)"),
    },
    { row: `3.5 as many nodes as may be: ${method}`, call: query(method, make(1_048_576)), ...ok() },
  ];
});

const SPAN = { spanSelector: ["0000000000000001"] };
const TRACE = { traceIdSelector: ["00000000000000000000000000000001"] };
const EMPTY_GRAPH = '{"flamegraph":{"names":["total"], "levels":[{"values":["0", "0", "0", "0"]}]}}';
const asJson = (text: string) => JSON.stringify(JSON.parse(text));
/** `querier.v1`: what holds for all methods, labels and stacks. */
export const queryRows: readonly WireRow[] = [
  ...rangeRows,
  ...selectionRows,
  ...nodeRows,
  // What holds for all.
  {
    row: "3.0 an empty selector of a list",
    call: query("Series", { ...RANGE, matchers: [""] }),
    ...refused(/^parsing label selector "": /),
  },
  {
    row: "3.0 a name that must be quoted",
    before: pushShop,
    call: query("LabelValues", { ...RANGE, name: "env", matchers: ['{"otel.scope.name"="sdk"}'] }),
    ...ok('{"names":["prod"]}'),
  },
  {
    row: "3.0 the empty value is a label that is missing",
    before: pushShop,
    call: query("LabelValues", { ...RANGE, name: "env", matchers: ['{pod=""}'] }),
    ...ok('{"names":["prod"]}'),
  },
  {
    row: "3.0 selectors of a list hold together",
    before: pushShop,
    call: query("LabelValues", { ...RANGE, name: "env", matchers: ['{env="prod"}', '{env="test"}'] }),
    ...ok("{}"),
  },
  {
    row: "3.0 regular expressions are anchored",
    before: pushShop,
    call: query("LabelValues", { ...RANGE, name: "env", matchers: ['{env=~"pro"}'] }),
    ...ok("{}"),
  },
  {
    row: "3.0 start is drawn up to the lookback before the length is measured",
    limits: { max_query_length: "2h", max_query_lookback: "1h" },
    call: query("LabelNames", { start: NOW_MS - 48 * HOUR_MS, end: NOW_MS }),
    ...ok("{}"),
  },
  { row: "3.0 negative times", call: query("LabelNames", { start: -5, end: -1 }), ...ok("{}") },
  {
    row: "3.0 a range of several tenants",
    call: query("LabelNames", RANGE, { "x-scope-orgid": "nobody|nothing" }),
    ...ok("{}"),
  },
  {
    row: "0.3 numbers in texts, and fields by their names in the message",
    before: pushShop,
    call: query("SelectMergeStacktraces", {
      ...{ start: String(RANGE.start), end: String(RANGE.end) },
      ...{ profile_typeID: TYPE, label_selector: "{}", max_nodes: "16" },
    }),
    ...ok(/"total":"5"/),
  },
  {
    row: "0.3 a time that is a word",
    call: query("LabelNames", { ...RANGE, start: "now" }),
    status: 400,
    code: "invalid_argument",
  },
  {
    row: "2.1 no profile type",
    call: query("SelectMergeStacktraces", { ...SELECTION, profileTypeID: "" }),
    ...refused(/^profile-type selection must be of the form .*, got\(1\): ""$/),
  },
  {
    row: "3.0 a tenant that is named twice counts once",
    before: pushShop,
    call: async (s) => {
      const headers = { "x-scope-orgid": `${s.tenant}|${s.tenant}` };
      return await query("SelectMergeStacktraces", SELECTION, headers)(s);
    },
    ...ok(/"total":"5"/),
  },
  // By method.
  {
    row: "3.2 ProfileTypes without a range: the last hour",
    before: pushShop,
    call: query("ProfileTypes", {}),
    ...ok(new RegExp(`"ID":"${TYPE}"`)),
  },
  {
    row: "3.3 LabelValues without a name",
    call: query("LabelValues", RANGE),
    ...refused("name is required"),
  },
  {
    row: "3.3 LabelValues without a name and a range: the range first",
    call: query("LabelValues", {}),
    ...refused("missing time range in the query"),
  },
  {
    row: "3.3 LabelValues of the server's own names",
    before: pushShop,
    call: query("LabelValues", { ...RANGE, name: "__profile_type__" }),
    ...ok(`{"names":["${TYPE}"]}`),
  },
  {
    row: "3.2 ProfileTypes with a start alone",
    call: query("ProfileTypes", { start: RANGE.start }),
    ...refused("missing time range in the query"),
  },
  {
    row: "3.4 Series as the page of services asks",
    before: pushShop,
    call: query("Series", { ...RANGE, labelNames: ["service_name", "__profile_type__"] }),
    ...ok(
      `{"labelsSet":[{"labels":[{"name":"__profile_type__","value":"${TYPE}"},{"name":"service_name","value":"shop"}]}]}`,
    ),
  },
  {
    row: "3.4 LabelNames leaves out names that are not classic",
    before: pushShop,
    call: query("LabelNames", RANGE),
    ...ok(
      '{"names":["__name__","__period_type__","__period_unit__","__profile_type__","__service_name__","__type__","__unit__","env","service_name"]}',
    ),
  },
  {
    row: "3.4 LabelNames for a client that takes them",
    before: pushShop,
    call: query("LabelNames", RANGE, { accept: "*/*; allow-utf8-labelnames=true" }),
    ...ok(/"otel\.scope\.name"/),
  },
  {
    row: "3.4 a malformed Accept header",
    call: query("LabelNames", RANGE, { accept: "*/*; ===" }),
    ...refused(/^Invalid header format:/),
  },
  {
    row: "3.4 Series of names that are not classic: every label",
    before: pushShop,
    call: query("Series", { ...RANGE, labelNames: ["otel.scope.name"] }),
    ...ok(/"env"/),
  },
  {
    row: "3.5 nothing found: a root",
    call: query("SelectMergeStacktraces", SELECTION),
    ...ok(asJson(EMPTY_GRAPH)),
  },
  {
    row: "3.5 nothing found: no tree",
    call: query("SelectMergeStacktraces", { ...SELECTION, format: "PROFILE_FORMAT_TREE" }),
    ...ok("{}"),
  },
  {
    row: "3.5 nothing found: an empty pprof",
    call: query("SelectMergeStacktraces", { ...SELECTION, format: "PROFILE_FORMAT_PPROF" }),
    ...ok('{"pprof":{"profile":{}}}'),
  },
  {
    row: "3.5 spans and traces at once",
    call: query("SelectMergeStacktraces", { ...SELECTION, ...SPAN, ...TRACE }),
    ...refused("span_selector and trace_id_selector cannot be combined"),
  },
  {
    row: "3.5 a span that is too short",
    call: query("SelectMergeStacktraces", { ...SELECTION, spanSelector: ["abc"] }),
    ...refused('invalid span id length: "abc"'),
  },
  {
    row: "3.5 a trace that is too short",
    call: query("SelectMergeStacktraces", { ...SELECTION, traceIdSelector: ["abc"] }),
    ...refused('invalid trace id length: "abc"'),
  },
  {
    row: "3.5 a profile id that is none",
    call: query("SelectMergeStacktraces", { ...SELECTION, profileIdSelector: ["abc"] }),
    status: 400,
    code: "invalid_argument",
  },
  {
    row: "3.5 async is answered at once",
    before: pushShop,
    call: query("SelectMergeStacktraces", { ...SELECTION, async: { type: "ASYNC_QUERY_TYPE_FORCE" } }),
    ...ok(/"total":"5"/),
  },
  {
    row: "3.6 a span that is too short",
    call: query("SelectMergeSpanProfile", { ...SELECTION, spanSelector: ["abc"] }),
    ...refused('invalid span id length: "abc"'),
  },
  {
    row: "3.6 any format but a tree is a flame graph",
    before: pushShop,
    call: query("SelectMergeSpanProfile", { ...SELECTION, format: "PROFILE_FORMAT_PPROF" }),
    ...ok(/^\{"flamegraph":\{"names":\["total","main"\]/),
  },
  {
    row: "3.6 a tree",
    before: pushShop,
    call: query("SelectMergeSpanProfile", { ...SELECTION, format: "PROFILE_FORMAT_TREE" }),
    // A root without a name; main, 5, without callees.
    ...ok(`{"tree":"${Buffer.from([0, 0, 1, 4, ...Buffer.from("main"), 5, 0]).toString("base64")}"}`),
  },
  {
    row: "3.7 one type, and what it says of itself",
    before: pushShop,
    call: query("SelectMergeProfile", SELECTION),
    ...ok(new RegExp(`"timeNanos":"${RANGE.end}000000".*"period":"1000000000"`)),
  },
  { row: "3.7 nothing found: an empty message", call: query("SelectMergeProfile", SELECTION), ...ok("{}") },
];
