import { createHash } from "node:crypto";
import {
  decodeJfr,
  encodePprof,
  type JfrProfiles,
  type LabelSet,
  labelSetFromRecord,
  mergeLabels,
  PROFILE_NAME_LABEL,
  ProtocolError,
} from "@pyroscope-ts/protocol";
import { refusePayload } from "./decode-payload.ts";
import { inflatePayload } from "./inflate-payload.ts";
import type { IngestLimits } from "./limits.ts";
import type { PayloadFormat } from "./payload-format.ts";
import { PAYLOAD_HASH_BYTES } from "./payload-identity.ts";
import type { PushItemRefused } from "./push-service.ts";
import type { PprofItem } from "./read-pprofs.ts";
import { Refusal, toRefused } from "./refusal.ts";

type JfrFormat = Extract<PayloadFormat, { readonly kind: "jfr" }>;

/** Label that says what triggered the samples of a recording. Source: Pyroscope pkg/og/convert/jfr/profile.go. */
const JFR_EVENT_LABEL = "jfr_event";

// What Pyroscope takes for a rate that does not parse, and what the agent for Java samples at.
const DEFAULT_SAMPLE_RATE_HZ = 100;

/** Gives the profiles of a JFR recording as pprofs: one for each kind of event that it has, none for one without. */
export function readJfrPprofs(
  item: PprofItem,
  format: JfrFormat,
  limits: IngestLimits,
): readonly (PprofItem | PushItemRefused)[] {
  const recording = inflate(item.payload, "", limits);
  if (recording instanceof Refusal) {
    return [toRefused(recording, { bytes: item.payload.length })];
  }
  const decoded = decodeRecording(recording, item.labels, format, limits);
  if (decoded instanceof Refusal) {
    return [toRefused(decoded, { bytes: recording.length })];
  }
  const own: Record<string, string> = decoded.event === "" ? {} : { [JFR_EVENT_LABEL]: decoded.event };
  return decoded.profiles.map(({ name, profile }) => {
    const payload = encodePprof(profile);
    const labels = mergeLabels(labelSetFromRecord({ ...own, [PROFILE_NAME_LABEL]: name }), item.labels);
    return { ...item, labels, payload, payloadHash: hashProfile(recording, payload) };
  });
}

function decodeRecording(
  recording: Uint8Array,
  labels: LabelSet,
  { sampleRateHz, fromUnixNanos, untilUnixNanos, labelsSnapshot }: JfrFormat,
  limits: IngestLimits,
): JfrProfiles | Refusal {
  const snapshot = inflate(labelsSnapshot, "labels: ", limits);
  if (snapshot instanceof Refusal) return snapshot;
  try {
    return decodeJfr(recording, {
      // At 0 Hz, Pyroscope counts every sample as nothing.
      sampleRateHz: sampleRateHz || DEFAULT_SAMPLE_RATE_HZ,
      startUnixNanos: fromUnixNanos,
      endUnixNanos: untilUnixNanos,
      labelsSnapshot: snapshot,
      limits: {
        maxSamples: limits.maxSamples || Infinity,
        maxLabelsPerSample: limits.maxLabelsPerSample || Infinity,
      },
    });
  } catch (error) {
    if (error instanceof ProtocolError) return refusePayload(error, labels);
    throw error;
  }
}

function inflate(payload: Uint8Array, part: string, limits: IngestLimits): Uint8Array | Refusal {
  return inflatePayload(
    payload,
    limits.maxProfileSizeBytes,
    (limitBytes) => `${part}decompressed size exceeds maximum allowed size of ${limitBytes} bytes`,
  );
}

/**
 * Names a profile by what it holds and by the recording that it is from: two recordings of one second can give
 * equal profiles, and both count. The upload sent again gives the same names.
 */
function hashProfile(recording: Uint8Array, pprof: Uint8Array): Uint8Array {
  return createHash("sha256").update(pprof).update(recording).digest().subarray(0, PAYLOAD_HASH_BYTES);
}
