import { gzipSync } from "node:zlib";
import { otlp, otlpBytes, otlpJson } from "./wire-payloads.ts";
import type { WireRow } from "./wire-row.ts";

const JSON_TYPE = { "content-type": "application/json" };
const GRPC_PATH = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export";
const accepted = { status: 200, text: "", headers: { "content-type": "application/x-protobuf" } };
const refused = (text: string | RegExp, reason = "malformed_profile") => ({
  status: 400,
  text,
  reason,
  headers: { "content-type": /^text\/plain/ },
});
const NO_RESOURCES = Buffer.from([0x12, 0x00]);
const NO_DICTIONARY = Buffer.from([0x0a, 0x00]);

/** A request whose conversion fails, over HTTP and over gRPC. */
function conversion(row: string, change: Parameters<typeof otlpBytes>[0], text: string): readonly WireRow[] {
  return both(row, otlpBytes(change), `failed to convert otel profile: ${text}`);
}

function both(row: string, body: Uint8Array<ArrayBuffer>, text: string | RegExp): readonly WireRow[] {
  return [
    { row: `${row}: HTTP`, call: (s) => otlp(s, body), ...refused(text) },
    {
      row: `${row}: gRPC`,
      call: (s) => s.exportGrpc(body),
      status: 200,
      code: "invalid_argument",
      text,
      reason: "malformed_profile",
    },
  ];
}

/** A sample in the layout of before 1.10: packed values = 2, attributes = 3, link = 4. */
const oldSample = Buffer.from([0x08, 0x00, 0x12, 0x01, 0x05, 0x1a, 0x01, 0x00, 0x20, 0x00]);

