const MEBIBYTE = 1024 * 1024;
const MINUTE_MS = 60_000;

/**
 * What one tenant may push. Names, defaults and meaning are Pyroscope's (pkg/validation/limits.go) except where a
 * field says otherwise; 0 switches a limit off.
 */
export interface IngestLimits {
  /** `ingestion_body_limit_mb`, in bytes: one `/ingest` body, or all profiles of one push, decompressed. */
  readonly bodyLimitBytes: number;
  /** `ingestion_rate_mb`, in bytes of profiles, decompressed; {@link AUTOMATIC_RATE} until the tenant is known. */
  readonly rateBytesPerSecond: number;
  /** `ingestion_burst_size_mb`, in bytes; never less than a second of the rate or the largest profile. */
  readonly burstBytes: number;
  /** `max_profile_size_bytes`: one profile, decompressed. */
  readonly maxProfileSizeBytes: number;
  /** `max_profile_stacktrace_samples`. */
  readonly maxSamples: number;
  /** `max_profile_stacktrace_sample_labels`: labels of one sample. */
  readonly maxLabelsPerSample: number;
  /** `max_profile_stacktrace_depth`: deeper stacks are cut, the root side stays. */
  readonly maxDepth: number;
  /** `max_profile_symbol_value_length`: longer strings of a profile are cut, the tail stays. */
  readonly maxSymbolBytes: number;
  /** `max_label_name_length`. */
  readonly maxLabelNameBytes: number;
  /** `max_label_value_length`. */
  readonly maxLabelValueBytes: number;
  /** `max_label_names_per_series`, `__name__` and `service_name` included. */
  readonly maxLabelNamesPerSeries: number;
  /** `disable_label_sanitization`: label names are kept as they came, any UTF-8. */
  readonly isLabelSanitizationDisabled: boolean;
  /** `max_sessions_per_series`: buckets that `__session_id__` falls into; 0 drops the label. */
  readonly maxSessionsPerSeries: number;
  /** `ingestion_relabeling_rules`, as JSON; "" for none. */
  readonly relabelRules: string;
  /** `max_global_series_per_tenant`; 200,000, where Pyroscope has 5,000 and does not enforce it. */
  readonly maxSeries: number;
  /** `reject_older_than`. */
  readonly rejectOlderThanMs: number;
  /** `reject_newer_than`. */
  readonly rejectNewerThanMs: number;
}

/** A rate that depends on whether there are several tenants: 4 MiB/s for each then, none for a single one. */
export const AUTOMATIC_RATE = -1;

/** The limits of a tenant that nobody configured. */
export const DEFAULT_INGEST_LIMITS: IngestLimits = {
  bodyLimitBytes: 256 * MEBIBYTE,
  rateBytesPerSecond: AUTOMATIC_RATE,
  burstBytes: 2 * MEBIBYTE,
  maxProfileSizeBytes: 4 * MEBIBYTE,
  maxSamples: 16_000,
  maxLabelsPerSample: 100,
  maxDepth: 1000,
  maxSymbolBytes: 65_535,
  maxLabelNameBytes: 1024,
  maxLabelValueBytes: 2048,
  maxLabelNamesPerSeries: 30,
  isLabelSanitizationDisabled: true,
  maxSessionsPerSeries: 0,
  relabelRules: "",
  maxSeries: 200_000,
  rejectOlderThanMs: 60 * MINUTE_MS,
  rejectNewerThanMs: 10 * MINUTE_MS,
};
