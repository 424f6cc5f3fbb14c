import { gzipSync } from "node:zlib";
import { ingest, NOW_MS, pprof, push, SHOP } from "./wire-payloads.ts";
import type { WireRow } from "./wire-row.ts";

const PPROF = { name: "shop", format: "pprof" };
const text = (name: string, format = "folded") => ({ name, format });

/** A multipart form of file parts. */
function form(parts: Readonly<Record<string, Uint8Array<ArrayBuffer> | string>>): FormData {
  const body = new FormData();
  for (const [name, content] of Object.entries(parts)) body.append(name, new Blob([content]), name);
  return body;
}

/** A form whose part has no file name. */
const FIELD = '--b\r\ncontent-disposition: form-data; name="profile"\r\n\r\nno pprof\r\n--b--\r\n';

/** One node of a tree, and how many children it says it has. */
const treeNode = (name: string, children: number) =>
  Buffer.from([name.length, ...Buffer.from(name), 1, children]);

const bad = (message: string) => ({
  status: 400,
  code: "invalid_argument",
  text: message,
  reason: "invalid_labels",
});
const unprocessable = (message: string | RegExp) => ({
  status: 422,
  code: "unknown",
  text: message,
  reason: "malformed_profile",
});
const accepted = { status: 200, text: "" };
const PUSHING =
  "pushing IngestInput-pprof failed push series with index 0 and id  failed: invalid_argument: ";

