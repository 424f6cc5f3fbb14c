import type { DiscardReason } from "./discard-reasons.ts";

/** What is kept although something about it is odd. */
type Oddity =
  /** Profiles without a service. */
  | "unknown_service"
  /** One service, two programs that profile it. */
  | "several_clients"
  /** Labels of samples were folded at the limit of series. */
  | "folded_series"
  /** Relabeling rules of the tenant dropped series. */
  | "dropped_by_relabel_rules"
  /** Frames are addresses: the agent found no symbols. */
  | "unsymbolized"
  /** A Grafana that has no Profiles Drilldown reads here. */
  | "old_grafana";

/** Name of a finding of the doctor. */
export type FindingReason = DiscardReason | Oddity;

/** How the one who sends the profiles, or the one who runs the server, gets rid of a finding. */
export const findingAdvice: { readonly [K in FindingReason]: string } = {
  malformed_profile:
    "Update the client, or capture one profile with `go tool pprof -raw` and look at what the message names. Sending it again does not help.",
  profile_size_limit: "Upload more often, so that one profile is smaller, or raise max_profile_size_bytes.",
  samples_limit: "Upload more often or sample less, or raise max_profile_stacktrace_samples.",
  sample_labels_limit:
    "Set fewer labels around the code that is profiled, or raise max_profile_stacktrace_sample_labels.",
  not_in_ingestion_window:
    "Set the clock of the sender. For old profiles that are meant, set reject_older_than to 0.",
  missing_labels: "Send the label __name__, and service_name beside it.",
  invalid_labels:
    "Use label names of letters, digits and underscores, and values that are text. The message names the label.",
  max_label_names_per_series:
    "Set fewer labels; what differs per request belongs to a span, not to a label. Or raise max_label_names_per_series.",
  label_name_too_long: "Shorten the label's name, or raise max_label_name_length.",
  label_value_too_long:
    "Do not put texts such as URLs or queries into labels, or raise max_label_value_length.",
  duplicate_label_names: "Set each label once: the client and its agent may both add it.",
  rate_limited: "Upload less often or sample less, or raise ingestion_rate_mb of this tenant.",
  series_limit:
    "Remove labels with many values: /api/v1/cardinality shows which. Or raise max_global_series_per_tenant.",
  body_size_limit_exceeded: "Send fewer profiles in one request, or raise ingestion_body_limit_mb.",
  storage_unavailable: "Free space on the disk of the data directory. Clients that try again lose nothing.",
  overloaded:
    "Give the receiver more CPU or a faster disk, upload less often, or share the work among several (docs/scale-out.md). Clients that try again lose nothing.",
  unknown: "Look for the request in the log of the receiver; this is a defect of it.",
  unknown_service:
    "Set the application's name: appName or PYROSCOPE_APPLICATION_NAME in an SDK, service_name in Alloy.",
  folded_series:
    "Set no labels with many values around the code that is profiled: /api/v1/cardinality shows which. Or raise max_global_series_per_tenant.",
  dropped_by_relabel_rules:
    "Nothing is wrong if that is what ingestion_relabeling_rules of this tenant are for; else look for the rule with the action drop or keep.",
  unsymbolized:
    'Keep the symbols in the binary (Go: no -ldflags="-s -w"; C and C++: no strip), or profile the service with an SDK; see docs/pitfalls.md.',
  old_grafana: "Update Grafana to 10.4 or newer: older ones can show panels, but not explore profiles.",
  several_clients:
    "An SDK and an agent profile the same service and count its time twice: switch one of them off, or rename its service.",
};
