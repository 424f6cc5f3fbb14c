import { ingest, type Labels, otlp, otlpBytes, PUSH, pprof, push, SHOP } from "./wire-payloads.ts";
import type { WireRow } from "./wire-row.ts";

type Limits = NonNullable<WireRow["limits"]>;

interface LabelRow {
  readonly row: string;
  readonly limits?: Limits;
  /** Beside {@link SHOP}; a list stands for all labels. */
  readonly labels: Labels;
  readonly text: (printed: string) => string;
  readonly reason: string;
}

const PROTO = { method: "POST", headers: { "content-type": "application/proto" } };
const CLASSIC: Limits = { disable_label_sanitization: false };
const LONG_NAME = "n".repeat(1025);
const LONG_VALUE = "v".repeat(2049);

/** As Pyroscope prints labels: sorted, values as Go quotes them. */
function print(labels: Labels): string {
  const pairs = Array.isArray(labels)
    ? (labels as readonly (readonly [string, string])[])
    : Object.entries(labels);
  return `{${pairs
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .sort()
    .join(", ")}}`;
}

const labelsOf = (labels: Labels): Labels => (Array.isArray(labels) ? labels : { ...SHOP, ...labels });

const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`label_${String(i).padStart(2, "0")}`, "x"]));

const refusals: readonly LabelRow[] = [
  {
    row: "1.4 #2 31 labels",
    labels: many(29),
    text: (printed) => `profile series '${printed}' has 31 label names; limit 30`,
    reason: "max_label_names_per_series",
  },
  {
    row: "1.4 #3 an empty __name__",
    labels: [
      ["service_name", "shop"],
      ["__name__", ""],
    ],
    text: (printed) => `invalid labels '${printed}' with error: invalid metric name`,
    reason: "invalid_labels",
  },
  {
    row: "1.4 #5 a label name of 1025 bytes",
    labels: { [LONG_NAME]: "x" },
    text: (printed) => `profile with labels '${printed}' has label name too long: '${LONG_NAME}'`,
    reason: "label_name_too_long",
  },
  {
    row: "1.4 #5 a label value of 2049 bytes",
    labels: { pod: LONG_VALUE },
    text: (printed) => `profile with labels '${printed}' has label value too long: '${LONG_VALUE}'`,
    reason: "label_value_too_long",
  },
  {
    row: "1.4 #5 a label without a name",
    labels: { "": "x" },
    text: (printed) => `invalid labels '${printed}' with error: invalid label name ''`,
    reason: "invalid_labels",
  },
  {
    row: "1.4 #5 a label that stands twice",
    labels: [...Object.entries(SHOP), ["env", "a"], ["env", "b"]],
    text: (printed) => `profile with labels '${printed}' has duplicate label name: 'env'`,
    reason: "duplicate_label_names",
  },
  {
    row: "1.4 sanitised names that collide",
    limits: CLASSIC,
    labels: { "a.b": "1", a_b: "2" },
    text: (printed) =>
      `profile with labels '${printed}' has duplicate label name 'a_b' after label name sanitization from 'a.b'`,
    reason: "duplicate_label_names",
  },
  {
    row: "1.4 a name that no sanitising makes classic",
    limits: CLASSIC,
    labels: { "a-b": "1" },
    text: (printed) => `invalid labels '${printed}' with error: invalid label name 'a-b'`,
    reason: "invalid_labels",
  },
];

/** Series that are taken, at the last value that is. */
const accepted: readonly Pick<LabelRow, "row" | "labels" | "limits">[] = [
  { row: "1.4 #2 30 labels", labels: many(28) },
  { row: "1.4 #5 a label name of 1024 bytes", labels: { ["n".repeat(1024)]: "x" } },
  { row: "1.4 #5 a label value of 2048 bytes", labels: { pod: "v".repeat(2048) } },
  { row: "1.4 names with dots, dashes, slashes and other scripts", labels: { "a.b-c/d": "x", größe: "y" } },
  {
    row: "1.4 sanitised names that collide with equal values",
    limits: CLASSIC,
    labels: { "a.b": "1", a_b: "1" },
  },
  { row: "1.4 a service name with a space", labels: { service_name: "my shop" } },
  {
    row: "1.4 labels of the server's own are dropped",
    labels: { __type__: "x", __delta__: "false", __session_id__: "1" },
  },
];

/** Labels of a series over Push. */
const pushed: readonly WireRow[] = [
  ...refusals.map(
    ({ row, limits = {}, labels, text, reason }): WireRow => ({
      row: `${row}: Push`,
      limits,
      call: (s) => push(s, labelsOf(labels), pprof()),
      status: 400,
      code: "invalid_argument",
      text: text(print(labelsOf(labels))),
      reason,
    }),
  ),
  ...accepted.map(
    ({ row, limits = {}, labels }): WireRow => ({
      row: `${row}: Push`,
      limits,
      call: (s) => push(s, labelsOf(labels), pprof()),
      status: 200,
      text: "{}",
    }),
  ),
];

/** The labels of a sample whose value is too long: the whole profile is refused. */
const badGroup = pprof({
  sample: [
    { locationId: [1n], value: [5n] },
    { locationId: [1n], value: [5n], label: [{ key: 5n, str: 6n }] },
  ],
  stringTable: ["", "cpu", "nanoseconds", "main", "work", "key", LONG_VALUE],
});

