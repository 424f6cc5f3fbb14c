import { buildTree, diffTrees, type Tree, truncateDiffTree } from "@pyroscope-ts/protocol";
import type { Clock } from "../clock.ts";
import type { Store } from "../store/store.ts";
import { EMPTY_HEATMAP, heatmapTables, readHeatmap } from "./heatmap-query.ts";
import {
  checkLabelName,
  NO_CARDINALITY,
  planLabels,
  readCardinality,
  readLabelNames,
  readLabelValues,
  readProfileTypes,
  readSeries,
} from "./label-queries.ts";
import { resolveMaxNodes } from "./node-limit.ts";
import { NO_COST, planAnalysis, readQueryCost } from "./query-cost.ts";
import { createQueryGate } from "./query-gate.ts";
import type {
  AnalysisQuery,
  Answer,
  Cardinality,
  DiffQuery,
  ExportQuery,
  Heatmap,
  HeatmapQuery,
  LabelNamesQuery,
  LabelValuesQuery,
  ProfileStats,
  QueryCost,
  QueryLimits,
  QueryOptions,
  QueryService,
  RangeQuery,
  SeriesQuery,
  SpanListQuery,
  SpanTotals,
  StackQuery,
  TenantQueryLimits,
  TimeSeries,
  TimeSeriesQuery,
} from "./query-service.ts";
import { parseSelection } from "./selection.ts";
import { joinResolutions, type ReaderStatus, SnapshotReader } from "./snapshot-reader.ts";
import { NO_SPANS, readSpans, resolveSpanLimit, spanTables } from "./span-queries.ts";
import { compress, emptyExport, readExport, readTree, STACK_TABLES } from "./stack-queries.ts";
import { resolveTimeRange, type TimeRange } from "./time-range.ts";
import { layGrid, readTimeSeries, timeSeriesLevel, timeSeriesTables } from "./time-series-query.ts";

/** What queries are answered from. */
export interface QuerierOptions {
  readonly store: Pick<Store, "snapshot" | "stats" | "version">;
  readonly limits: QueryLimits;
  readonly clock: Pick<Clock, "nowUnixMillis" | "setTimer">;
}

/** What Pyroscope looks at when a client asks for profile types without a range. */
const DEFAULT_TYPES_RANGE_MS = 3_600_000;

/** Answers queries from a store: checks the request, waits its turn, reads one snapshot. */
export class Querier implements QueryService {
  readonly #store: QuerierOptions["store"];
  readonly #limits: QueryLimits;
  readonly #clock: QuerierOptions["clock"];
  readonly #reader: SnapshotReader;

