/** What a reason means, for `/metrics`, docs and clients. */
export interface DiscardReasonRow {
  /** One sentence: when a profile is refused for this reason. */
  readonly help: string;
  /** Connect code that the client gets. */
  readonly code: "invalid_argument" | "resource_exhausted" | "unavailable" | "internal";
}

/** Name of a row of {@link discardReasons}. */
export type DiscardReason =
  | "malformed_profile"
  | "profile_size_limit"
  | "samples_limit"
  | "sample_labels_limit"
  | "not_in_ingestion_window"
  | "missing_labels"
  | "invalid_labels"
  | "max_label_names_per_series"
  | "label_name_too_long"
  | "label_value_too_long"
  | "duplicate_label_names"
  | "rate_limited"
  | "series_limit"
  | "body_size_limit_exceeded"
  | "storage_unavailable"
  | "overloaded"
  | "unknown";

/**
 * Every reason a profile is refused for: the `reason` of `pyroscope_discarded_samples_total` and
 * `pyroscope_discarded_bytes_total`. Names up to `body_size_limit_exceeded` are Pyroscope's.
 */
export const discardReasons: { readonly [K in DiscardReason]: DiscardReasonRow } = {
  malformed_profile: {
    help: "The payload is not of the format it was sent as, breaks a rule of it, or has values that cannot be summed.",
    code: "invalid_argument",
  },
  profile_size_limit: {
    help: "The profile, decompressed, is larger than max_profile_size_bytes, or one of its tables has too many rows.",
    code: "invalid_argument",
  },
  samples_limit: {
    help: "The profile has more samples than max_profile_stacktrace_samples.",
    code: "invalid_argument",
  },
  sample_labels_limit: {
    help: "A sample has more labels than max_profile_stacktrace_sample_labels.",
    code: "invalid_argument",
  },
  not_in_ingestion_window: {
    help: "The profile's time is before now - reject_older_than or after now + reject_newer_than.",
    code: "invalid_argument",
  },
  missing_labels: {
    help: "A series has no labels, or none that names its service.",
    code: "invalid_argument",
  },
  invalid_labels: {
    help: "A label name or value of a series, or the name of its application, is not allowed, or __name__ is missing.",
    code: "invalid_argument",
  },
  max_label_names_per_series: {
    help: "A series has more labels than max_label_names_per_series.",
    code: "invalid_argument",
  },
  label_name_too_long: {
    help: "A label name is longer than max_label_name_length.",
    code: "invalid_argument",
  },
  label_value_too_long: {
    help: "A label value is longer than max_label_value_length.",
    code: "invalid_argument",
  },
  duplicate_label_names: {
    help: "A series names one label twice.",
    code: "invalid_argument",
  },
  rate_limited: {
    help: "The tenant pushes more than ingestion_rate_mb; Retry-After says when there is room again.",
    code: "resource_exhausted",
  },
  series_limit: {
    help: "A service with new labels would pass max_global_series_per_tenant.",
    code: "resource_exhausted",
  },
  body_size_limit_exceeded: {
    help: "The body of a request, or its profiles decompressed and taken together, is larger than ingestion_body_limit_mb.",
    code: "invalid_argument",
  },
  storage_unavailable: {
    help: "The disk did not take the profile. Nothing of it was acknowledged; the client may send it again.",
    code: "unavailable",
  },
  overloaded: {
    help: "More is pushed than can be stored: the push would have waited longer than max-push-wait. The client may send it again.",
    code: "unavailable",
  },
  unknown: {
    help: "A defect of the receiver; its log has the details.",
    code: "internal",
  },
};

/** The Connect codes of refused profiles. */
export type DiscardCode = DiscardReasonRow["code"];
