import type { DiffTree, LabelSet, Tree } from "@pyroscope-ts/protocol";

/**
 * The reads of the receiver, as the storage worker serves them.
 *
 * Requests and answers survive `structuredClone`: selectors travel as text, trees as typed arrays. Every method
 * rejects with a `ReceiverError`: `INVALID_ARGUMENT` for a request that breaks a rule, `OUT_OF_RANGE` when a sum
 * leaves int64, `CANCELLED` when `signal` fires, `DEADLINE_EXCEEDED` after the query deadline, `UNAVAILABLE` when too many
 * queries wait.
 */
export interface QueryService {
  /** Ids of the profile types that have a profile in the range, in byte order. */
  profileTypes(query: RangeQuery, options?: QueryOptions): Promise<Answer<readonly string[]>>;
  /** Names of labels in byte order, internal ones (`__profile_type__`) included. */
  labelNames(query: LabelNamesQuery, options?: QueryOptions): Promise<Answer<readonly string[]>>;
  /** Values of one label in byte order; a series without the label adds none. */
  labelValues(query: LabelValuesQuery, options?: QueryOptions): Promise<Answer<readonly string[]>>;
  /** Distinct label sets, sorted. */
  series(query: SeriesQuery, options?: QueryOptions): Promise<Answer<readonly LabelSet[]>>;
  /** How many series there are, and the labels that make them so many. */
  cardinality(query: LabelNamesQuery, options?: QueryOptions): Promise<Answer<Cardinality>>;
  /** One flame graph, truncated to the query's node limit. */
  selectTree(query: StackQuery, options?: QueryOptions): Promise<Answer<Tree>>;
  /** Two flame graphs laid over each other, truncated to the larger node limit. */
  selectDiffTree(query: DiffQuery, options?: QueryOptions): Promise<Answer<DiffTree>>;
  /** Stacks as bytes of a file: a whole pprof, or a tree. */
  exportStacks(query: ExportQuery, options?: QueryOptions): Promise<Answer<Uint8Array>>;
  /** Totals over time, largest series first. */
  selectTimeSeries(query: TimeSeriesQuery, options?: QueryOptions): Promise<Answer<readonly TimeSeries[]>>;
  /** How many profiles lie where on the plane of time and value. */
  selectHeatmap(query: HeatmapQuery, options?: QueryOptions): Promise<Answer<Heatmap>>;
  /** Which spans the samples belong to, the largest first, and how many belong to none. */
  selectSpans(query: SpanListQuery, options?: QueryOptions): Promise<Answer<SpanTotals>>;
  /** What a query would have to read. */
  analyzeQuery(query: AnalysisQuery, options?: QueryOptions): Promise<Answer<QueryCost>>;
  /** Whether a tenant has data, and from when to when. */
  profileStats(query: { readonly tenant: string }): Promise<ProfileStats>;
}

export interface QueryOptions {
  /** What the tenants of the query are bound to; absent: the limits that the service was made with. */
  readonly limits?: TenantQueryLimits;
  readonly signal?: AbortSignal;
}

/** What a query found, and how complete that is. */
export interface Answer<Value> {
  readonly value: Value;
  /** Ids of the blocks in range that could not be read; header `x-pyroscope-partial`. */
  readonly missingBlocks: readonly string[];
  /** Levels that the answer was made from, the coarsest first: `1h,5m,raw`; header `x-pyroscope-resolution`. */
  readonly resolution: string;
}

/** Whose profiles, and from when. */
export interface RangeQuery {
  /** One or more; their profiles are merged. */
  readonly tenants: readonly string[];
  /** First and last millisecond, both inclusive. 0 is "not given", which is refused. */
  readonly startUnixMillis: number;
  readonly endUnixMillis: number;
}

export interface LabelNamesQuery extends RangeQuery {
  /** Selectors that a series must all satisfy. */
  readonly selectors: readonly string[];
}

export interface LabelValuesQuery extends LabelNamesQuery {
  readonly name: string;
}

export interface SeriesQuery extends LabelNamesQuery {
  /** Which labels to tell apart; empty: all. */
  readonly labelNames: readonly string[];
}

/** Labels by how many values they have. */
export interface Cardinality {
  readonly seriesCount: number;
  /** The most values first. */
  readonly labels: readonly LabelCardinality[];
}