  constructor({ store, limits, clock }: QuerierOptions) {
    this.#store = store;
    this.#limits = limits;
    this.#clock = clock;
    this.#reader = new SnapshotReader({
      store,
      gate: createQueryGate(limits, clock),
      cacheBytes: limits.cacheBytes,
      memoryBytes: limits.maxQueryMemoryBytes,
    });
  }

  /** How often answers were there already. */
  get status(): ReaderStatus {
    return this.#reader.status;
  }

  async profileTypes(query: RangeQuery, options?: QueryOptions): Promise<Answer<readonly string[]>> {
    const now = this.#clock.nowUnixMillis();
    const isOpen = query.startUnixMillis === 0 && query.endUnixMillis === 0;
    const asked = isOpen ? { startUnixMillis: now - DEFAULT_TYPES_RANGE_MS, endUnixMillis: now } : query;
    const plan = planLabels({ ...query, selectors: [] }, this.#range(asked, options));
    return await this.#reader.read(
      plan,
      { kind: "profileTypes", query: {}, isRangeFree: true },
      [],
      readProfileTypes,
      options,
    );
  }

  async labelNames(query: LabelNamesQuery, options?: QueryOptions): Promise<Answer<readonly string[]>> {
    const plan = planLabels(query, this.#range(query, options));
    return await this.#reader.read(
      plan,
      { kind: "labelNames", query, isRangeFree: true },
      [],
      readLabelNames,
      options,
    );
  }

  async labelValues(query: LabelValuesQuery, options?: QueryOptions): Promise<Answer<readonly string[]>> {
    const range = this.#range(query, options);
    checkLabelName(query);
    const plan = planLabels(query, range);
    return await this.#reader.read(
      plan,
      { kind: "labelValues", query, isRangeFree: true },
      [],
      (context) => readLabelValues(context, query.name),
      options,
    );
  }

  async series(query: SeriesQuery, options?: QueryOptions): ReturnType<QueryService["series"]> {
    const plan = planLabels(query, this.#range(query, options));
    return await this.#reader.read(
      plan,
      { kind: "series", query, isRangeFree: true },
      [],
      (context) => readSeries(context, query),
      options,
    );
  }

  async cardinality(query: LabelNamesQuery, options?: QueryOptions): Promise<Answer<Cardinality>> {
    const plan = planLabels(query, this.#range(query, options));
    const asked = { kind: "cardinality", query, isRangeFree: true };
    return await this.#reader.read(plan, asked, NO_CARDINALITY, readCardinality, options);
  }

  async selectTree(query: StackQuery, options?: QueryOptions): Promise<Answer<Tree>> {
    const selection = parseSelection(query, this.#range(query, options), STACK_TABLES);
    const maxNodes = resolveMaxNodes(query.maxNodes, this.#limitsOf(options));
    const frameNames = query.frameNames ?? "function";
    return await this.#reader.read(
      { ...selection.plan, isSummed: true },
      { kind: "tree", query: { ...query, maxNodes, frameNames }, isRangeFree: true },
      emptyTree(),
      (context) => readTree(context, selection, { maxNodes, frameNames }),
      options,
    );
  }

  async selectDiffTree(query: DiffQuery, options?: QueryOptions): ReturnType<QueryService["selectDiffTree"]> {
    const sides = [query.left, query.right];
    const maxNodes = Math.max(
      ...sides.map((side) => resolveMaxNodes(side.maxNodes, this.#limitsOf(options))),
    );
    const answers = sides.map((side) => this.#wholeTree(side, options));
    const [left, right] = (await Promise.all(answers)) as [Answer<Tree>, Answer<Tree>];
    return {
      value: truncateDiffTree(diffTrees(left.value, right.value), maxNodes),
      missingBlocks: [...new Set([...left.missingBlocks, ...right.missingBlocks])],
      resolution: joinResolutions([left.resolution, right.resolution]),
    };
  }

  async exportStacks(query: ExportQuery, options?: QueryOptions): Promise<Answer<Uint8Array>> {
    const selection = parseSelection(query, this.#range(query, options), STACK_TABLES);
    const maxNodes = this.#exportNodes(query, options);
    // A graph's nodes are functions: it is cut once they are joined.
    const treeOptions = {
      maxNodes: query.format === "dot" ? 0 : maxNodes,
      frameNames: query.frameNames ?? "function",
    };
    const answer = await this.#reader.read(
      { ...selection.plan, isSummed: true },
      {
        kind: "export",
        // What comes of it is compressed afterwards.
        query: { ...query, maxNodes, compression: undefined },
        // A merged pprof has the end of the range for its time.
        isRangeFree: query.format !== "pprof",
      },
      emptyExport(selection, query),
      (context) => readExport(context, selection, query, treeOptions),
      options,
    );
    return query.compression === "gzip" ? { ...answer, value: await compress(answer.value) } : answer;
  }

  async selectTimeSeries(
    query: TimeSeriesQuery,
    options?: QueryOptions,
  ): Promise<Answer<readonly TimeSeries[]>> {
    const range = this.#range(query, options);
    const selection = parseSelection(query, range, timeSeriesTables(query));
    const laid = range === undefined ? undefined : layGrid(range, query.stepMs);
    return await this.#reader.read(
      {
        ...{ ...selection.plan, range: laid?.covered, level: timeSeriesLevel(query, selection, laid) },
        // Exemplars name profiles.
        isSummed: query.exemplars !== true,
      },
      { kind: "timeSeries", query },
      [],
      (context) => readTimeSeries(context, selection, query, laid!),
      options,
    );
  }

  async selectHeatmap(query: HeatmapQuery, options?: QueryOptions): Promise<Answer<Heatmap>> {
    const range = this.#range(query, options);
    const selection = parseSelection(query, range, heatmapTables(query));
    const laid = range === undefined ? undefined : layGrid(range, query.stepMs);
    return await this.#reader.read(
      // Each point is a profile of its own.
      { ...selection.plan, range: laid?.covered, level: "raw" },
      { kind: "heatmap", query },
      EMPTY_HEATMAP,
      (context) => readHeatmap(context, query, laid!),
      options,
    );
  }

  async selectSpans(query: SpanListQuery, options?: QueryOptions): Promise<Answer<SpanTotals>> {
    const selection = parseSelection(query, this.#range(query, options), spanTables(query));
    resolveSpanLimit(query);
    return await this.#reader.read(
      selection.plan,
      { kind: "spans", query, isRangeFree: true },
      NO_SPANS,
      (context) => readSpans(context, selection, query),
      options,
    );
  }

  async analyzeQuery(query: AnalysisQuery, options?: QueryOptions): Promise<Answer<QueryCost>> {
    return await this.#reader.read(
      planAnalysis(query, this.#range(query, options)),
      { kind: "cost", query },
      NO_COST,
      readQueryCost,
      options,
    );
  }

  async profileStats({ tenant }: { readonly tenant: string }): Promise<ProfileStats> {
    return await this.#store.stats(tenant);
  }

  #range(
    query: Pick<RangeQuery, "startUnixMillis" | "endUnixMillis">,
    options: QueryOptions | undefined,
  ): TimeRange | undefined {
    return resolveTimeRange(query, this.#limitsOf(options), this.#clock.nowUnixMillis());
  }

  #limitsOf(options: QueryOptions | undefined): TenantQueryLimits {
    return options?.limits ?? this.#limits;
  }

  /** Sides of a diff are truncated together, once they lie over each other. */
  async #wholeTree(query: StackQuery, options: QueryOptions | undefined): Promise<Answer<Tree>> {
    const selection = parseSelection(query, this.#range(query, options), STACK_TABLES);
    const frameNames = query.frameNames ?? "function";
    return await this.#reader.read(
      { ...selection.plan, isSummed: true },
      { kind: "tree", query: { ...query, maxNodes: 0, frameNames }, isRangeFree: true },
      emptyTree(),
      (context) => readTree(context, selection, { maxNodes: 0, frameNames }),
      options,
    );
  }

  /** A file of stacks is whole unless the client asks for less: what is cut off cannot be got back. */
  #exportNodes(query: ExportQuery, options: QueryOptions | undefined): number {
    if (query.format !== "tree" && query.maxNodes === undefined) return 0;
    return resolveMaxNodes(query.maxNodes, this.#limitsOf(options));
  }
}

function emptyTree(): Tree {
  return buildTree({
    length: 0,
    names: [],
    frameStart: new Uint32Array(1),
    frame: new Uint32Array(),
    value: new Float64Array(),
  });
}
