import { gzipSync } from "node:zlib";
import { query, RANGE, SELECTION, TYPE } from "./query-request.ts";
import { ingest, NOW_MS, otlp, otlpBytes, PUSH, pprof, push, pushMessage, SHOP } from "./wire-payloads.ts";
import type { WireAnswer, WireRow, WireServer } from "./wire-row.ts";

/** What is there of a label once something was sent. */
function valuesOf(name: string, ...values: readonly string[]) {
  return {
    call: query("LabelValues", { ...RANGE, name }),
    status: 200,
    text: values.length === 0 ? "{}" : JSON.stringify({ names: values }),
  };
}

/** The flame graph of what was sent. */
function graphOf(text: RegExp) {
  return { call: query("SelectMergeStacktraces", SELECTION), status: 200, text };
}

const folded = (parameters: Readonly<Record<string, string>>, text = "main 3\n") => {
  const query = { format: "folded", from: String(NOW_MS), ...parameters };
  return (s: WireServer): Promise<WireAnswer> => ingest(s, query, text);
};

/** A form with a plain field: no file. */
function fieldForm(name: string, content: Uint8Array<ArrayBuffer>): FormData {
  const body = new FormData();
  body.append(name, new Blob([content]), name);
  return body;
}

/** The end of a name of an application, and what its text becomes. */
const TEXT_TYPES = [
  ["cpu", TYPE],
  ["itimer", TYPE],
  ["wall", "wall:wall:nanoseconds:cpu:nanoseconds"],
  ["inuse_objects", "memory:inuse_objects:count::"],
  ["alloc_space", "memory:alloc_space:bytes::"],
  ["bytes", "memory:samples:bytes::"],
  ["goroutines", "goroutine:goroutines:count::"],
  ["mutex_count", "mutex:contentions:count::"],
  ["mutex_duration", "mutex:delay:nanoseconds::"],
  ["lock_count", "block:contentions:count::"],
  ["block_duration", "block:delay:nanoseconds::"],
  ["alloc_in_new_tlab_bytes", "memory:alloc_in_new_tlab_bytes:bytes::"],
  ["live", "memory:live:count::"],
  ["exceptions", "exceptions:samples:count::"],
] as const;