/** The same over the other two, whose texts have prefixes. */
const others: readonly WireRow[] = [
  {
    row: "1.4 #2 31 labels: /ingest",
    call: (s) =>
      ingest(
        s,
        {
          name: `shop{${Object.keys(many(28))
            .map((name) => `${name}=x`)
            .join(",")}}`,
          format: "pprof",
        },
        pprof(),
      ),
    status: 422,
    code: "unknown",
    text: `pushing IngestInput-pprof failed push series with index 0 and id  failed: invalid_argument: profile series '${print({ ...SHOP, pyroscope_spy: "unknown", ...many(28) })}' has 31 label names; limit 30`,
    reason: "max_label_names_per_series",
  },
  {
    row: "1.4 #5 a label value of 2049 bytes: /ingest of text",
    call: (s) => ingest(s, { name: `shop.cpu{pod=${LONG_VALUE}}`, format: "folded" }, "main 1\n"),
    status: 400,
    code: "invalid_argument",
    text: `profile with labels '${print({ ...SHOP, pyroscope_spy: "unknown", pod: LONG_VALUE })}' has label value too long: '${LONG_VALUE}'`,
    reason: "label_value_too_long",
  },
  {
    row: "1.4 #5 a label value of 2049 bytes: OTLP",
    call: (s) => otlp(s, otlpBytes({ attributes: { pod: LONG_VALUE } })),
    status: 400,
    text: /^failed to make a GRPC request: push series with index 0 and id \S+ failed: invalid_argument: profile with labels '\{.*\}' has label value too long: 'v+'$/,
    reason: "label_value_too_long",
  },
  {
    row: "1.4 #5 a label value of 2049 bytes: OTLP over gRPC",
    call: (s) => s.exportGrpc(otlpBytes({ attributes: { pod: LONG_VALUE } })),
    status: 200,
    code: "invalid_argument",
    // What is too long for a header loses its middle.
    text: /^profile with labels '\{.*\}' has label value too long: 'v+ … v+'$/,
    reason: "label_value_too_long",
  },
  {
    row: "1.4 #5 a label value that is not UTF-8: no message",
    // Series: labels: name "a", value ff.
    call: (s) =>
      s.fetch(`/${PUSH}`, { ...PROTO, body: Buffer.from([0x0a, 8, 0x0a, 6, 0x0a, 1, 0x61, 0x12, 1, 0xff]) }),
    status: 400,
    code: "invalid_argument",
    reason: "malformed_profile",
  },
  {
    row: "1.3.3 an attribute named service_name",
    call: (s) => otlp(s, otlpBytes({ attributes: { service_name: "other" } })),
    status: 400,
    text: /has duplicate label name: 'service_name'$/,
    reason: "duplicate_label_names",
  },
  {
    row: "1.5 one bad label of a sample refuses the whole profile",
    call: (s) => push(s, SHOP, badGroup),
    status: 400,
    code: "invalid_argument",
    text: `profile with labels '${print({ ...SHOP, key: LONG_VALUE })}' has label value too long: '${LONG_VALUE}'`,
    reason: "label_value_too_long",
  },
];

const rules = (...list: readonly object[]) => ({ ingestion_relabeling_rules: list });

/** Rules of a tenant. */
const relabeled: readonly WireRow[] = [
  {
    row: "1.5 a rule drops a profile: 200, and counted",
    limits: rules({ source_labels: ["service_name"], regex: "shop", action: "drop" }),
    call: (s) => push(s, SHOP, pprof()),
    status: 200,
    text: "{}",
    reason: "dropped_by_relabel_rules",
  },
  {
    row: "1.5 a rule sees the labels of samples, and what it leaves is checked",
    limits: rules({ source_labels: ["key"], target_label: "key", replacement: "short" }),
    call: (s) => push(s, SHOP, badGroup),
    status: 200,
    text: "{}",
  },
  {
    row: "1.4 #1 a rule that takes all labels away",
    limits: rules({ regex: ".*", action: "labeldrop" }),
    call: (s) => push(s, SHOP, pprof()),
    status: 400,
    code: "invalid_argument",
    text: "error at least one label pair is required per profile",
    reason: "missing_labels",
  },
  {
    row: "1.4 #4 a rule that takes the name of the service away",
    limits: rules({ regex: "service_name", action: "labeldrop" }),
    call: (s) => push(s, SHOP, pprof()),
    status: 400,
    code: "invalid_argument",
    text: `invalid labels '{__name__="process_cpu"}' with error: service name is not provided`,
    reason: "missing_labels",
  },
  {
    row: "1.5 a rule that takes the name of the profile away",
    limits: rules({ regex: "__name__", action: "labeldrop" }),
    call: (s) => push(s, SHOP, pprof()),
    status: 400,
    code: "invalid_argument",
    text: `invalid labels '{service_name="shop"}' with error: invalid metric name`,
    reason: "invalid_labels",
  },
];

/** What labels a series may have. Its first and fourth entry take a rule: the service is always named before. */
export const labelRows: readonly WireRow[] = [...pushed, ...others, ...relabeled];
