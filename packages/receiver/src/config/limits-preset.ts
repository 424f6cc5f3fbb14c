import type { IngestLimits } from "../ingest/limits.ts";
import type { QueryLimits } from "../query/query-service.ts";

const MEBIBYTE = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** Words of `--limits-preset`. */
export const LIMITS_PRESETS = ["default", "pyroscope"] as const;

/** Whose numbers limits have that nobody sets. */
export type LimitsPreset = (typeof LIMITS_PRESETS)[number];

/** Limits that a preset has instead of the defaults. */
interface PresetLimits {
  readonly ingest: Partial<IngestLimits>;
  readonly query: Partial<QueryLimits>;
}

/**
 * Limits by preset; what is absent is as by default. Of Pyroscope's burst one thing is not taken over: a profile that is
 * larger than it can never be pushed there, and can here.
 *
 * Source: Pyroscope pkg/validation/limits.go, release 2.2.
 */
export const presetLimits: Readonly<Record<LimitsPreset, PresetLimits>> = {
  default: { ingest: {}, query: {} },
  pyroscope: {
    ingest: { rateBytesPerSecond: 4 * MEBIBYTE, burstBytes: 2 * MEBIBYTE, maxSeries: 5000 },
    query: { maxQueryLengthMs: 24 * HOUR_MS, maxQueryLookbackMs: 7 * 24 * HOUR_MS },
  },
};
