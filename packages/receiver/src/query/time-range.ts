import { ReceiverError } from "../errors.ts";
import { formatGoDuration, formatPrometheusDuration } from "./duration-text.ts";
import type { QueryLimits, RangeQuery } from "./query-service.ts";

/** The times a query may look at; every millisecond of it counts, the last one included. */
export interface TimeRange {
  readonly startUnixMillis: number;
  readonly endUnixMillis: number;
  /** First and last nanosecond. */
  readonly fromUnixNanos: bigint;
  readonly untilUnixNanos: bigint;
}

type RangeLimits = Pick<QueryLimits, "maxQueryLengthMs" | "maxQueryLookbackMs">;

/**
 * Checks a query's range against the limits; `undefined` when all of it lies before the lookback limit, which is
 * answered with nothing found.
 *
 * The start is drawn up to the lookback limit *before* the length is measured, as Pyroscope does: a dashboard of 30
 * days on a limit of 7 days shows 7 days.
 *
 * @throws {@link ReceiverError} INVALID_ARGUMENT when the range is missing, reversed or longer than the limit.
 */
export function resolveTimeRange(
  query: Pick<RangeQuery, "startUnixMillis" | "endUnixMillis">,
  limits: RangeLimits,
  nowUnixMillis: number,
): TimeRange | undefined {
  const startUnixMillis = toWholeMillis(query.startUnixMillis);
  const endUnixMillis = toWholeMillis(query.endUnixMillis);
  if (startUnixMillis === 0 || endUnixMillis === 0) throw invalid("missing time range in the query");
  if (startUnixMillis > endUnixMillis) throw invalid("query start time is after end time");

  const earliest =
    limits.maxQueryLookbackMs > 0 ? nowUnixMillis - limits.maxQueryLookbackMs : Number.NEGATIVE_INFINITY;
  if (endUnixMillis < earliest) return undefined;
  const start = Math.max(startUnixMillis, earliest);

  const lengthMs = endUnixMillis - start;
  if (limits.maxQueryLengthMs > 0 && lengthMs > limits.maxQueryLengthMs) {
    const actual = formatGoDuration(lengthMs);
    const limit = formatPrometheusDuration(limits.maxQueryLengthMs);
    throw invalid(
      `the query time range exceeds the limit (max_query_length, actual: ${actual}, limit: ${limit})`,
    );
  }
  return timeRange(start, endUnixMillis);
}

/** A range of whole milliseconds, both inclusive; nanoseconds are drawn into int64, which is how times are stored. */
export function timeRange(startUnixMillis: number, endUnixMillis: number): TimeRange {
  return {
    startUnixMillis,
    endUnixMillis,
    fromUnixNanos: toInt64(BigInt(startUnixMillis) * NANOS_PER_MILLI),
    untilUnixNanos: toInt64(BigInt(endUnixMillis) * NANOS_PER_MILLI + (NANOS_PER_MILLI - 1n)),
  };
}

/** The times that lie in one of two ranges and not in the other; either may be empty, its start after its end. */
export function rangesBetween(left: TimeRange, right: TimeRange): readonly [TimeRange, TimeRange] {
  const starts = [left.startUnixMillis, right.startUnixMillis];
  const ends = [left.endUnixMillis, right.endUnixMillis];
  return [
    timeRange(Math.min(...starts), Math.max(...starts) - 1),
    timeRange(Math.min(...ends) + 1, Math.max(...ends)),
  ];
}

const NANOS_PER_MILLI = 1_000_000n;

const MAX_INT64 = 2n ** 63n - 1n;

function toInt64(value: bigint): bigint {
  if (value > MAX_INT64) return MAX_INT64;
  return value < -MAX_INT64 ? -MAX_INT64 : value;
}

// The last millisecond that a Date can hold, in the year 275760. Clients send the largest int64 for "until ever".
export const MAX_UNIX_MILLIS = 8.64e15;

function toWholeMillis(unixMillis: number): number {
  if (Number.isNaN(unixMillis)) throw invalid("query time is not a number");
  return Math.trunc(Math.min(Math.max(unixMillis, -MAX_UNIX_MILLIS), MAX_UNIX_MILLIS));
}

function invalid(message: string): ReceiverError {
  return new ReceiverError(message, { code: "INVALID_ARGUMENT" });
}
