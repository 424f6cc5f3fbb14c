import type { LabelSet } from "@pyroscope-ts/protocol";
import { ReceiverError } from "../errors.ts";
import type { Level } from "../store/level.ts";
import type { TableName } from "../store/schema.ts";
import type { SampleFilter } from "../store/select-filter.ts";
import { selectSeriesRows } from "../store/select-labels.ts";
import { selectFrameNames, selectStacks } from "../store/select-stacks.ts";
import { selectTotals } from "../store/select-totals.ts";
import type { TimeGrid, TotalsAggregation } from "../store/totals-query.ts";
import { nameFrames, numberFrames, withCallSite } from "./flame-graph.ts";
import { distinctNames, makeLabelSet } from "./label-sets.ts";
import { levelOfTimeSeries } from "./query-level.ts";
import { estimatePoints, estimateStacks } from "./query-memory.ts";
import type { TimeSeries, TimeSeriesQuery } from "./query-service.ts";
import type { Selection } from "./selection.ts";
import type { ReadContext } from "./snapshot-reader.ts";
import { STACK_TABLES } from "./stack-queries.ts";
import { MAX_UNIX_MILLIS, type TimeRange, timeRange } from "./time-range.ts";
import { isInstantSampleType, type SeriesLabels, toTimeSeries } from "./time-series.ts";

/** Buckets, and the times that they cover. */
export interface LaidGrid {
  readonly grid: TimeGrid;
  readonly covered: TimeRange;
}

/**
 * The buckets of a range: `(t - step, t]` for t = start, start + step … up to the last one that is not after the end.
 *
 * @throws {@link ReceiverError} INVALID_ARGUMENT for a step below a millisecond.
 */
export function layGrid(range: TimeRange, stepMs: number): LaidGrid {
  const step = Math.trunc(Math.min(stepMs, MAX_UNIX_MILLIS));
  if (!(step >= 1)) throw new ReceiverError("step must be >= 1ms", { code: "INVALID_ARGUMENT" });
  const { startUnixMillis: start, endUnixMillis: end } = range;
  const last = start + Math.floor((end - start) / step) * step;
  return {
    grid: { startUnixMillis: start, stepMs: step },
    // The first bucket reaches back one step before the start, exclusively.
    covered: timeRange(start - step + 1, last),
  };
}

/** Tables that a time series is read from: samples only where totals of whole profiles do not do. */
export function timeSeriesTables({ callSite, spanIds, traceIds }: TimeSeriesQuery): readonly TableName[] {
  if (callSite !== undefined && callSite.length > 0) return STACK_TABLES;
  const isNarrowed = [spanIds, traceIds].some((ids) => ids !== undefined && ids.length > 0);
  return isNarrowed ? ["samples", "totals", "series"] : ["totals", "series"];
}

/** Totals over time of the selected profiles. */
export async function readTimeSeries(
  context: ReadContext,
  selection: Selection,
  query: TimeSeriesQuery,
  { grid, covered: range }: LaidGrid,
): Promise<readonly TimeSeries[]> {
  const { snapshot, signal } = context;
  const groupBy = distinctNames(query.groupBy);
  const samples: SampleFilter = { ...context.filter, ...selection.sampleIds };
  const isBelow = selection.callSite.length > 0;
  await context.reserve(
    (isBelow ? await estimateStacks(context, samples, "cut tree") : 0) +
      (await estimatePoints(context, {
        isGrouped: groupBy.length > 0,
        bucketCount: countBuckets(grid, range),
      })),
  );
  const filter = isBelow ? await withStacks(context, samples, selection.callSite) : samples;
  const rows = await selectTotals(
    snapshot,
    {
      filter,
      grid,
      groupBy,
      aggregation: aggregationOf(query, selection),
      exemplars: query.exemplars ?? false,
    },
    signal,
  );
  const labels = await readSeriesLabels(context, rows.exemplars?.series);
  return toTimeSeries(rows, groupBy, grid, query.limit ?? 0, labels);
}

/** The coarsest level that a time series may be read from. */
export function timeSeriesLevel(
  query: TimeSeriesQuery,
  selection: Selection,
  laid: LaidGrid | undefined,
): Level {
  const { matchers } = selection.plan;
  return levelOfTimeSeries(query, laid?.covered, matchers, laid?.grid, aggregationOf(query, selection));
}

function aggregationOf(query: TimeSeriesQuery, { profileType }: Selection): TotalsAggregation {
  return query.aggregation ?? (isInstantSampleType(profileType.sampleType) ? "seriesAverage" : "sum");
}

/** How many buckets end in a range. */
export function countBuckets({ startUnixMillis, stepMs }: TimeGrid, { endUnixMillis }: TimeRange): number {
  return Math.floor((endUnixMillis - startUnixMillis) / stepMs) + 1;
}

async function withStacks(
  { snapshot, signal }: ReadContext,
  samples: SampleFilter,
  callSite: readonly string[],
): Promise<SampleFilter> {
  const stacks = numberFrames(await selectStacks(snapshot, samples, signal));
  const frames = await selectFrameNames(snapshot, stacks.frames.ids(), signal);
  const functions = nameFrames(stacks.frames, frames, "function");
  return { ...samples, stacks: withCallSite(stacks, functions, callSite).stack };
}

/** Labels of these series, as exemplars state them; none of undefined. */
export async function readSeriesLabels(
  { snapshot, filter, signal }: ReadContext,
  ids: BigUint64Array | undefined,
): Promise<SeriesLabels> {
  const labels = new Map<bigint, LabelSet>();
  if (ids === undefined || ids.length === 0) return labels;
  const series = await selectSeriesRows(snapshot, { ...filter, series: ids }, signal);
  for (let row = 0; row < series.rowCount; row++) {
    const [from, until] = [series.start[row]!, series.start[row + 1]!];
    labels.set(
      series.series[row]!,
      makeLabelSet(series.names.slice(from, until), series.values.slice(from, until)),
    );
  }
  return labels;
}
