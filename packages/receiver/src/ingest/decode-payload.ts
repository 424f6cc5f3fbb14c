import {
  DEFAULT_PPROF_LIMITS,
  decodePprofWithHashes,
  formatLabels,
  type LabelSet,
  type PprofLimits,
  type PprofWithHashes,
  ProtocolError,
} from "@pyroscope-ts/protocol";
import { TEXT_SEED } from "../store/hash-profile.ts";
import type { IngestLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";

/** How profiles of one tenant are cut where they are deep or wordy; part of what the log remembers. */
export interface Truncation {
  /** 0 for not at all. */
  readonly maxDepth: number;
  /** 0 for not at all. */
  readonly maxSymbolBytes: number;
}

const UNLIMITED: PprofLimits = {
  maxBytes: Infinity,
  maxSampleTypes: Infinity,
  maxSamples: Infinity,
  maxLocationsPerSample: Infinity,
  maxLabelsPerSample: Infinity,
  maxStrings: Infinity,
  maxStringBytes: Infinity,
  maxLocations: Infinity,
  maxLinesPerLocation: Infinity,
  maxLines: Infinity,
  maxFunctions: Infinity,
  maxMappings: Infinity,
  maxComments: Infinity,
  maxFrames: Infinity,
  truncateDepth: undefined,
  truncateStringBytes: undefined,
};

/**
 * Decodes what a client sent, within the tenant's limits.
 *
 * @param labels - of the series, for the texts of refusals.
 */
export function decodePayload(
  inflated: Uint8Array,
  limits: IngestLimits,
  labels: LabelSet,
): PprofWithHashes | Refusal {
  try {
    const pprofLimits = {
      ...DEFAULT_PPROF_LIMITS,
      ...truncationLimits(limits),
      maxBytes: Infinity, // the caller has inflated within the tenant's limit
      maxSamples: limits.maxSamples || Infinity,
      maxLabelsPerSample: limits.maxLabelsPerSample || Infinity,
    };
    return decodePprofWithHashes(inflated, pprofLimits, TEXT_SEED);
  } catch (error) {
    if (error instanceof ProtocolError) return refusePayload(error, labels);
    throw error;
  }
}

/** Decodes a payload that was admitted before, whatever today's limits are. */
export function decodeAdmitted(inflated: Uint8Array, truncation: Truncation): PprofWithHashes {
  return decodePprofWithHashes(inflated, { ...UNLIMITED, ...truncationLimits(truncation) }, TEXT_SEED);
}

function truncationLimits({
  maxDepth,
  maxSymbolBytes,
}: Truncation): Pick<PprofLimits, "truncateDepth" | "truncateStringBytes"> {
  return { truncateDepth: maxDepth || undefined, truncateStringBytes: maxSymbolBytes || undefined };
}

/**
 * Why a payload that does not decode is not stored.
 *
 * @param labels - of the series, for the texts.
 */
export function refusePayload(error: ProtocolError, labels: LabelSet): Refusal {
  if (error.limit === undefined) {
    // A pprof that decodes and breaks a rule of profile.proto is refused like one that breaks a rule of the tenant's.
    const isUndecodable = error.code !== "PPROF_MALFORMED";
    return new Refusal("malformed_profile", error.message, { isUndecodable });
  }
  const { name, actual, limit } = error.limit;
  const subject = `the profile with labels '${formatLabels(labels)}' exceeds the`;
  const numbers = `actual: ${actual}, limit: ${limit})`;
  switch (name) {
    case "maxSamples":
      return new Refusal(
        "samples_limit",
        `${subject} samples count limit (max_profile_stacktrace_samples, ${numbers}`,
      );
    case "maxLabelsPerSample":
      return new Refusal(
        "sample_labels_limit",
        `${subject} sample labels limit (max_profile_stacktrace_sample_labels, ${numbers}`,
      );
    default:
      return new Refusal("profile_size_limit", `${subject} size limit (${name}, ${numbers}`);
  }
}
