import { measureJsonDepth } from "@pyroscope-ts/protocol";
import { ExportProfilesServiceRequestSchema, fromJson, toBinary } from "@pyroscope-ts/protocol/messages";
import { formatBytes } from "./format-bytes.ts";
import { Refusal } from "./refusal.ts";

// Parsed JSON takes some ten times its bytes. A request of the eBPF profiler has one megabyte; whoever sends more at once has
// protobuf for it.
const MAX_JSON_BYTES = 16 * 1024 * 1024;

// Values of attributes may lie in each other, and protobuf reads a hundred levels.
const MAX_JSON_DEPTH = 200;

const idKeys: ReadonlySet<string> = new Set([
  "traceId",
  "trace_id",
  "spanId",
  "span_id",
  "profileId",
  "profile_id",
]);

/**
 * Makes protobuf of the JSON form of an OTLP request.
 *
 * Strict as Pyroscope is: a field that is not known is refused, since in a layout that still changes it is one that
 * was moved. Ids are taken in hexadecimal, as OTLP writes them, and in base64, as Pyroscope reads them: their lengths
 * tell which.
 */
export function parseOtlpJson(payload: Uint8Array): Uint8Array | Refusal {
  if (payload.length > MAX_JSON_BYTES) {
    const limit = formatBytes(MAX_JSON_BYTES);
    return new Refusal("profile_size_limit", `profile payload size exceeds limit of ${limit} for JSON`, {
      isUndecodable: true,
    });
  }
  if (measureJsonDepth(payload, MAX_JSON_DEPTH) > MAX_JSON_DEPTH) {
    const reason = `it is nested deeper than ${MAX_JSON_DEPTH}`;
    return new Refusal("malformed_profile", `Failed to parse JSON request: ${reason}`, {
      isUndecodable: true,
    });
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
    const request = fromJson(ExportProfilesServiceRequestSchema, JSON.parse(text, toBase64Id), {
      ignoreUnknownFields: false,
    });
    return toBinary(ExportProfilesServiceRequestSchema, request);
  } catch (error) {
    // Whatever it is, the text caused it: a syntax, a field, a number out of range, nesting that no stack holds.
    const reason = error instanceof Error ? error.message : "it is not a request";
    return new Refusal("malformed_profile", `Failed to parse JSON request: ${reason}`, {
      isUndecodable: true,
    });
  }
}

function toBase64Id(this: unknown, key: string, value: unknown): unknown {
  const isHexId = idKeys.has(key) && typeof value === "string" && /^(?:[0-9a-f]{16}){1,2}$/i.test(value);
  return isHexId ? Buffer.from(value, "hex").toString("base64") : value;
}
