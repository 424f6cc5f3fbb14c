import { ingest, NOW_MS, pprof, push, SHOP, STRINGS } from "./wire-payloads.ts";
import type { WireRow } from "./wire-row.ts";

interface ProfileRow {
  readonly row: string;
  readonly limits?: NonNullable<WireRow["limits"]>;
  readonly payload: Uint8Array<ArrayBuffer>;
  /** `labels` as they are printed. */
  readonly text: (labels: string) => string | RegExp;
  readonly reason?: string;
  /** It is refused before its sample types are known, which name it on `/ingest`. */
  readonly isUnnamed?: boolean;
}

const withType = (type: string) => pprof({ stringTable: ["", type, ...STRINGS.slice(2)] });
const at = (unixMillis: number) => pprof({ timeNanos: BigInt(unixMillis) * 1_000_000n });
const ISO = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z";
const outside = (window: string) => (labels: string) =>
  new RegExp(
    `^profile with labels '${labels.replace(/[{}]/g, "\\$&")}' is outside of ingestion window \\(profile timestamp: ${ISO}, the ingestion window ${window}\\)$`,
  );
/** Bytes of a field of a pprof behind a good one. */
const withField = (...bytes: readonly number[]) => new Uint8Array([...pprof(), ...bytes]);
const OUT = 99n;

const rows: readonly ProfileRow[] = [
  {
    row: "4.3 #2 no sample types",
    payload: pprof({ sampleType: [], sample: [] }),
    text: () => "empty profile",
  },
  {
    row: "4.3 #3 too old",
    payload: at(NOW_MS - 7_200_000),
    text: outside(`starts at ${ISO} and ends at ${ISO}`),
    reason: "not_in_ingestion_window",
  },
  {
    row: "4.3 #3 too new",
    payload: at(NOW_MS + 7_200_000),
    text: outside(`starts at ${ISO} and ends at ${ISO}`),
    reason: "not_in_ingestion_window",
  },
  {
    row: "4.3 #3 a window without an end",
    limits: { reject_newer_than: "0" },
    payload: at(NOW_MS - 7_200_000),
    text: outside(`starts at ${ISO}`),
    reason: "not_in_ingestion_window",
  },
  {
    row: "4.3 #3 a window without a start",
    limits: { reject_older_than: "0" },
    payload: at(NOW_MS + 7_200_000),
    text: outside(`ends at ${ISO}`),
    reason: "not_in_ingestion_window",
  },
  {
    row: "4.3 #5 more samples than max_profile_stacktrace_samples",
    limits: { max_profile_stacktrace_samples: 1 },
    payload: pprof({
      sample: [
        { locationId: [1n], value: [5n] },
        { locationId: [], value: [5n] },
      ],
    }),
    text: (labels) =>
      `the profile with labels '${labels}' exceeds the samples count limit (max_profile_stacktrace_samples, actual: 2, limit: 1)`,
    reason: "samples_limit",
    isUnnamed: true,
  },
  {
    row: "4.3 #7 more labels of a sample than max_profile_stacktrace_sample_labels",
    limits: { max_profile_stacktrace_sample_labels: 1 },
    payload: pprof({
      sample: [
        {
          locationId: [1n],
          value: [5n],
          label: [
            { key: 5n, str: 6n },
            { key: 3n, str: 4n },
          ],
        },
      ],
    }),
    text: (labels) =>
      `the profile with labels '${labels}' exceeds the sample labels limit (max_profile_stacktrace_sample_labels, actual: 2, limit: 1)`,
    reason: "sample_labels_limit",
    isUnnamed: true,
  },
  {
    row: "4.3 #9 a location with id 0",
    payload: pprof({ location: [{ id: 0n }] }),
    text: () => "location id is 0",
  },
  {
    row: "4.3 #9 a function with id 0",
    payload: pprof({ function: [{ id: 0n }] }),
    text: () => "function id is 0",
  },
  {
    row: "4.3 #9 fewer values than sample types",
    payload: pprof({ sample: [{ locationId: [1n], value: [] }] }),
    text: () => "sample value length mismatch",
  },
  {
    row: "4.3 #10 no strings",
    payload: pprof({ stringTable: [] }),
    text: () => "string 0 should be empty string",
  },
  {
    row: "4.3 #10 a first string that is not empty",
    payload: pprof({ stringTable: ["x", ...STRINGS.slice(1)] }),
    text: () => "string 0 should be empty string",
  },
  {
    row: "4.3 #10 sample type",
    payload: pprof({ sampleType: [{ type: OUT, unit: 2n }] }),
    text: () => "sample type type string index out of range",
  },
  {
    row: "4.3 #10 sample label",
    payload: pprof({ sample: [{ locationId: [1n], value: [5n], label: [{ key: OUT, str: 6n }] }] }),
    text: () => "sample label string index out of range",
  },
  {
    row: "4.3 #10 function name",
    payload: pprof({ function: [{ id: 1n, name: OUT }] }),
    text: () => "function name string index out of range",
  },
  {
    row: "4.3 #10 system name",
    payload: pprof({ function: [{ id: 1n, systemName: OUT }] }),
    text: () => "function system name index string out of range",
  },
  {
    row: "4.3 #10 file of a function",
    payload: pprof({ function: [{ id: 1n, filename: OUT }] }),
    text: () => "function file name string index out of range",
  },
  {
    row: "4.3 #10 file of a mapping",
    payload: pprof({ mapping: [{ id: 1n, filename: OUT }] }),
    text: () => "mapping file name string index out of range",
  },
  {
    row: "4.3 #10 build id of a mapping",
    payload: pprof({ mapping: [{ id: 1n, buildId: OUT }] }),
    text: () => "mapping build id string index out of range",
  },
  { row: "4.3 #11 a dash in a sample type", payload: withType("c-pu"), text: () => "sample type contains -" },
  {
    row: "4.3 #12 a string that is not UTF-8",
    payload: withField(0x32, 0x02, 0xc3, 0x28),
    text: () => "invalid utf8 string hex: c328",
  },
];

