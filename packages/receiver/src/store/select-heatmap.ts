import { bucketSql, labelJoin } from "./profile-points.ts";
import { profileCondition, type SampleFilter, sampleCondition } from "./select-filter.ts";
import { allOf, joinSql, rawSql, type SqlFragment, sql } from "./select-sql.ts";
import type { Snapshot } from "./snapshot.ts";
import type { TimeGrid } from "./totals-query.ts";

/** Rows of a heat map, from the smallest value to the largest. Source: Pyroscope pkg/querybackend/query_heatmap.go. */
export const HEATMAP_CELL_COUNT = 20;

/** What one point of a heat map is. */
type HeatmapPoint =
  /** A profile, with its total. */
  | "profile"
  /** The samples of one span in one profile. */
  | "span";

export interface HeatmapSelection {
  /** The grid's times are the filter's business; one profile type. */
  readonly filter: SampleFilter;
  readonly grid: TimeGrid;
  readonly groupBy: readonly string[];
  readonly point: HeatmapPoint;
}

/** One row per group, bucket and cell that holds a point, in no order. */
export interface HeatmapRows {
  readonly rowCount: number;
  /** Bucket `i` ends at `start + i * step`. */
  readonly bucket: BigInt64Array;
  /** 0 to {@link HEATMAP_CELL_COUNT} - 1. */
  readonly cell: Int32Array;
  readonly count: BigInt64Array;
  /** Sum of the points' values. */
  readonly sum: Float64Array;
  /** One column for each name in `groupBy`; "" where the series lacks the label. */
  readonly group: readonly (readonly string[])[];
  /** Smallest and largest value of all points, the same in every row. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** The point with the largest value of each row. */
  readonly top: {
    readonly profile: readonly string[];
    readonly unixNanos: BigInt64Array;
    readonly series: BigUint64Array;
    readonly total: BigInt64Array;
    /** 0 for profiles. */
    readonly spanId: BigUint64Array;
    /** UUID; "" for profiles and for spans without one. */
    readonly traceId: readonly string[];
  };
}

/** Counts points by time and value. */
export async function selectHeatmap(
  snapshot: Snapshot,
  selection: HeatmapSelection,
  signal?: AbortSignal,
): Promise<HeatmapRows> {
  const { grid, groupBy } = selection;
  const groups = groupBy.map((_, index) => rawSql(`group${index}`));
  const groupColumns = joinSql(
    groups.map((group) => sql`, ${group}`),
    "",
  );
  const cellCount = rawSql(String(HEATMAP_CELL_COUNT));
  const query = sql`
    WITH points AS MATERIALIZED (
      SELECT *, ${bucketSql(grid)} AS bucket, CAST(total AS DOUBLE) AS value
      FROM ${pointRows(snapshot, selection)}
    ), bounds AS (
      SELECT min(value) AS low, max(value) AS high FROM points
    ), cells AS (
      SELECT points.*, low, high, CAST(least(${cellCount} - 1,
        floor((value - low) * ${cellCount} / (CASE WHEN high > low THEN high - low ELSE 1 END))) AS INTEGER) AS cell
      FROM points, bounds
    ), counted AS (
      SELECT bucket, cell${groupColumns}, count(*) AS count, sum(value) AS sum,
        any_value(low) AS low, any_value(high) AS high,
        arg_max({profile: profile, nanos: epoch_ns(time), series: series, total: total, span: span_id, trace: trace_id},
          value) AS top
      FROM cells ${labelJoin(snapshot, selection.filter, groupBy)}
      GROUP BY bucket, cell${groupColumns}
    )
    SELECT * EXCLUDE top, top.profile AS profile, top.nanos AS nanos, top.series AS series, top.total AS total,
      top.span AS span, top.trace AS trace
    FROM counted`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  return {
    rowCount: rows.rowCount,
    bucket: rows.bigints("bucket"),
    cell: rows.integers("cell"),
    count: rows.bigints("count"),
    sum: rows.doubles("sum"),
    group: groups.map((group) => rows.texts(group.text)),
    low: rows.doubles("low"),
    high: rows.doubles("high"),
    top: {
      profile: rows.texts("profile"),
      unixNanos: rows.bigints("nanos"),
      series: rows.ids("series"),
      total: rows.bigints("total"),
      spanId: rows.ids("span"),
      traceId: rows.texts("trace"),
    },
  };
}

/** Rows (series, time, profile, span_id, trace_id, total), one for each point. */
function pointRows(snapshot: Snapshot, { filter, point }: HeatmapSelection): SqlFragment {
  if (point === "span") {
    return sql`(
      SELECT series, time, profile, span_id, any_value(trace_id) AS trace_id, CAST(sum(value) AS BIGINT) AS total
      FROM ${rawSql(snapshot.from("samples"))}
      WHERE ${allOf([sampleCondition(filter), rawSql("span_id IS NOT NULL")])}
      GROUP BY series, time, profile, span_id)`;
  }
  return sql`(
    SELECT series, time, profile, CAST(NULL AS UBIGINT) AS span_id, CAST(NULL AS UUID) AS trace_id, total
    FROM ${rawSql(snapshot.from("totals"))} WHERE ${profileCondition(filter)})`;
}
