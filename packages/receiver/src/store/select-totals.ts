import { bucketSql, isNarrowed, labelJoin, profilePoints } from "./profile-points.ts";
import { selectRemoteTotals } from "./select-remote-totals.ts";
import { joinSql, rawSql, sql } from "./select-sql.ts";
import type { Snapshot } from "./snapshot.ts";
import type { TotalsAggregation, TotalsQuery, TotalsRows } from "./totals-query.ts";

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
  if (snapshot.remote !== undefined && isNarrowed(query.filter)) {
    return await selectRemoteTotals(snapshot, snapshot.remote, query, signal);
  }
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
