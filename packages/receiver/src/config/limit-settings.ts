import { DEFAULT_INGEST_LIMITS, type IngestLimits } from "../ingest/limits.ts";
import { DEFAULT_QUERY_LIMITS, type QueryLimits, type TenantQueryLimits } from "../query/query-service.ts";
import { DEFAULT_RULE_LIMITS, type RuleLimits } from "../rules/rule-limits.ts";
import type { SettingTable } from "./setting.ts";
import {
  count,
  duration,
  mebibytes,
  mebibytesOrAuto,
  positiveCount,
  positiveDuration,
  recordingRules,
  relabelRules,
  toggle,
} from "./setting-kinds.ts";

const ingest: IngestLimits = DEFAULT_INGEST_LIMITS;
const query: QueryLimits = DEFAULT_QUERY_LIMITS;

/** Limits of pushes. Flags are the names of Pyroscope's limits with dashes. */
export const ingestLimitSettings: SettingTable<IngestLimits> = {
  bodyLimitBytes: {
    ...mebibytes,
    flag: "ingestion-body-limit-mb",
    fallback: ingest.bodyLimitBytes,
    help: "Largest /ingest body, and all profiles of one push together, decompressed. 0: no limit.",
  },
  rateBytesPerSecond: {
    ...mebibytesOrAuto,
    flag: "ingestion-rate-mb",
    fallback: ingest.rateBytesPerSecond,
    help: "Profiles of one tenant per second, decompressed. auto: 4 with several tenants, else no limit. 0: no limit.",
  },
  burstBytes: {
    ...mebibytes,
    flag: "ingestion-burst-size-mb",
    fallback: ingest.burstBytes,
    help: "What may come at once above the rate; at least max-profile-size-bytes and one second of the rate.",
  },
  maxProfileSizeBytes: {
    ...count,
    flag: "max-profile-size-bytes",
    fallback: ingest.maxProfileSizeBytes,
    help: "Largest profile, decompressed. 0: no limit.",
  },
  maxSamples: {
    ...count,
    flag: "max-profile-stacktrace-samples",
    fallback: ingest.maxSamples,
    help: "Most samples of one profile. 0: no limit.",
  },
  maxLabelsPerSample: {
    ...count,
    flag: "max-profile-stacktrace-sample-labels",
    fallback: ingest.maxLabelsPerSample,
    help: "Most labels of one sample. 0: no limit.",
  },
  maxDepth: {
    ...count,
    flag: "max-profile-stacktrace-depth",
    fallback: ingest.maxDepth,
    help: "Deeper stacks are cut; the root side stays. 0: no limit.",
  },
  maxSymbolBytes: {
    ...count,
    flag: "max-profile-symbol-value-length",
    fallback: ingest.maxSymbolBytes,
    help: "Longer names in a profile are cut; their end stays. 0: no limit.",
  },
  maxLabelNameBytes: {
    ...count,
    flag: "max-label-name-length",
    fallback: ingest.maxLabelNameBytes,
    help: "Longest label name, in bytes. 0: no limit.",
  },
  maxLabelValueBytes: {
    ...count,
    flag: "max-label-value-length",
    fallback: ingest.maxLabelValueBytes,
    help: "Longest label value, in bytes. 0: no limit.",
  },
  maxLabelNamesPerSeries: {
    ...count,
    flag: "max-label-names-per-series",
    fallback: ingest.maxLabelNamesPerSeries,
    help: "Most labels of one series, __name__ and service_name included. 0: no limit.",
  },
  isLabelSanitizationDisabled: {
    ...toggle,
    flag: "disable-label-sanitization",
    fallback: ingest.isLabelSanitizationDisabled,
    help: "Keep label names as they came, any UTF-8; false: dots become _, and other characters outside [a-zA-Z0-9_] are refused.",
  },
  maxSessionsPerSeries: {
    ...count,
    flag: "max-sessions-per-series",
    fallback: ingest.maxSessionsPerSeries,
    help: "Values that __session_id__ of one series can have: its hash by this number. 0: the label is dropped.",
  },
  relabelRules: {
    ...relabelRules,
    flag: "ingestion-relabeling-rules",
    fallback: ingest.relabelRules,
    help: "Rules as Prometheus's relabel_config, in YAML, for the labels of each series; what they drop is counted, not stored.",
  },
  maxSeries: {
    ...count,
    flag: "max-global-series-per-tenant",
    fallback: ingest.maxSeries,
    help: "Most series of one tenant. 0: no limit.",
  },
  rejectOlderThanMs: {
    ...duration,
    flag: "reject-older-than",
    fallback: ingest.rejectOlderThanMs,
    help: "Refuse profiles whose time is further in the past. 0: no limit.",
  },
  rejectNewerThanMs: {
    ...duration,
    flag: "reject-newer-than",
    fallback: ingest.rejectNewerThanMs,
    help: "Refuse profiles whose time is further in the future. 0: no limit.",
  },
};