interface LabelCardinality {
  readonly name: string;
  readonly valueCount: number;
  /** Series that have the label. */
  readonly seriesCount: number;
  /** Whether it has so many values that it should probably be no label. */
  readonly isHigh: boolean;
}

/** Which samples: one profile type, a selector, and what narrows it further (all of it together). */
export interface SelectionQuery extends RangeQuery {
  readonly profileType: string;
  readonly selector: string;
  /** Function names, root first, that a stack must begin with. */
  readonly callSite?: readonly string[];
  /** UUIDs that exemplars carry. */
  readonly profileIds?: readonly string[];
  /** 16 hexadecimal digits each. */
  readonly spanIds?: readonly string[];
  /** 32 hexadecimal digits each. */
  readonly traceIds?: readonly string[];
}

export interface StackQuery extends SelectionQuery {
  /** Most nodes of the tree; absent or 0: the default of the limits; negative or above their maximum: refused. */
  readonly maxNodes?: number;
  /** What a frame is named after. Default `function`. */
  readonly frameNames?: FrameNames;
}

/** `function`: functions alone, as Pyroscope does. `line`: `function file:line`, so that two lines of one function differ. */
export type FrameNames = "function" | "line";

export interface DiffQuery {
  readonly left: StackQuery;
  readonly right: StackQuery;
}

/** What {@link QueryService.exportStacks} makes. */
export type ExportFormat =
  /** profile.proto with every frame, file, line, mapping and address; not truncated unless `maxNodes` is given. */
  | "pprof"
  /** Text lines `root;leaf value`. */
  | "collapsed"
  /** The tree bytes of querier.v1. */
  | "tree"
  /** A call graph in Graphviz's language, of `maxNodes` functions, 100 when that is not given; empty without data. */
  | "dot"
  /** JSON that speedscope opens. */
  | "speedscope";

export interface ExportQuery extends StackQuery {
  readonly format: ExportFormat;
  /** Default `none`. */
  readonly compression?: "gzip" | "none";
  /** pprof only: keep this many frames next to the leaf. */
  readonly keepLocations?: number;
  /** pprof only: leaf frames lose their line, so that all callees of one function are one. */
  readonly aggregateCallees?: boolean;
}

export interface TimeSeriesQuery extends SelectionQuery {
  readonly stepMs: number;
  readonly groupBy: readonly string[];
  /** Absent: instant types (inuse, goroutine) average the profiles of a series in a bucket, others sum. */
  readonly aggregation?: "sum" | "average";
  /** Largest N series; absent or 0: all. */
  readonly limit?: number;
  /** Whether each point names the largest profile in it. */
  readonly exemplars?: boolean;
}

/** Values of one group over time, sparse: only buckets that hold a profile. */
export interface TimeSeries {
  /** The group's labels; a label that its series lack is absent. */
  readonly labels: LabelSet;
  /** Right edges of the buckets `(t - step, t]`, ascending. */
  readonly unixMillis: Float64Array;
  /** Parallel to `unixMillis`; exact up to 2^53. */
  readonly values: Float64Array;
  /** Parallel to `unixMillis` when asked for. */
  readonly exemplars?: readonly Exemplar[];
}

/** One profile that stands for a point. */
export interface Exemplar {
  readonly unixMillis: number;
  readonly profileId: string;
  readonly value: bigint;
  /** Labels of its series that are not grouped by. */
  readonly labels: LabelSet;
}

export interface HeatmapQuery extends RangeQuery {
  readonly profileType: string;
  readonly selector: string;
  readonly stepMs: number;
  readonly groupBy: readonly string[];
  /** What is counted: whole profiles, or the samples of one span in one profile. */
  readonly point: "profile" | "span";
  /** Largest N series; absent or 0: all. */
  readonly limit?: number;
  /** Whether each cell names its largest point. */
  readonly exemplars?: boolean;
}

/** Points counted by time and value. */
export interface Heatmap {
  /** Smallest value of each cell, ascending, the same for all series; empty without data. */
  readonly cellMin: Float64Array;
  /** Largest sum first. */
  readonly series: readonly HeatmapSeries[];
}

interface HeatmapSeries {
  /** The group's labels; a label that its series lack is absent. */
  readonly labels: LabelSet;
  /** Ascending in time, only buckets with a point. */
  readonly slots: readonly HeatmapSlot[];
}

