import type { Matcher } from "@pyroscope-ts/protocol";
import { isServiceLevel, LEVELS, type Level, levelMillis } from "../store/level.ts";
import { isServiceLabel } from "../store/select-internal-labels.ts";
import type { TimeGrid } from "../store/totals-query.ts";
import type { SelectionQuery, TimeSeriesQuery } from "./query-service.ts";
import type { TimeRange } from "./time-range.ts";

const HOUR_MS = 3_600_000;

/**
 * Ranges from which on a level is read, the coarsest first. What does not fill an interval is read from finer levels,
 * which must stay the smaller part.
 */
const SHORTEST_RANGES: readonly (readonly [level: Level, millis: number])[] = [
  ["1h", 48 * HOUR_MS],
  ["5m", 12 * HOUR_MS],
];

// From here on days of services are read.
const SHORTEST_DAYS_MS = 30 * 24 * HOUR_MS;

// A point of a time series that is this many intervals long may have one too many or too few at its ends.
const ROUGH_INTERVALS = 20;

/** The level for questions about labels and types of a range. */
export function levelOfRange(range: TimeRange | undefined): Level {
  if (range === undefined) return "raw";
  const length = range.endUnixMillis - range.startUnixMillis;
  return SHORTEST_RANGES.find(([, millis]) => length >= millis)?.[0] ?? "raw";
}

/** The level for the stacks of a selection. Single profiles, spans and traces are in raw blocks only. */
export function levelOfStacks(
  query: SelectionQuery,
  range: TimeRange | undefined,
  matchers: readonly Matcher[],
): Level {
  const ids = [query.profileIds, query.spanIds, query.traceIds];
  if (ids.some((list) => list !== undefined && list.length > 0)) return "raw";
  const level = levelOfRange(range);
  if (range === undefined || level !== "1h" || !matchers.every(({ name }) => isServiceLabel(name)))
    return level;
  const isLong = range.endUnixMillis - range.startUnixMillis >= SHORTEST_DAYS_MS;
  return isLong ? "1d-service" : "1h-service";
}

/**
 * The level for a time series. Intervals and buckets are open at the same end: where every bucket is a whole number of
 * intervals the points are the same, and where buckets are far longer they are nearly so.
 */
export function levelOfTimeSeries(
  query: TimeSeriesQuery,
  range: TimeRange | undefined,
  matchers: readonly Matcher[],
  grid: TimeGrid | undefined,
  aggregation: string,
): Level {
  const hasCallSite = query.callSite !== undefined && query.callSite.length > 0;
  // The number of profiles that hold a stack is known of raw profiles only.
  if (query.exemplars || grid === undefined || (hasCallSite && aggregation !== "sum")) return "raw";
  const ofSelection = levelOfStacks(query, range, matchers);
  const needsSeries = aggregation === "seriesAverage" || !query.groupBy.every(isServiceLabel);
  const wanted = isServiceLevel(ofSelection) && needsSeries ? "1h" : ofSelection;
  const finer = LEVELS.slice(0, LEVELS.indexOf(wanted) + 1).toReversed();
  return finer.find((level) => fits(grid, level) && !(isServiceLevel(level) && needsSeries)) ?? "raw";
}

function fits({ startUnixMillis, stepMs }: TimeGrid, level: Level): boolean {
  const millis = levelMillis[level];
  if (millis === 0 || stepMs >= ROUGH_INTERVALS * millis) return true;
  return startUnixMillis % millis === 0 && stepMs % millis === 0;
}
