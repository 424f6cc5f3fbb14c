import type { ProfileFilter, SampleFilter } from "./select-filter.ts";
import { profileCondition, sampleCondition, seriesCondition } from "./select-filter.ts";
import { labelValueSql } from "./select-labels.ts";
import { allOf, inUuids, joinSql, rawSql, type SqlFragment, sql } from "./select-sql.ts";
import type { Snapshot } from "./snapshot.ts";

/** How the profiles of one group in one bucket become one value. */
export type TotalsAggregation =
  /** Their sum. */
  | "sum"
  /** Their sum divided by how many they are. */
  | "average"
  /** The average of each series, summed over the group's series: memory in use by ten pods is the sum of theirs. */
  | "seriesAverage";

/** A grid of buckets `(t - step, t]` with `t = start + i * step`, all in milliseconds. */
export interface TimeGrid {
  readonly startUnixMillis: number;
  readonly stepMs: number;
}

export interface TotalsQuery {
  /** The grid's times are the filter's business; one profile type. */
  readonly filter: SampleFilter;
  readonly grid: TimeGrid;
  readonly groupBy: readonly string[];
  readonly aggregation: TotalsAggregation;
  readonly exemplars: boolean;
}

/** One row per group and bucket that holds a profile, in no order. */
export interface TotalsRows {
  readonly rowCount: number;
  /** Bucket `i` ends at `start + i * step`. */
  readonly bucket: BigInt64Array;
  readonly value: Float64Array;
  /** One column for each name in `groupBy`; "" where the series lacks the label. */
  readonly group: readonly (readonly string[])[];
  readonly exemplars: ExemplarColumns | undefined;
}

/** The largest profile of each row. */
interface ExemplarColumns {
  readonly profile: readonly string[];
  readonly unixNanos: BigInt64Array;
  readonly series: BigUint64Array;
  readonly total: BigInt64Array;
}

const aggregates: { readonly [K in TotalsAggregation]: string } = {
  sum: "CAST(sum(total) AS DOUBLE)",
  average: "CAST(sum(total) AS DOUBLE) / sum(profiles)",
  seriesAverage: "sum(CAST(total AS DOUBLE) / profiles)",
};

/** Totals of profiles over time. A narrowed selection (stacks, spans, traces) is summed from samples, which costs more. */
export async function selectTotals(
  snapshot: Snapshot,
  query: TotalsQuery,
  signal?: AbortSignal,
): Promise<TotalsRows> {
  const { grid, groupBy, exemplars } = query;
  const groups = groupBy.map((_, index) => rawSql(`group${index}`));
  const largest = exemplars
    ? rawSql(", arg_max({profile: profile, nanos: epoch_ns(time), total: total}, total) AS largest")
    : rawSql("");
  const statement = sql`
    WITH points AS (
      SELECT series, ${bucketSql(grid)} AS bucket, sum(total) AS total, sum(profiles) AS profiles${largest}
      FROM ${profilePoints(snapshot, query.filter)} GROUP BY ALL
    )
    SELECT bucket, ${rawSql(aggregates[query.aggregation])} AS value
      ${joinSql(
        groups.map((group) => sql`, ${group}`),
        "",
      )}
      ${rawSql(exemplars ? ", arg_max({point: largest, series: series}, largest.total) AS top" : "")}
    FROM points ${labelJoin(snapshot, query.filter, query.groupBy)}
    GROUP BY ${joinSql([rawSql("bucket"), ...groups], ", ")}`;
  const outer = exemplars
    ? sql`SELECT * EXCLUDE top, top.point.profile AS profile, top.point.nanos AS nanos,
        top.point.total AS largest_total, top.series AS series FROM (${statement})`
    : statement;
  const rows = await snapshot.database.select(outer.text, outer.parameters, signal);
  return {
    rowCount: rows.rowCount,
    bucket: rows.bigints("bucket"),
    value: rows.doubles("value"),
    group: groups.map((group) => rows.texts(group.text)),
    exemplars: exemplars
      ? {
          profile: rows.texts("profile"),
          unixNanos: rows.bigints("nanos"),
          series: rows.ids("series"),
          total: rows.bigints("largest_total"),
        }
      : undefined,
  };
}

/** The number of the bucket that a row's `time` lies in. */
export function bucketSql(grid: TimeGrid): SqlFragment {
  const startMs = BigInt(grid.startUnixMillis);
  const stepMs = BigInt(grid.stepMs);
  // Integer division truncates, and a profile at or before the first edge belongs to it.
  return rawSql(
    `greatest(0, (epoch_ns(time) // 1000000 - ${startMs}::BIGINT + ${stepMs}::BIGINT - 1) // ${stepMs}::BIGINT)`,
  );
}

/** Joins the labels of `names` to rows of series. A series may stand in several parts: DISTINCT keeps its points single. */
export function labelJoin(snapshot: Snapshot, filter: ProfileFilter, names: readonly string[]): SqlFragment {
  if (names.length === 0) return rawSql("");
  const columns = names.map((name, index) => sql`, ${labelValueSql(name)} AS ${rawSql(`group${index}`)}`);
  return sql`JOIN (
    SELECT DISTINCT series${joinSql(columns, "")} FROM ${rawSql(snapshot.fromParts("series"))}
    WHERE ${seriesCondition(filter)}) USING (series)`;
}

/** Rows (series, time, profile, total, profiles), one for each profile that the filter leaves. */
function profilePoints(snapshot: Snapshot, filter: SampleFilter): SqlFragment {
  const narrowed =
    filter.stacks !== undefined || filter.spanIds !== undefined || filter.traceIds !== undefined;
  if (narrowed) {
    return sql`(
      SELECT series, time, profile, CAST(sum(value) AS BIGINT) AS total, 1 AS profiles
      FROM ${rawSql(snapshot.from("samples"))} WHERE ${sampleCondition(filter)} GROUP BY ALL)`;
  }
  const conditions = [profileCondition(filter)];
  if (filter.profileIds !== undefined) conditions.push(inUuids(rawSql("profile"), filter.profileIds));
  return sql`(
    SELECT series, time, profile, total, profiles
    FROM ${rawSql(snapshot.from("totals"))} WHERE ${allOf(conditions)})`;
}
