import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** The metrics of one receiver, one object for each row of {@link metricTable}. */
export interface MetricSet {
  readonly buildInfo: Gauge<"version" | "node">;
  readonly requestDuration: Histogram<"method" | "route" | "status_code">;
  readonly inflightRequests: Gauge<"method" | "route">;
  readonly inflightBodyBytes: Gauge<never>;
  readonly receivedProfiles: Counter<"tenant">;
  readonly receivedBytes: Counter<"tenant">;
  readonly receivedCompressedBytes: Histogram<"type" | "tenant">;
  readonly receivedDecompressedBytes: Histogram<"type" | "tenant">;
  readonly receivedSamples: Histogram<"type" | "tenant">;
  readonly sanitizedLabelNames: Counter<"tenant">;
  readonly foldedSeries: Counter<"tenant">;
  readonly discardedSamples: Counter<"reason" | "tenant">;
  readonly discardedBytes: Counter<"reason" | "tenant">;
  readonly forwardedPushes: Counter<"outcome">;
  readonly forwardQueueBytes: Gauge<never>;
  readonly queriesInProgress: Gauge<never>;
  readonly queryCacheHits: Gauge<never>;
  readonly queryCacheMisses: Gauge<never>;
  readonly queryCacheBytes: Gauge<never>;
  readonly joinedQueries: Gauge<never>;
  readonly activeSeries: Gauge<never>;
  readonly runtimeConfigLoaded: Gauge<never>;
  readonly limitsDefaults: Gauge<"limit_name">;
  readonly limitsOverrides: Gauge<"limit_name" | "tenant">;
  readonly failedRecordings: Gauge<never>;
  readonly storageHeadRows: Gauge<never>;
  readonly storageHeadBytes: Gauge<never>;
  readonly storageHeadProfiles: Gauge<never>;
  readonly storageBlocks: Gauge<never>;
  readonly storageBlockBytes: Gauge<never>;
  readonly storageLogSegments: Gauge<never>;
  readonly storageLogBytes: Gauge<never>;
  readonly storageQuarantinedBlocks: Gauge<never>;
  readonly storageQuarantinedLogPieces: Gauge<never>;
  readonly storageDuplicateProfiles: Gauge<never>;
  readonly storageFailedBlockWrites: Gauge<never>;
  readonly storageUnshippedBlocks: Gauge<never>;
  readonly storageTakesWrites: Gauge<never>;
}

/** How one metric is declared. */
interface MetricRow<Kind extends string, Label extends string> {
  readonly kind: Kind;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
  readonly buckets?: readonly number[];
}

// A gauge has everything that a counter has: it is asked for first.
type RowOf<Metric> =
  Metric extends Gauge<infer Label>
    ? MetricRow<"gauge", Label>
    : Metric extends Counter<infer Label>
      ? MetricRow<"counter", Label>
      : Metric extends Histogram<infer Label>
        ? MetricRow<"histogram", Label>
        : never;

// Queries take from a millisecond to the query time-out; pushes of a group commit a few milliseconds.
const DURATION_BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

// A profile has a few hundred bytes to max_profile_size_bytes, and up to max_profile_stacktrace_samples samples.
const PROFILE_SIZE_BUCKETS_BYTES = [1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];
const SAMPLE_COUNT_BUCKETS = [10, 50, 250, 1000, 4000, 16_000];

/**
 * Every metric of the receiver beside those of the process. Names that Pyroscope has too mean the same there, so that its
 * dashboards work.
 */