/** What is stored of what is accepted: seen by the queries behind it. */
export const keptRows: readonly WireRow[] = [
  {
    row: "1.0 a service without a name is unknown_service",
    before: (s) => push(s, { __name__: "process_cpu" }, pprof()),
    ...valuesOf("service_name", "unknown_service"),
  },
  {
    row: "1.1.1 a sample rate that is no number is 100",
    before: folded({ name: "shop.cpu", sampleRate: "x" }),
    ...graphOf(/"total":"30000000"/),
  },
  {
    row: "1.1.1 a sample rate",
    before: folded({ name: "shop.cpu", sampleRate: "1000" }),
    ...graphOf(/"total":"3000000"/),
  },
  {
    row: "1.1.1 units and aggregation change nothing",
    before: folded({ name: "shop.cpu", units: "bytes", aggregationType: "average" }),
    ...graphOf(/"total":"30000000"/),
  },
  {
    row: "1.1.1 the name of the spy is a label",
    before: folded({ name: "shop.cpu", spyName: "nodespy" }),
    ...valuesOf("pyroscope_spy", "nodespy"),
  },
  {
    row: "1.1.4 a form under format=pprof",
    before: (s) => ingest(s, { name: "shop", format: "pprof" }, fieldForm("profile", pprof())),
    ...graphOf(/"total":"5"/),
  },
  {
    row: "1.1.4 a gzipped pprof without a format",
    before: (s) => ingest(s, { name: "shop" }, new Uint8Array(gzipSync(pprof()))),
    ...graphOf(/"total":"5"/),
  },
  {
    row: "1.1.5 the app is lost to a label service_name",
    before: (s) => ingest(s, { name: "shop{service_name=other}", format: "pprof" }, pprof()),
    ...valuesOf("service_name", "other"),
  },
  {
    row: "1.1.5 no end of a name is cut off",
    before: (s) => ingest(s, { name: "my.app.cpu", format: "pprof" }, pprof()),
    ...valuesOf("service_name", "my.app.cpu"),
  },
  {
    row: "1.1.5 a time in 1970 is from",
    before: (s) =>
      ingest(
        s,
        { name: "shop", format: "pprof", from: String(NOW_MS) },
        pprof({ timeNanos: 1_700_000_000n }),
      ),
    ...graphOf(/"total":"5"/),
  },
  ...TEXT_TYPES.map(
    ([end, type]): WireRow => ({
      row: `1.1.6 a text of ${end}`,
      before: folded({ name: `shop.${end}` }),
      ...valuesOf("__profile_type__", type),
    }),
  ),
  {
    row: "1.1.6 a text of samples where the rate is 0",
    before: folded({ name: "shop.cpu", sampleRate: "0" }),
    ...valuesOf("__profile_type__", "process_cpu:samples:count::"),
  },
  {
    row: "1.1.6 a text beside a label service_name: app_name",
    before: folded({ name: "shop.cpu{service_name=other}" }),
    ...valuesOf("app_name", "shop"),
  },
  {
    row: "1.1.6 a profile with a profile_id is dropped",
    before: folded({ name: "shop.cpu{profile_id=1}" }),
    ...valuesOf("service_name"),
  },
  {
    row: "1.1.6 an empty profile_id is none",
    before: folded({ name: "shop.cpu{profile_id=}" }),
    ...valuesOf("service_name", "shop"),
  },
  {
    row: "1.2 labels with __ that the server does not know are kept",
    before: (s) => push(s, { ...SHOP, __custom__: "x" }, pprof()),
    ...valuesOf("__custom__", "x"),
  },
  {
    row: "1.2 __delta__ and __session_id__ are not stored",
    before: (s) => push(s, { ...SHOP, __delta__: "false", __session_id__: "0123456789abcdef" }, pprof()),
    ...valuesOf("__session_id__"),
  },
  {
    row: "1.2 of two samples the one that can be read is stored",
    before: async (s) => ({ ...(await push(s, SHOP, pprof(), Buffer.from("no pprof"))), status: 200 }),
    ...graphOf(/"total":"5"/),
    reason: "malformed_profile",
  },
  {
    row: "1.2 annotations of a client are ignored",
    before: (s) => {
      const { series } = pushMessage(SHOP, pprof()) as { series: readonly object[] };
      const annotations = [{ key: "a", value: "b" }];
      return s.call(PUSH, { series: series.map((one) => ({ ...one, annotations })) });
    },
    ...graphOf(/"total":"5"/),
  },
  {
    row: "1.3.3 samples of CPU count periods",
    before: (s) => otlp(s, otlpBytes()),
    ...graphOf(/"total":"10"/),
  },
  {
    row: "1.3.3 a service without a name has that of its executable",
    before: (s) =>
      otlp(s, otlpBytes({ attributes: { "service.name": "", "process.executable.name": "node" } })),
    ...valuesOf("service_name", "unknown_service:node"),
  },
  {
    row: "1.3.3 attributes of a resource keep their names",
    before: (s) => otlp(s, otlpBytes({ attributes: { "host.name": "a", empty: "" } })),
    ...valuesOf("host.name", "a"),
  },
  {
    row: "1.3.3 an empty attribute is none",
    before: (s) => otlp(s, otlpBytes({ attributes: { empty: "" } })),
    ...valuesOf("empty"),
  },
  {
    row: "1.4 dots become underscores where that is wanted",
    limits: { disable_label_sanitization: false },
    before: (s) => push(s, { ...SHOP, "a.b": "1" }, pprof()),
    ...valuesOf("a_b", "1"),
  },
  {
    row: "1.5 a label of a sample does not override one of its series",
    before: (s) =>
      push(
        s,
        { ...SHOP, key: "series" },
        pprof({ sample: [{ locationId: [1n], value: [5n], label: [{ key: 5n, str: 6n }] }] }),
      ),
    ...valuesOf("key", "series"),
  },
  {
    row: "1.5 a label of a sample is one of a series",
    before: (s) =>
      push(s, SHOP, pprof({ sample: [{ locationId: [1n], value: [5n], label: [{ key: 5n, str: 6n }] }] })),
    ...valuesOf("key", "text"),
  },
  {
    row: "1.5 numbers at a sample are dropped",
    before: (s) =>
      push(s, SHOP, pprof({ sample: [{ locationId: [1n], value: [5n], label: [{ key: 5n, num: 6n }] }] })),
    ...valuesOf("key"),
  },
  ...["span_id", "profile_id", "trace_id"].map(
    (name): WireRow => ({
      row: `1.5 ${name} is no label of a series`,
      before: (s) =>
        push(
          s,
          SHOP,
          pprof({
            sample: [{ locationId: [1n], value: [5n], label: [{ key: 5n, str: 6n }] }],
            stringTable: ["", "cpu", "nanoseconds", "main", "work", name, "0123456789abcdef"],
          }),
        ),
      ...valuesOf(name),
    }),
  ),
  {
    row: "1.5 names of Go's differences",
    before: (s) => push(s, { ...SHOP, __name__: "godeltaprof_process_cpu" }, pprof()),
    ...valuesOf("__name_replaced__", "godeltaprof_process_cpu"),
  },
];
