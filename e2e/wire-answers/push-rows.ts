import { gzipSync } from "node:zlib";
import { PUSH, pprof, push, pushMessage, SHOP } from "./wire-payloads.ts";
import type { WireRow } from "./wire-row.ts";

const refused = (text: string | RegExp, reason = "malformed_profile") => ({
  status: 400,
  code: "invalid_argument",
  text,
  reason,
});
const accepted = { status: 200, text: "{}" };
const dashed = pprof({ stringTable: ["", "c-pu", "nanoseconds", "main"] });
const old = pprof({ timeNanos: BigInt(Date.parse("2020-01-01")) * 1_000_000n });

/** push.v1, and what holds for Connect on every service. */
export const pushRows: readonly WireRow[] = [
  // Connect.
  {
    row: "0.3 GET is 405",
    call: (s) => s.fetch(`/${PUSH}`),
    status: 405,
    code: "unimplemented",
    headers: { allow: "POST" },
  },
  {
    row: "0.3 another content type is 415",
    call: (s) => s.call(PUSH, "{}", { "content-type": "text/plain" }),
    status: 415,
    headers: { "accept-post": /application\/proto/ },
  },
  {
    row: "0.3 an encoding that nobody knows is unimplemented",
    call: (s) => s.call(PUSH, "{}", { "content-encoding": "lzw" }),
    status: 501,
    code: "unimplemented",
    text: /lzw/,
  },
  {
    row: "0.3 an empty body is no JSON",
    call: (s) => s.call(PUSH, ""),
    status: 400,
    code: "invalid_argument",
  },
  {
    row: "0.3 a wrong type in JSON",
    call: (s) => s.call(PUSH, { series: "x" }),
    status: 400,
    code: "invalid_argument",
  },
  {
    row: "0.3 fields that nobody knows are ignored",
    call: (s) => s.call(PUSH, { ...pushMessage(SHOP, pprof()), more: 1 }),
    ...accepted,
  },
  {
    row: "0.3 an error of a request in protobuf is JSON",
    call: (s) => s.call(PUSH, "", { "content-type": "application/proto" }),
    ...refused("no profiles received"),
    headers: { "content-type": "application/json" },
  },
  {
    row: "0.3 an unknown path is 404",
    call: (s) => s.call("push.v1.PusherService/Pull", {}),
    status: 404,
    code: "unimplemented",
  },
  // Push.
  { row: "1.2 an empty answer", call: (s) => push(s, SHOP, pprof()), ...accepted },
  { row: "1.2 gzip is told by its first bytes", call: (s) => push(s, SHOP, gzipSync(pprof())), ...accepted },
  {
    row: "1.2 a service without a name is unknown_service",
    call: (s) => push(s, { __name__: "process_cpu" }, pprof()),
    ...accepted,
  },
  {
    row: "1.2 no __name__",
    call: (s) => push(s, { service_name: "shop" }, pprof()),
    ...refused(`invalid labels '{service_name="shop"}' with error: invalid metric name`, "invalid_labels"),
  },
  { row: "1.2 no series", call: (s) => s.call(PUSH, {}), ...refused("no profiles received") },
  {
    row: "1.2 empty samples",
    call: (s) => push(s, SHOP, new Uint8Array(0)),
    ...refused("no profiles received"),
  },
  {
    row: "1.2 bytes that are no pprof",
    call: (s) => push(s, SHOP, Buffer.from("no pprof")),
    ...refused(/./),
  },
  {
    row: "1.2 one of two that is no pprof: the other is stored",
    call: (s) => push(s, SHOP, Buffer.from("no pprof"), pprof()),
    ...refused(/./),
  },
  {
    row: "1.2 a sample that is too large, unpacked",
    limits: { max_profile_size_bytes: 4_194_304 },
    call: (s) => push(s, SHOP, gzipSync(Buffer.alloc(4_194_305))),
    ...refused("uncompressed profile payload size exceeds limit of 4.2 MB", "profile_size_limit"),
  },
  {
    row: "1.2 samples that are too large together",
    limits: { ingestion_body_limit_mb: 0.001 },
    call: (s) =>
      push(
        s,
        SHOP,
        gzipSync(pprof({ comment: Array<bigint>(900).fill(0n) })),
        gzipSync(pprof({ comment: Array<bigint>(900).fill(0n) })),
      ),
    ...refused(
      "uncompressed batched profile payload size exceeds limit of 1.0 kB",
      "body_size_limit_exceeded",
    ),
  },
  {
    row: "1.2 the first of several refusals is the answer, without a prefix",
    call: (s) => push(s, SHOP, dashed, old),
    status: 400,
    code: "invalid_argument",
    text: "sample type contains -",
    reason: "malformed_profile, not_in_ingestion_window",
  },
  {
    row: "1.2 a rate that is used up",
    limits: { ingestion_rate_mb: 0.00001, ingestion_burst_size_mb: 0, max_profile_size_bytes: 0 },
    call: (s) => push(s, SHOP, pprof()),
    status: 429,
    code: "resource_exhausted",
    text: /^push rate limit \(10 B\) exceeded while adding \d+ B$/,
    reason: "rate_limited",
    headers: { "retry-after": /^\d+$/ },
  },
  {
    row: "1.2 a new service at the limit of series",
    limits: { max_global_series_per_tenant: 1 },
    before: (s) => push(s, { ...SHOP, service_name: "first" }, pprof()),
    call: (s) => push(s, SHOP, pprof()),
    status: 429,
    code: "resource_exhausted",
    text: /^Maximum active series limit exceeded \(2\/1\), /,
    reason: "series_limit",
  },
  {
    row: "1.2 a message that is too large",
    call: (s) => push(s, SHOP, new Uint8Array(8_500_000)),
    status: 429,
    code: "resource_exhausted",
    text: /^message size \d+ is larger than configured max 8388608$/,
    reason: "body_size_limit_exceeded",
  },
  // Tenants.
  {
    row: "5 no tenant",
    call: (s) => s.call(PUSH, {}, { "x-scope-orgid": "" }),
    status: 401,
    code: "unauthenticated",
    text: "no org id",
  },
  {
    row: "5 two tenants",
    call: (s) => s.call(PUSH, pushMessage(SHOP, pprof()), { "x-scope-orgid": "a|b" }),
    status: 400,
    code: "invalid_argument",
    text: "multiple org IDs present",
  },
  {
    row: "5 a character that a tenant cannot have",
    call: (s) => s.call(PUSH, {}, { "x-scope-orgid": "a/b" }),
    status: 400,
    code: "invalid_argument",
    text: "tenant ID 'a/b' contains unsupported character '/'",
  },
  {
    row: "5 a tenant that is too long",
    call: (s) => s.call(PUSH, {}, { "x-scope-orgid": "a".repeat(151) }),
    status: 400,
    code: "invalid_argument",
    text: "tenant ID is too long: max 150 characters",
  },
  {
    row: "5 a path as a tenant",
    call: (s) => s.call(PUSH, {}, { "x-scope-orgid": ".." }),
    status: 400,
    code: "invalid_argument",
  },
  {
    row: "5 what follows a colon is no part of a tenant",
    call: (s) => s.call(PUSH, pushMessage(SHOP, pprof()), { "x-scope-orgid": "colon:key=value" }),
    ...accepted,
  },
];