const PUSH_LABELS = '{__name__="process_cpu", service_name="shop"}';
const INGEST_LABELS = '{__name__="process_cpu", pyroscope_spy="unknown", service_name="shop"}';
/** What of the labels is known before a pprof was read. */
const UNREAD_LABELS = '{pyroscope_spy="unknown", service_name="shop"}';

const PUSHING =
  "pushing IngestInput-pprof failed push series with index 0 and id  failed: invalid_argument: ";

function behind(prefix: string, text: string | RegExp): string | RegExp {
  return typeof text === "string" ? `${prefix}${text}` : new RegExp(`^${prefix}${text.source.slice(1)}`);
}

/** What is kept with less than was sent: cut, or moved to now. */
const kept: readonly WireRow[] = [
  {
    row: "4.3 #3 a time of 0 is now",
    call: (s) => push(s, SHOP, pprof({ timeNanos: 0n })),
    status: 200,
    text: "{}",
  },
  {
    row: "4.3 #3 a negative time is now",
    call: (s) => push(s, SHOP, pprof({ timeNanos: -1n })),
    status: 200,
    text: "{}",
  },
  {
    row: "4.3 #6 a stack that is too deep is cut",
    limits: { max_profile_stacktrace_depth: 1 },
    call: (s) => push(s, SHOP, pprof({ sample: [{ locationId: [1n, 1n], value: [5n] }] })),
    status: 200,
    text: "{}",
  },
  {
    row: "4.3 #8 a string that is too long is cut",
    limits: { max_profile_symbol_value_length: 3 },
    call: (s) => push(s, SHOP, pprof({ stringTable: ["", "cpu", "ns", "main"] })),
    status: 200,
    text: "{}",
  },
  {
    row: "4.3 a sample of a location that nothing has",
    call: (s) => push(s, SHOP, pprof({ sample: [{ locationId: [9n], value: [5n] }] })),
    status: 200,
    text: "{}",
  },
  {
    row: "4.5 profiles in any order within the window",
    before: (s) => push(s, SHOP, at(NOW_MS)),
    call: (s) => push(s, SHOP, at(NOW_MS - 1_800_000)),
    status: 200,
    text: "{}",
  },
];

/** What a profile itself may be: each entry over Push and over `/ingest`. */
export const profileRows: readonly WireRow[] = [
  ...rows.flatMap(
    ({ row, limits = {}, payload, text, reason = "malformed_profile", isUnnamed = false }): WireRow[] => [
      {
        row: `${row}: Push`,
        limits,
        call: (s) => push(s, SHOP, payload),
        status: 400,
        code: "invalid_argument",
        text: text(PUSH_LABELS),
        reason,
      },
      {
        row: `${row}: /ingest`,
        limits,
        call: (s) => ingest(s, { name: "shop", format: "pprof" }, payload),
        status: 422,
        code: "unknown",
        text: behind(PUSHING, text(isUnnamed ? UNREAD_LABELS : INGEST_LABELS)),
        reason,
      },
    ],
  ),
  ...kept,
];