export const metricTable: { readonly [K in keyof MetricSet]: RowOf<MetricSet[K]> } = {
  buildInfo: {
    kind: "gauge",
    name: "pyroscope_build_info",
    help: "1, labelled with the version that runs.",
    labels: ["version", "node"],
  },
  requestDuration: {
    kind: "histogram",
    name: "pyroscope_request_duration_seconds",
    help: "Time from the head of a request to the end of its response.",
    labels: ["method", "route", "status_code"],
    buckets: DURATION_BUCKETS_SECONDS,
  },
  inflightRequests: {
    kind: "gauge",
    name: "pyroscope_inflight_requests",
    help: "Requests that have no complete response yet.",
    labels: ["method", "route"],
  },
  inflightBodyBytes: {
    kind: "gauge",
    name: "pyroscope_inflight_body_bytes",
    help: "Bytes of request bodies that are held in memory.",
    labels: [],
  },
  receivedProfiles: {
    kind: "counter",
    name: "pyroscope_received_profiles_total",
    help: "Profiles that were admitted and are durable.",
    labels: ["tenant"],
  },
  receivedBytes: {
    kind: "counter",
    name: "pyroscope_received_bytes_total",
    help: "Bytes of profiles as they were sent, refused ones included.",
    labels: ["tenant"],
  },
  receivedCompressedBytes: {
    kind: "histogram",
    name: "pyroscope_distributor_received_compressed_bytes",
    help: "Bytes of a profile as it was sent, refused ones included.",
    labels: ["type", "tenant"],
    buckets: PROFILE_SIZE_BUCKETS_BYTES,
  },
  receivedDecompressedBytes: {
    kind: "histogram",
    name: "pyroscope_distributor_received_decompressed_bytes",
    help: "Decompressed bytes of a stored profile.",
    labels: ["type", "tenant"],
    buckets: PROFILE_SIZE_BUCKETS_BYTES,
  },
  receivedSamples: {
    kind: "histogram",
    name: "pyroscope_distributor_received_samples",
    help: "Samples of a stored profile.",
    labels: ["type", "tenant"],
    buckets: SAMPLE_COUNT_BUCKETS,
  },
  sanitizedLabelNames: {
    kind: "counter",
    name: "pyroscope_sanitized_label_names_total",
    help: "Label names that were made classic ones, for tenants with disable_label_sanitization off.",
    labels: ["tenant"],
  },
  foldedSeries: {
    kind: "counter",
    name: "pyroscope_folded_series_total",
    help: "Series of pushed profiles that were folded into the one with __overflow__, at the limit of series.",
    labels: ["tenant"],
  },
  discardedSamples: {
    kind: "counter",
    name: "pyroscope_discarded_samples_total",
    help: "Profiles that were refused, by reason. Pyroscope's name; it counts profiles.",
    labels: ["reason", "tenant"],
  },
  discardedBytes: {
    kind: "counter",
    name: "pyroscope_discarded_bytes_total",
    help: "Decompressed bytes of profiles that were refused, by reason.",
    labels: ["reason", "tenant"],
  },
  forwardedPushes: {
    kind: "counter",
    name: "pyroscope_forwarded_pushes_total",
    help: "Accepted pushes for the server of --forward-to: sent, refused there, failed after several tries, or dropped because too many wait.",
    labels: ["outcome"],
  },
  forwardQueueBytes: {
    kind: "gauge",
    name: "pyroscope_forward_queue_bytes",
    help: "Bytes of pushes that wait to be forwarded.",
    labels: [],
  },
  queriesInProgress: {
    kind: "gauge",
    name: "pyroscope_queries_in_progress",
    help: "Queries that have no answer yet, those that wait for their turn included.",
    labels: [],
  },
  queryCacheHits: {
    kind: "gauge",
    name: "pyroscope_query_cache_hits",
    help: "Queries since the start whose answer was kept from an equal one, while nothing had changed that it was read from.",
    labels: [],
  },
  queryCacheMisses: {
    kind: "gauge",
    name: "pyroscope_query_cache_misses",
    help: "Queries since the start that were read from the store.",
    labels: [],
  },
  queryCacheBytes: {
    kind: "gauge",
    name: "pyroscope_query_cache_bytes",
    help: "Bytes of answers that are kept for equal queries.",
    labels: [],
  },
  joinedQueries: {
    kind: "gauge",
    name: "pyroscope_query_joined",
    help: "Queries since the start that got the answer of an equal one, which had waited for its turn when they came.",
    labels: [],
  },
  activeSeries: {
    kind: "gauge",
    name: "pyroscope_active_series",
    help: "Series of all tenants that had a profile in the last hour; what counts against the limit of series.",
    labels: [],
  },
  runtimeConfigLoaded: {
    kind: "gauge",
    name: "pyroscope_runtime_config_last_reload_successful",
    help: "0 when the file of overrides could not be used the last time that it was read, else 1.",
    labels: [],
  },
  limitsDefaults: {
    kind: "gauge",
    name: "pyroscope_limits_defaults",
    help: "Limits of a tenant that has none of its own, by their names in the file of overrides; times in seconds.",
    labels: ["limit_name"],
  },
  limitsOverrides: {
    kind: "gauge",
    name: "pyroscope_limits_overrides",
    help: "Limits that the file of overrides gives a tenant; times in seconds.",
    labels: ["limit_name", "tenant"],
  },
  failedRecordings: {
    kind: "gauge",
    name: "pyroscope_recording_rule_failures",
    help: "Evaluations of recording rules over new blocks that failed since the start: their metrics are too small by that.",
    labels: [],
  },
  storageHeadRows: {
    kind: "gauge",
    name: "pyroscope_storage_head_rows",
    help: "Rows of samples in memory that no block holds yet.",
    labels: [],
  },
  storageHeadBytes: {
    kind: "gauge",
    name: "pyroscope_storage_head_bytes",
    help: "Estimated bytes of the rows in memory that no block holds yet.",
    labels: [],
  },
  storageHeadProfiles: {
    kind: "gauge",
    name: "pyroscope_storage_head_profiles",
    help: "Profiles in memory that no block holds yet.",
    labels: [],
  },
  storageBlocks: {
    kind: "gauge",
    name: "pyroscope_storage_blocks",
    help: "Blocks on disk.",
    labels: [],
  },
  storageBlockBytes: {
    kind: "gauge",
    name: "pyroscope_storage_block_bytes",
    help: "Bytes of the blocks on disk.",
    labels: [],
  },
  storageLogSegments: {
    kind: "gauge",
    name: "pyroscope_storage_log_segments",
    help: "Segments of the write-ahead log that no block replaces yet.",
    labels: [],
  },
  storageLogBytes: {
    kind: "gauge",
    name: "pyroscope_storage_log_bytes",
    help: "Bytes of the write-ahead log that no block replaces yet.",
    labels: [],
  },
  storageQuarantinedBlocks: {
    kind: "gauge",
    name: "pyroscope_storage_quarantined_blocks",
    help: "Damaged blocks that were set aside. Above 0, look into quarantine/ of the data directory.",
    labels: [],
  },
  storageQuarantinedLogPieces: {
    kind: "gauge",
    name: "pyroscope_storage_quarantined_log_pieces",
    help: "Damaged pieces of the write-ahead log that were set aside since the start.",
    labels: [],
  },
  storageDuplicateProfiles: {
    kind: "gauge",
    name: "pyroscope_storage_duplicate_profiles",
    help: "Profiles that came again since the start and were counted once.",
    labels: [],
  },
  storageFailedBlockWrites: {
    kind: "gauge",
    name: "pyroscope_storage_failed_block_writes",
    help: "Attempts to write blocks to the disk or the bucket that failed since the start. Each is tried again.",
    labels: [],
  },
  storageUnshippedBlocks: {
    kind: "gauge",
    name: "pyroscope_storage_unshipped_blocks",
    help: "Blocks that the bucket does not have yet.",
    labels: [],
  },
  storageTakesWrites: {
    kind: "gauge",
    name: "pyroscope_storage_takes_writes",
    help: "1 while the disk takes writes, else 0.",
    labels: [],
  },
};