/** Limits of queries that a tenant can have its own of. */
export const tenantQueryLimitSettings: SettingTable<TenantQueryLimits> = {
  maxQueryLengthMs: {
    ...duration,
    flag: "max-query-length",
    fallback: query.maxQueryLengthMs,
    help: "Longest time range of a query. 0: no limit.",
  },
  maxQueryLookbackMs: {
    ...duration,
    flag: "max-query-lookback",
    fallback: query.maxQueryLookbackMs,
    help: "How far back queries see. 0: no limit.",
  },
  maxFlamegraphNodesDefault: {
    ...positiveCount,
    flag: "max-flamegraph-nodes-default",
    fallback: query.maxFlamegraphNodesDefault,
    help: "Nodes of a flame graph when the query names no number.",
  },
  maxFlamegraphNodesMax: {
    ...positiveCount,
    flag: "max-flamegraph-nodes-max",
    fallback: query.maxFlamegraphNodesMax,
    help: "Most nodes that a query may ask for.",
  },
  maxQueryMemoryBytes: {
    ...mebibytes,
    flag: "max-query-memory-mb",
    fallback: query.maxQueryMemoryBytes,
    help: "Estimated memory of one query beside DuckDB's; all that run share as much, and others wait. 0: no limit.",
  },
};

/** Limits of queries. */
export const queryLimitSettings: SettingTable<QueryLimits> = {
  ...tenantQueryLimitSettings,
  maxConcurrentQueries: {
    ...positiveCount,
    flag: "max-concurrent-queries",
    fallback: query.maxConcurrentQueries,
    help: "Queries that run at once; others wait.",
  },
  maxWaitingQueries: {
    ...count,
    flag: "max-waiting-queries",
    fallback: query.maxWaitingQueries,
    help: "Queries that may wait; one more is answered 503.",
  },
  queryTimeoutMs: {
    ...positiveDuration,
    flag: "query-timeout",
    fallback: query.queryTimeoutMs,
    help: "A query that takes longer is stopped and answered 504.",
  },
  cacheBytes: {
    ...mebibytes,
    flag: "query-cache-mb",
    fallback: query.cacheBytes,
    help: "Answers that are kept for equal queries, for as long as nothing changes that they were read from. 0: none.",
  },
};

/** Limits of recording rules. */
export const ruleLimitSettings: SettingTable<RuleLimits> = {
  maxRuleCount: {
    ...count,
    flag: "max-recording-rules",
    fallback: DEFAULT_RULE_LIMITS.maxRuleCount,
    help: "Most recording rules that one tenant makes. 0: no limit.",
  },
  provisionedRules: {
    ...recordingRules,
    flag: "recording-rules",
    fallback: DEFAULT_RULE_LIMITS.provisionedRules,
    help: "Recording rules of every tenant, in YAML as Pyroscope's recording_rules; no client can change them.",
  },
};