/** `/ingest`: the names of applications, the formats, and the answers. */
export const ingestRows: readonly WireRow[] = [
  // The name of the application.
  {
    row: "1.1.2 no name",
    call: (s) => ingest(s, { name: "", format: "pprof" }, pprof()),
    ...bad("name: service name is required"),
  },
  {
    row: "1.1.2 a character that a service name cannot have",
    call: (s) => ingest(s, { ...PPROF, name: "my shop" }, pprof()),
    ...bad("name: invalid service name: my shop: character is not allowed: ' '"),
  },
  {
    row: "1.1.2 a label without a name",
    call: (s) => ingest(s, { ...PPROF, name: "shop{=x}" }, pprof()),
    ...bad("name: label name is required"),
  },
  {
    row: "1.1.2 a character that a label name cannot have",
    call: (s) => ingest(s, { ...PPROF, name: "shop{a-b=x}" }, pprof()),
    ...bad("name: invalid label name: a-b: character is not allowed: '-'"),
  },
  {
    row: "1.1.2 a pair that is not closed is kept",
    call: (s) => ingest(s, { ...PPROF, name: "shop{env=prod" }, pprof()),
    ...accepted,
  },
  // The multipart form.
  {
    row: "1.1.5 a form without a profile",
    call: (s) => ingest(s, { name: "shop" }, form({ other: "x" })),
    ...accepted,
  },
  {
    row: "1.1.5 an empty profile in a form",
    call: (s) => ingest(s, { name: "shop" }, form({ profile: "" })),
    ...accepted,
  },
  {
    row: "1.1.5 a profile to subtract",
    call: (s) => ingest(s, { name: "shop" }, form({ profile: pprof(), prev_profile: pprof() })),
    ...unprocessable(
      /unsupported client version\. Please update github\.com\/grafana\/pyroscope-go to the latest version/,
    ),
  },
  {
    row: "1.1.5 a form without a boundary",
    call: (s) => ingest(s, { name: "shop" }, "x", { "content-type": "multipart/form-data" }),
    ...unprocessable(/malformed multipart content type header/),
  },
  {
    row: "1.1.5 a profile that is too large, unpacked",
    limits: { max_profile_size_bytes: 60 },
    call: (s) => ingest(s, { name: "shop" }, form({ profile: gzipSync(Buffer.alloc(1000)) })),
    status: 422,
    code: "unknown",
    text: "parsing IngestInput-pprof failed decompressed size exceeds maximum allowed size of 60 bytes",
    reason: "profile_size_limit",
  },
  {
    row: "1.1.5 a configuration that is no JSON",
    call: (s) => ingest(s, { name: "shop" }, form({ profile: pprof(), sample_type_config: "{" })),
    ...unprocessable(/sample_type_config/),
  },
  {
    row: "1.1.5 a plain field named profile is one",
    call: (s) => ingest(s, { name: "shop" }, FIELD, { "content-type": "multipart/form-data; boundary=b" }),
    ...unprocessable(/^parsing IngestInput-pprof failed ./),
  },
  // Text and trees.
  {
    row: "1.1.6 a line without a count",
    call: (s) => ingest(s, text("shop.cpu"), "main\n"),
    ...unprocessable(/^parsing IngestInput-groups failed /),
  },
  { row: "1.1.6 a text without lines", call: (s) => ingest(s, text("shop.cpu"), ""), ...accepted },
  {
    row: "1.1.6 blank lines",
    call: (s) => ingest(s, text("shop.cpu", "lines"), "\n\nmain\n"),
    ...accepted,
  },
  {
    row: "1.1.6 a trie that is cut off",
    call: (s) => ingest(s, text("shop.cpu", "trie"), Buffer.from([0, 0, 1])),
    ...unprocessable(/^parsing IngestInput-trie failed /),
  },
  {
    row: "1.1.6 a tree that is cut off",
    call: (s) => ingest(s, text("shop.cpu", "tree"), treeNode("", 1)),
    ...unprocessable(/^parsing IngestInput-tree failed /),
  },
  {
    row: "1.1.6 a speedscope file that is no JSON",
    call: (s) => ingest(s, text("shop", "speedscope"), "{"),
    ...unprocessable(/^parsing IngestInput-speedscope failed /),
  },
  {
    row: "1.1.6 a speedscope file of a unit that nobody knows",
    call: (s) => ingest(s, text("shop", "speedscope"), speedscope("bits")),
    ...unprocessable(/bits/),
  },
  {
    row: "1.1.6 a count that is no integer",
    call: (s) => ingest(s, text("shop.cpu"), "main x\n"),
    ...unprocessable(/^parsing IngestInput-groups failed /),
  },
  {
    row: "1.1.6 a name in a tree that is too long",
    limits: { max_profile_symbol_value_length: 3 },
    call: (s) => ingest(s, text("shop.cpu", "tree"), Buffer.concat([treeNode("", 1), treeNode("main", 0)])),
    ...unprocessable(/tree node name length 4 exceeds maximum 3/),
  },
  {
    row: "1.1.6 children in a tree that are too many",
    limits: { max_profile_stacktrace_samples: 3 },
    call: (s) => ingest(s, text("shop.cpu", "tree"), treeNode("", 4)),
    ...unprocessable(/tree node children count 4 exceeds maximum 3/),
  },
  {
    row: "1.1.6 a speedscope file of another schema",
    call: (s) => ingest(s, text("shop", "speedscope"), '{"$schema":"x"}'),
    ...unprocessable(/Unknown schema: /),
  },
  {
    row: "1.1.6 a name that ends in no type",
    call: (s) => ingest(s, text("my.app"), "main 1\n"),
    ...bad("unknown profile type: app"),
  },
  {
    row: "1.1.6 a profile with a profile_id",
    call: (s) => ingest(s, text("shop.cpu{profile_id=1}"), "main 1\n"),
    ...accepted,
  },
  // Recordings.
  {
    row: "1.1.7 a form without a recording",
    call: (s) => ingest(s, { name: "shop", format: "jfr" }, form({ labels: "x" })),
    ...unprocessable(/jfr field is required/),
  },
  {
    row: "1.1.7 a recording that is none",
    call: (s) =>
      ingest(
        s,
        { name: "shop", format: "jfr" },
        "no recording, but as long as the head of one needs to be, and longer",
      ),
    ...unprocessable(/^parsing IngestInput-pprof failed /),
  },
  {
    row: "1.1.7 a recording that is too large, unpacked",
    limits: { max_profile_size_bytes: 60 },
    call: (s) => ingest(s, { name: "shop", format: "jfr" }, form({ jfr: gzipSync(Buffer.alloc(1000)) })),
    status: 422,
    code: "unknown",
    text: "parsing IngestInput-pprof failed decompressed size exceeds maximum allowed size of 60 bytes",
    reason: "profile_size_limit",
  },
  {
    row: "1.1.6 a text with too many samples: 400, once it was read",
    limits: { max_profile_stacktrace_samples: 1 },
    call: (s) => ingest(s, text("shop.cpu"), "a 1\nb 1\n"),
    status: 400,
    code: "invalid_argument",
    text: /exceeds the samples count limit \(max_profile_stacktrace_samples, actual: 2, limit: 1\)$/,
    reason: "samples_limit",
  },
  // The answers.
  {
    row: "1.1.8 200, and no body",
    call: (s) => ingest(s, PPROF, pprof()),
    ...accepted,
    headers: { "content-length": "0" },
  },
  { row: "1.1.8 200 for an empty body", call: (s) => ingest(s, PPROF, ""), ...accepted },
  {
    row: "1.1.8 200 for samples that are all zero",
    call: (s) => ingest(s, PPROF, pprof({ sample: [{ locationId: [1n], value: [0n] }] })),
    ...accepted,
  },
  {
    row: "1.1.8 400 for a text that was read and is refused: the bare message",
    call: (s) => ingest(s, { ...text("shop.cpu"), from: "20200101" }, "main 1\n"),
    status: 400,
    code: "invalid_argument",
    text: /^profile with labels '\{.*\}' is outside of ingestion window \(profile timestamp: 2020-01-01T00:00:00\.000Z, /,
    reason: "not_in_ingestion_window",
  },
  {
    row: "1.1.8 401 without a tenant",
    call: (s) => s.fetch("/ingest?name=shop", { method: "POST", headers: { "x-scope-orgid": "" }, body: "" }),
    status: 401,
    code: "unauthenticated",
    text: "no org id",
  },
  {
    row: "1.1.8 400 for two tenants",
    call: (s) =>
      s.fetch("/ingest?name=shop", { method: "POST", headers: { "x-scope-orgid": "a|b" }, body: "" }),
    status: 400,
    code: "invalid_argument",
    text: "multiple org IDs present",
  },
  {
    row: "1.1.8 415 for a coding that nobody knows",
    call: (s) => ingest(s, PPROF, pprof(), { "content-encoding": "lzw" }),
    status: 415,
    code: "unknown",
    text: /lzw/,
    reason: "malformed_profile",
  },
  {
    row: "1.1.8 405 for another method",
    code: "unimplemented",
    call: (s) => s.fetch("/ingest?name=shop"),
    status: 405,
    headers: { allow: "POST" },
  },
  {
    row: "1.1.8 405 for another method of the other path",
    code: "unimplemented",
    call: (s) => s.fetch("/pyroscope/ingest"),
    status: 405,
  },
  {
    row: "1.1.8 413 for a body that is too large",
    limits: { ingestion_body_limit_mb: 0.00001 },
    call: (s) => ingest(s, PPROF, pprof()),
    status: 413,
    code: "invalid_argument",
    text: /^request body too large: /,
    reason: "body_size_limit_exceeded",
  },
  {
    row: "1.1.8 429 at the rate",
    limits: { ingestion_rate_mb: 0.00001, ingestion_burst_size_mb: 0, max_profile_size_bytes: 0 },
    call: (s) => ingest(s, PPROF, pprof()),
    status: 429,
    code: "resource_exhausted",
    text: /^push rate limit \(10 B\) exceeded while adding \d+ B$/,
    reason: "rate_limited",
    headers: { "retry-after": /^\d+$/ },
  },
  {
    row: "1.1.8 429 at the limit of series",
    limits: { max_global_series_per_tenant: 1 },
    before: (s) => push(s, { ...SHOP, service_name: "first" }, pprof()),
    call: (s) => ingest(s, PPROF, pprof()),
    status: 429,
    code: "resource_exhausted",
    text: /^Maximum active series limit exceeded \(2\/1\), reduce the number of active streams \(reduce labels or reduce label values\), or contact your administrator to see if the limit can be increased$/,
    reason: "series_limit",
  },
  {
    row: "1.1.8 422 for a pprof that was read and is refused",
    call: (s) => ingest(s, PPROF, pprof({ stringTable: ["", "c-pu", "nanoseconds", "main"] })),
    ...unprocessable(`${PUSHING}sample type contains -`),
    headers: { "x-content-type-options": "nosniff", "content-type": /^application\/json/ },
  },
  {
    row: "1.1.8 422 for a pprof that cannot be read",
    call: (s) => ingest(s, PPROF, "no pprof"),
    ...unprocessable(/^parsing IngestInput-pprof failed ./),
  },
  {
    row: "1.1.8 422 for a speedscope file that was read and is refused",
    call: (s) => ingest(s, { ...text("shop", "speedscope"), from: "20200101" }, speedscope()),
    status: 422,
    code: "unknown",
    text: /^pyroscopeIngesterAdapter failed to push: invalid_argument: profile with labels '\{.*\}' is outside of ingestion window /,
    reason: "not_in_ingestion_window",
  },
  {
    row: "1.1.8 the other path answers alike",
    call: (s) => s.fetch("/pyroscope/ingest?name=shop&format=pprof", { method: "POST", body: pprof() }),
    ...accepted,
  },
  {
    row: "4.5 a time outside of the window where from says so",
    call: (s) => ingest(s, { ...PPROF, from: String(NOW_MS - 7_200_000) }, pprof({ timeNanos: 0n })),
    status: 422,
    code: "unknown",
    text: /is outside of ingestion window/,
    reason: "not_in_ingestion_window",
  },
];

function speedscope(unit = "bytes"): string {
  return JSON.stringify({
    $schema: "https://www.speedscope.app/file-format-schema.json",
    shared: { frames: [{ name: "main" }] },
    profiles: [
      { type: "sampled", name: "t", unit, startValue: 0, endValue: 1, samples: [[0]], weights: [1] },
    ],
  });
}