/** OTLP profiles, over HTTP and gRPC. */
export const otlpRows: readonly WireRow[] = [
  // Encodings.
  { row: "1.3.1 application/x-protobuf", call: (s) => otlp(s, otlpBytes()), ...accepted },
  {
    row: "1.3.1 application/protobuf",
    call: (s) => otlp(s, otlpBytes(), { "content-type": "application/protobuf" }),
    ...accepted,
  },
  { row: "1.3.1 application/json", call: (s) => otlp(s, otlpJson(), JSON_TYPE), ...accepted },
  {
    row: "1.3.1 the path of gRPC takes the bodies of HTTP",
    call: (s) => s.fetch(GRPC_PATH, { method: "POST", headers: JSON_TYPE, body: otlpJson() }),
    ...accepted,
  },
  { row: "1.3.1 gRPC", call: (s) => s.exportGrpc(otlpBytes()), status: 200, text: "" },
  {
    row: "1.3.1 a content type with parameters",
    call: (s) => otlp(s, otlpJson(), { "content-type": "application/json; charset=utf-8" }),
    status: 415,
    text: "Unsupported Content-Type: application/json; charset=utf-8",
    reason: "malformed_profile",
    headers: { "content-type": /^text\/plain/ },
  },
  {
    row: "1.3.1 gzip, in any letter case",
    call: (s) => otlp(s, new Uint8Array(gzipSync(otlpBytes())), { "content-encoding": "GZip" }),
    ...accepted,
  },
  {
    row: "1.3.1 gzip that is none",
    call: (s) => otlp(s, otlpBytes(), { "content-encoding": "gzip" }),
    ...refused(/^failed to read gzip-compressed request body/),
  },
  {
    row: "1.3.1 a coding that nobody knows",
    call: (s) => otlp(s, otlpBytes(), { "content-encoding": "lzw" }),
    status: 415,
    text: /lzw/,
    reason: "malformed_profile",
  },
  {
    row: "1.3.1 GET is 405",
    call: (s) => s.fetch("/v1development/profiles"),
    status: 405,
    code: "unimplemented",
    headers: { allow: "POST" },
  },
  { row: "1.3.1 no JSON", call: (s) => otlp(s, "{", JSON_TYPE), ...refused(/^Failed to parse JSON request/) },
  {
    row: "1.3.1 a field that nobody knows",
    call: (s) => otlp(s, '{"more":1}', JSON_TYPE),
    ...refused(/^Failed to parse JSON request/),
  },
  {
    row: "1.3.1 no protobuf",
    call: (s) => otlp(s, "no protobuf"),
    ...refused(/^Failed to parse protobuf request/),
  },
  {
    row: "1.3.1 a body that is too large",
    limits: { ingestion_body_limit_mb: 0.00001 },
    call: (s) => otlp(s, otlpBytes()),
    status: 413,
    text: "profile payload size exceeds limit of 10 B",
    reason: "body_size_limit_exceeded",
  },
  {
    row: "1.3.1 a body that is too large, unpacked",
    limits: { ingestion_body_limit_mb: 0.0002 },
    call: (s) => otlp(s, new Uint8Array(gzipSync(Buffer.alloc(1000))), { "content-encoding": "gzip" }),
    status: 413,
    text: "uncompressed profile payload size exceeds limit of 210 B",
    reason: "body_size_limit_exceeded",
  },
  {
    row: "1.3.1 a rate that is used up",
    limits: { ingestion_rate_mb: 0.00001, ingestion_burst_size_mb: 0, max_profile_size_bytes: 0 },
    call: (s) => otlp(s, otlpBytes()),
    status: 429,
    text: /^push rate limit \(10 B\) exceeded while adding \d+ B$/,
    reason: "rate_limited",
    headers: { "retry-after": /^\d+$/ },
  },
  {
    row: "1.3.1 a rate that is used up: gRPC",
    limits: { ingestion_rate_mb: 0.00001, ingestion_burst_size_mb: 0, max_profile_size_bytes: 0 },
    call: (s) => s.exportGrpc(otlpBytes()),
    status: 200,
    code: "resource_exhausted",
    text: /^push rate limit \(10 B\) exceeded while adding \d+ B$/,
    reason: "rate_limited",
  },
  {
    row: "1.3.1 a new service at the limit of series",
    limits: { max_global_series_per_tenant: 1 },
    before: (s) => otlp(s, otlpBytes({ attributes: { "service.name": "first" } })),
    call: (s) => otlp(s, otlpBytes()),
    status: 429,
    text: /^Maximum active series limit exceeded \(2\/1\), /,
    reason: "series_limit",
  },
  {
    row: "1.3.1 too many samples",
    limits: { max_profile_stacktrace_samples: 1 },
    call: (s) =>
      otlp(
        s,
        otlpBytes({
          profile: {
            samples: [
              { stackIndex: 0, values: [1n] },
              { stackIndex: 1, values: [1n] },
            ],
          },
          dictionary: { stackTable: [{ locationIndices: [0] }, { locationIndices: [0, 0] }] },
        }),
      ),
    ...refused(
      /exceeds the samples count limit \(max_profile_stacktrace_samples, actual: 2, limit: 1\)$/,
      "samples_limit",
    ),
  },
  {
    row: "1.3.1 a profile outside of the window",
    call: (s) => otlp(s, otlpBytes({ profile: { timeUnixNano: 1_000_000_000_000_000_000n } })),
    ...refused(
      /^failed to make a GRPC request: push series with index 0 and id \S+ failed: invalid_argument: profile with labels '\{.*\}' is outside of ingestion window /,
      "not_in_ingestion_window",
    ),
  },
  {
    row: "1.3.1 no tenant",
    call: (s) => otlp(s, otlpBytes(), { "x-scope-orgid": "" }),
    status: 401,
    code: "unauthenticated",
    text: "no org id",
  },
  {
    row: "1.3.1 two tenants",
    call: (s) => otlp(s, otlpBytes(), { "x-scope-orgid": "a|b" }),
    status: 400,
    text: "multiple org IDs present",
  },
  {
    row: "1.3.1 no tenant: gRPC",
    call: (s) => s.exportGrpc(otlpBytes(), ""),
    status: 200,
    code: "unauthenticated",
    text: "no org id",
  },
  {
    row: "1.3.1 two tenants: gRPC",
    call: (s) => s.exportGrpc(otlpBytes(), "a|b"),
    status: 200,
    code: "invalid_argument",
    text: "multiple org IDs present",
  },
  ...both("1.3.1 no dictionary", NO_DICTIONARY, "missing profile metadata dictionary"),
  ...both("1.3.1 no resource profiles", NO_RESOURCES, "missing resource profiles"),
  {
    row: "1.3.1 resource profiles without samples",
    call: (s) => otlp(s, otlpBytes({ profile: { samples: [] } })),
    ...accepted,
  },
  {
    row: "4.4 a profile that is too large as pprof: HTTP",
    limits: { max_profile_size_bytes: 20 },
    call: (s) => otlp(s, otlpBytes()),
    ...refused("uncompressed profile payload size exceeds limit of 20 B", "profile_size_limit"),
  },
  {
    row: "4.4 a profile that is too large as pprof: gRPC",
    limits: { max_profile_size_bytes: 20 },
    call: (s) => s.exportGrpc(otlpBytes()),
    status: 200,
    code: "invalid_argument",
    text: "uncompressed profile payload size exceeds limit of 20 B",
    reason: "profile_size_limit",
  },
  // The layout.
  ...both("1.3.2 the layout of before 1.10", withSample(oldSample), /layout of OTLP before 1\.10/),
  // The mapping.
  ...conversion(
    "1.3.3 no sample type",
    { profile: { sampleType: undefined as never } },
    "sample type is missing",
  ),
  ...conversion(
    "1.3.3 neither values nor timestamps",
    { profile: { samples: [{ stackIndex: 0 }] } },
    "sample value is required",
  ),
  ...conversion(
    "1.3.3 two values",
    { profile: { samples: [{ stackIndex: 0, values: [1n, 2n] }] } },
    "sample values length mismatch 2 1",
  ),
  ...conversion(
    "1.3.3 a stack that nothing has",
    { profile: { samples: [{ stackIndex: 7, values: [1n] }] } },
    "invalid stack index: 7: the table has 1 rows",
  ),
  ...both(
    "1.3.3 an attribute that nothing has",
    otlpBytes({ profile: { samples: [{ stackIndex: 0, values: [1n], attributeIndices: [9] }] } }),
    /^failed to convert otel profile: .*attribute/,
  ),
  ...both(
    "1.3.3 no mappings",
    otlpBytes({ dictionary: { mappingTable: [] } }),
    /^failed to convert otel profile: .*mapping/,
  ),
  {
    row: "1.3.3 a profile without a period has no name",
    call: (s) => otlp(s, otlpBytes({ profile: { period: 0n } })),
    ...refused(/invalid labels '\{.*\}' with error: invalid metric name$/, "invalid_labels"),
  },
  {
    row: "1.3.3 timestamps without values count",
    call: (s) =>
      otlp(s, otlpBytes({ profile: { samples: [{ stackIndex: 0, timestampsUnixNano: [1n, 2n] }] } })),
    ...accepted,
  },
  {
    row: "1.3.3 a time of 0 is now",
    call: (s) => otlp(s, otlpBytes({ profile: { timeUnixNano: 0n } })),
    ...accepted,
  },
];

/** The good request with its sample replaced. */
function withSample(sample: Uint8Array): Uint8Array<ArrayBuffer> {
  const field = (number: number, ...parts: readonly Uint8Array[]) => {
    const content = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
  };
  const valueType = Buffer.from([0x08, 0x01, 0x10, 0x02]);
  const profile = field(2, field(2, field(1, valueType), field(2, sample)));
  // The dictionary of the good request stands last in it.
  const good = Buffer.from(otlpBytes());
  const resourceBytes = 2 + (good[1] ?? 0);
  return new Uint8Array(Buffer.concat([field(1, profile), good.subarray(resourceBytes)]));
}
