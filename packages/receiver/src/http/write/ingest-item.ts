import {
  getLabel,
  isScriptingSpy,
  resolveTextProfileType,
  type SampleTypeConfig,
} from "@pyroscope-ts/protocol";
import { ReceiverError } from "../../errors.ts";
import type { PayloadFormat } from "../../ingest/payload-format.ts";
import type { PushItem } from "../../ingest/push-service.ts";
import { findBoundary } from "../body/multipart.ts";
import { readIngestForm } from "./ingest-form.ts";
import type { IngestQuery } from "./ingest-query.ts";
import { readIngestRecording } from "./ingest-recording.ts";

/** Label of profiles that old clients sent beside the one that holds their samples, too. */
const PROFILE_ID_LABEL = "profile_id";

/**
 * Makes an item of the body of an `/ingest` request, by its format.
 *
 * @returns undefined if there is nothing to store: a profiler that had nothing to say posts an empty body or form, and
 * the samples of a profile with a `profile_id` are in another one.
 * @throws {@link ReceiverError} `UNPROCESSABLE` for a form that cannot be read.
 * @throws ProtocolError `TEXT_PROFILE_TYPE_INVALID` for the name of an application that names no type of profile.
 *
 * Source: Pyroscope pkg/ingester/pyroscope/ingest_handler.go.
 */
export function readIngestItem(
  body: Uint8Array,
  query: IngestQuery,
  contentType: string,
): PushItem | undefined {
  if (body.length === 0) return undefined;
  const { format } = query;
  if (format === "pprof" || format === "multipart") return readPprof(body, query, contentType);
  if (format === "jfr") return readIngestRecording(body, query, contentType);
  // A client that posts a gzipped pprof without a format is helped, where Pyroscope expects plain text.
  const isPprof = format === "groups" && !query.isTextNamed && isGzip(body);
  return isPprof ? toPprofItem(body, query, undefined) : toTextItem(body, query, format);
}

/** A client is helped that posts a form under `format=pprof`. */
function readPprof(body: Uint8Array, query: IngestQuery, contentType: string): PushItem | undefined {
  const boundary = findBoundary(contentType, body);
  if (boundary !== undefined) {
    const { profile, sampleTypeConfig } = readIngestForm(body, boundary);
    return profile.length === 0 ? undefined : toPprofItem(profile, query, sampleTypeConfig);
  }
  if (query.format === "pprof") return toPprofItem(body, query, undefined);
  throw new ReceiverError("malformed multipart content type header: no boundary", { code: "UNPROCESSABLE" });
}

function toPprofItem(
  payload: Uint8Array,
  { labels, fromUnixNanos, spyName }: IngestQuery,
  sampleTypeConfig: ReadonlyMap<string, SampleTypeConfig> | undefined,
): PushItem {
  const item: PushItem = { labels, payload, id: "", ingest: { fromUnixNanos, sampleTypeConfig } };
  if (isScriptingSpy(spyName)) return { ...item, format: { kind: "spy", fix: "files", spyName } };
  // Old .NET clients do not name themselves; this entry of their configuration has a name that no other client uses.
  const isOldDotnet = spyName === "unknown" && sampleTypeConfig?.has("inuse-space") === true;
  if (spyName !== "dotnetspy" && !isOldDotnet) return item;
  return { ...item, format: { kind: "spy", fix: "dotnet", spyName } };
}

function toTextItem(
  payload: Uint8Array,
  query: IngestQuery,
  format: "groups" | "lines" | "trie" | "tree" | "speedscope",
): PushItem | undefined {
  const { appName, appLabels: labels, sampleRateHz, fromUnixNanos, untilUnixNanos } = query;
  if ((getLabel(labels, PROFILE_ID_LABEL) ?? "") !== "") return undefined;
  const request = { appName, sampleRateHz, fromUnixNanos, untilUnixNanos };
  // The file says what its values are, and with that perhaps what its application is.
  const speedscope: PayloadFormat = { kind: "speedscope", ...request };
  if (format === "speedscope") return { labels, payload, id: "", format: speedscope };
  // A wrong name is 400, and what is wrong with the payload later 422.
  resolveTextProfileType(appName, sampleRateHz);
  return { labels, payload, id: "", format: { kind: "stacks", format, ...request } };
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