interface HeatmapSlot {
  /** Right edge of the bucket `(t - step, t]`. */
  readonly unixMillis: number;
  /** Parallel to {@link Heatmap.cellMin}. */
  readonly counts: Int32Array;
  /** At most one for each cell with a point. */
  readonly exemplars: readonly SpanExemplar[];
}

/** One point that stands for a cell. */
export interface SpanExemplar extends Exemplar {
  /** 16 hexadecimal digits; "" where the point is a profile. */
  readonly spanId: string;
  /** 32 hexadecimal digits; "" where the point is a profile or its span names none. */
  readonly traceId: string;
}

export interface SpanListQuery extends Omit<SelectionQuery, "callSite"> {
  /** Only samples with this function anywhere on their stack. */
  readonly functionName?: string | undefined;
  /** Most names and most spans; absent: 100. */
  readonly limit?: number | undefined;
}

/** Samples summed by span and by name of span. */
export interface SpanTotals {
  /** Sum of all selected samples, in the sample unit of the type. */
  readonly total: bigint;
  /** The part of it that belongs to spans. */
  readonly spanTotal: bigint;
  /** How many spans there are, listed or not. */
  readonly spanCount: number;
  /** Largest total first. */
  readonly names: readonly SpanNameTotal[];
  /** Largest total first. */
  readonly spans: readonly SpanTotal[];
}

/** What the spans of one name in one service have together. */
interface SpanNameTotal {
  readonly service: string;
  /** "" for spans whose samples lack the label `span_name`. */
  readonly name: string;
  readonly spanCount: number;
  readonly total: bigint;
}

/** What one service did under one span. */
export interface SpanTotal extends Omit<SpanNameTotal, "spanCount"> {
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** 32 hexadecimal digits; "" where the samples name none. */
  readonly traceId: string;
  /** Times of the first and the last profile that has samples of it. */
  readonly firstUnixMillis: number;
  readonly lastUnixMillis: number;
}

export interface AnalysisQuery extends RangeQuery {
  /** As `/render` takes it, or a selector alone for every profile type; empty: everything. */
  readonly query: string;
}

/** How much a query would touch. */
export interface QueryCost {
  readonly blockCount: number;
  readonly seriesCount: number;
  readonly profileCount: number;
  readonly sampleCount: number;
  /** Bytes of the files of the blocks in the range; what is in memory has none. */
  readonly indexBytes: number;
  readonly profileBytes: number;
  readonly symbolBytes: number;
}

export interface ProfileStats {
  readonly dataIngested: boolean;
  /** 0 without data. */
  readonly oldestUnixMillis: number;
  readonly newestUnixMillis: number;
}

/** Bounds of a query that a tenant can have its own of; 0 is "no limit" for lengths and times. */
export interface TenantQueryLimits {
  readonly maxQueryLengthMs: number;
  readonly maxQueryLookbackMs: number;
  readonly maxFlamegraphNodesDefault: number;
  readonly maxFlamegraphNodesMax: number;
  /** Estimated bytes that one query may take beside DuckDB. */
  readonly maxQueryMemoryBytes: number;
}

/** Bounds of queries; 0 is "no limit" for lengths and times. */
export interface QueryLimits extends TenantQueryLimits {
  readonly maxConcurrentQueries: number;
  readonly maxWaitingQueries: number;
  readonly queryTimeoutMs: number;
  /** Bytes of answers that are kept for equal queries; 0: none. */
  readonly cacheBytes: number;
}

/**
 * The limits of an installation that sets none.
 *
 * Node limits are Pyroscope's; half a gigabyte for all queries beside the other half for DuckDB keeps the process at one, however many ask;
 * length and lookback are off, since a self-hosted year must be readable. DuckDB gives
 * each query every core, so that 4 at once already keep a small machine busy; the time-out is below the 60 s that
 * Grafana and most proxies wait.
 */
export const DEFAULT_QUERY_LIMITS: QueryLimits = {
  maxQueryLengthMs: 0,
  maxQueryLookbackMs: 0,
  maxFlamegraphNodesDefault: 8192,
  maxFlamegraphNodesMax: 1_048_576,
  maxQueryMemoryBytes: 512 * 1024 * 1024,
  maxConcurrentQueries: 4,
  maxWaitingQueries: 256,
  queryTimeoutMs: 55_000,
  cacheBytes: 32 * 1024 * 1024,
};
