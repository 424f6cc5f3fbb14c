import {
  APP_NAME_LABEL,
  getLabel,
  type LabelSet,
  labelSetFromRecord,
  mergeLabels,
  SERVICE_NAME_LABEL,
} from "@pyroscope-ts/protocol";
import { ReceiverError } from "../../errors.ts";
import type { PushItem } from "../../ingest/push-service.ts";
import { findBoundary, type MultipartPart, parseMultipart } from "../body/multipart.ts";
import type { IngestQuery } from "./ingest-query.ts";

const NOTHING = new Uint8Array(0);

/**
 * Makes an item of the body of an `/ingest?format=jfr`: a recording, or a form with the parts `jfr` and `labels`.
 *
 * A plain field counts as well as a file.
 *
 * @returns undefined for an empty recording.
 * @throws {@link ReceiverError} `UNPROCESSABLE` for a malformed form, or one without a recording.
 *
 * Source: Pyroscope pkg/og/convert/jfr/profile.go.
 */
export function readIngestRecording(
  body: Uint8Array,
  query: IngestQuery,
  contentType: string,
): PushItem | undefined {
  const { recording, labelsSnapshot } = readParts(body, contentType);
  if (recording.length === 0) return undefined;
  const { sampleRateHz, fromUnixNanos, untilUnixNanos } = query;
  return {
    labels: toSeriesLabels(query),
    payload: recording,
    id: "",
    format: { kind: "jfr", sampleRateHz, fromUnixNanos, untilUnixNanos, labelsSnapshot },
  };
}

interface RecordingParts {
  readonly recording: Uint8Array;
  readonly labelsSnapshot: Uint8Array;
}

function readParts(body: Uint8Array, contentType: string): RecordingParts {
  const boundary = findBoundary(contentType, body);
  if (boundary === undefined) {
    if (!contentType.includes("multipart/form-data")) return { recording: body, labelsSnapshot: NOTHING };
    throw new ReceiverError("malformed multipart content type header: no boundary", {
      code: "UNPROCESSABLE",
    });
  }
  const parts = parseMultipart(body, boundary);
  const recording = contentOf(parts, "jfr");
  if (recording === undefined) throw new ReceiverError("jfr field is required", { code: "UNPROCESSABLE" });
  return { recording, labelsSnapshot: contentOf(parts, "labels") ?? NOTHING };
}

function contentOf(parts: readonly MultipartPart[], name: string): Uint8Array | undefined {
  return parts.find((part) => part.name === name)?.content;
}

/** An application whose service has another name keeps its own beside it. */
function toSeriesLabels({ labels, appLabels, appName }: IngestQuery): LabelSet {
  if (getLabel(appLabels, SERVICE_NAME_LABEL) === undefined) return labels;
  return mergeLabels(labelSetFromRecord({ [APP_NAME_LABEL]: appName }), labels);
}
