import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { RetryInfoSchema } from "@pyroscope-ts/protocol/messages";
import { envelope, type GrpcKind } from "./grpc-call.ts";
import { labelRows } from "./label-rows.ts";
import { profileRows } from "./profile-rows.ts";
import { pushRows } from "./push-rows.ts";
import { query, RANGE } from "./query-request.ts";
import { queryRows } from "./query-rows.ts";
import { seriesRows } from "./series-rows.ts";
import { otlpBytes, PUSH, pprof, push, SHOP } from "./wire-payloads.ts";
import type { WireAnswer, WireRow, WireServer } from "./wire-row.ts";

/** Rows whose requests have a message in protobuf; what holds for JSON and Connect alone stands under 0.3. */
const pushedRows = [
  ...pushRows.filter(({ row }) => !row.startsWith("0.3")),
  ...labelRows.filter(({ row }) => row.endsWith(": Push")),
  ...profileRows.filter(({ row }) => row.endsWith(": Push")),
];
/** Of rows for every method, those of one. */
const askedRows = [...queryRows, ...seriesRows].filter(
  ({ row }) => !row.startsWith("0.3") && (!/: \w+$/.test(row) || row.endsWith(": SelectMergeStacktraces")),
);

/** Texts of this length and more may be too long for a header. */
const LONG = 4096;

/** The same requests, and the same code, text, reason and time to come back. */
function over(kind: GrpcKind, rows: readonly WireRow[]): readonly WireRow[] {
  return rows.map((row) => ({
    ...row,
    ...{ row: `${row.row}: ${kind}`, over: kind, status: 200 },
    ...(typeof row.text === "string" && row.text.length >= LONG ? { text: shortened(row.text) } : {}),
  }));
}

/** A text whose middle is left out. */
function shortened(text: string): RegExp {
  const [begin, end] = [text.slice(0, 1000), text.slice(-1000)].map((part) =>
    part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"),
  );
  return new RegExp(`^${begin}.* … .*${end}$`, "s");
}

const call =
  (kind: GrpcKind, body: Uint8Array, headers: Readonly<Record<string, string>> = {}, method = PUSH) =>
  (server: WireServer): Promise<WireAnswer> =>
    server.callGrpc(kind, { method, body, headers });

const NOTHING = envelope(new Uint8Array(0));
const VCS = "vcs.v1.VCSService/GetFile";

/** What holds for every service. */
const framing = (["gRPC", "gRPC-Web"] as const).flatMap((kind): readonly WireRow[] => [
  {
    row: `0.3 a method that nothing has: ${kind}`,
    call: call(kind, NOTHING, {}, "push.v1.PusherService/Pull"),
    status: 200,
    code: "unimplemented",
    text: "there is nothing at this path",
  },
  {
    row: `0.3 a service that is not here: ${kind}`,
    call: call(kind, NOTHING, {}, VCS),
    status: 200,
    code: "unimplemented",
    text: /^vcs\.v1\.VCSService is not available: /,
  },
  {
    row: `0.3 an encoding that nobody knows is unimplemented: ${kind}`,
    call: call(kind, NOTHING, { "grpc-encoding": "lzw" }),
    status: 200,
    code: "unimplemented",
    text: /^unknown compression "lzw"/,
  },
  {
    row: `0.3 compressed without a word how: ${kind}`,
    call: call(kind, envelope(pprof(), 1)),
    status: 200,
    code: "internal",
  },
  {
    row: `0.3 gzip that is none: ${kind}`,
    call: call(kind, envelope(pprof(), 1), { "grpc-encoding": "gzip" }),
    status: 200,
    code: "invalid_argument",
    text: /^decompressing the message: /,
  },
  {
    row: `0.3 no message: ${kind}`,
    call: call(kind, new Uint8Array(0)),
    status: 200,
    code: "unimplemented",
  },
  {
    row: `0.3 two messages: ${kind}`,
    call: call(kind, Buffer.concat([NOTHING, NOTHING])),
    status: 200,
    code: "unimplemented",
  },
  {
    row: `0.3 a message that is shorter than its envelope says: ${kind}`,
    call: call(kind, envelope(pprof()).subarray(0, -1)),
    status: 200,
    code: "invalid_argument",
  },
  {
    row: `0.3 no protobuf: ${kind}`,
    call: call(kind, envelope(Buffer.from("no protobuf"))),
    status: 200,
    code: "invalid_argument",
    reason: "malformed_profile",
  },
  {
    row: `0.3 a deadline that is none: ${kind}`,
    call: call(kind, NOTHING, { "grpc-timeout": "soon" }),
    status: 200,
    code: "invalid_argument",
  },
  {
    row: `3.0 a query whose client waits no longer: ${kind}`,
    over: kind,
    call: query("LabelNames", RANGE, { "grpc-timeout": "1n" }),
    status: 200,
    code: "deadline_exceeded",
    text: /^request timed out, decrease the duration of the request /,
  },
]);

/** A tenant that may push 10 bytes a second. */
const SLOW = { ingestion_rate_mb: 0.00001, ingestion_burst_size_mb: 0, max_profile_size_bytes: 0 };

/** When to come back, as exporters of OTLP read it: without it they do not send again what was too much. */
async function retryInfo(answer: Promise<WireAnswer>): Promise<WireAnswer> {
  const { headers, ...others } = await answer;
  const [info] = findTrailerError(headers)?.findDetails(RetryInfoSchema) ?? [];
  return { ...others, headers, text: `${info?.retryDelay?.seconds} s` };
}

const throttled = {
  limits: SLOW,
  status: 200,
  code: "resource_exhausted",
  text: /^\d+ s$/,
  reason: "rate_limited",
  headers: { "retry-after": /^\d+$/ },
};

const throttling: readonly WireRow[] = [
  { row: "1.2 RetryInfo: gRPC", over: "gRPC", call: (s) => retryInfo(push(s, SHOP, pprof())), ...throttled },
  {
    row: "1.2 RetryInfo: gRPC-Web",
    over: "gRPC-Web",
    call: (s) => retryInfo(push(s, SHOP, pprof())),
    ...throttled,
  },
  { row: "1.3.1 RetryInfo: gRPC", call: (s) => retryInfo(s.exportGrpc(otlpBytes())), ...throttled },
];

/** The rows of Connect over gRPC and gRPC-Web, and what is theirs alone. */
export const grpcRows: readonly WireRow[] = [
  ...over("gRPC", pushedRows),
  ...over("gRPC-Web", pushedRows),
  ...over("gRPC", askedRows),
  ...framing,
  ...throttling,
];