/** A metric under a name of Pyroscope's that dashboards use. */
interface MetricAlias {
  readonly of: keyof MetricSet;
  readonly name: string;
}

/** Second names of metrics: today's Pyroscope's, and those of dashboards that were made for older ones. */
export const metricAliases: readonly MetricAlias[] = [
  { of: "receivedProfiles", name: "pyroscope_distributor_profiles_received_total" },
  { of: "receivedProfiles", name: "pyroscope_distributor_received_samples_total" },
  { of: "activeSeries", name: "pyroscope_ingester_memory_series" },
  { of: "storageFailedBlockWrites", name: "pyroscope_ingester_shipper_uploads_failed_total" },
  { of: "storageBlocks", name: "pyroscope_bucket_store_blocks_loaded" },
  { of: "queriesInProgress", name: "pyroscope_query_frontend_queries_in_progress" },
];

type AnyMetricRow = MetricRow<"counter" | "gauge" | "histogram", string>;

/** Metrics and the text that Prometheus reads. */
export interface ReceiverMetrics {
  readonly metrics: MetricSet;
  /** Everything as Prometheus text; `contentType` goes with it. */
  render(): Promise<string>;
  readonly contentType: string;
}

/** Options of {@link createMetrics}. */
export interface MetricsOptions {
  /** Whether memory, CPU, garbage collection and event-loop delay of this process are included. */
  readonly isProcessIncluded: boolean;
}

/** Makes the metrics of one receiver, in a registry of its own: two receivers in one process do not share numbers. */
export function createMetrics({ isProcessIncluded }: MetricsOptions): ReceiverMetrics {
  const registry = new Registry();
  const entries = Object.entries(metricTable).map(
    ([key, row]) => [key, createMetric(row, registry)] as const,
  );
  if (isProcessIncluded) collectDefaultMetrics({ register: registry });
  return {
    // Each row made the object that its type says.
    metrics: Object.fromEntries(entries) as unknown as MetricSet,
    render: async () => {
      const aliases = await Promise.all(metricAliases.map((alias) => renderAlias(alias, registry)));
      return [await registry.metrics(), ...aliases].join("\n");
    },
    contentType: registry.contentType,
  };
}

/** The text of a metric, under its second name. Both names are words, so that none is a part of the other's lines. */
async function renderAlias({ of, name }: MetricAlias, registry: Registry): Promise<string> {
  const original = metricTable[of].name;
  const text = await registry.getSingleMetricAsString(original);
  return `${text.replaceAll(new RegExp(`^(# (?:HELP|TYPE) )?${original}\\b`, "gm"), `$1${name}`)}\n`;
}

function createMetric(row: AnyMetricRow, registry: Registry): Counter | Gauge | Histogram {
  const options = { name: row.name, help: row.help, labelNames: [...row.labels], registers: [registry] };
  switch (row.kind) {
    case "counter":
      return new Counter(options);
    case "gauge":
      return new Gauge(options);
    case "histogram":
      return new Histogram({ ...options, buckets: [...(row.buckets ?? [])] });
  }
}
