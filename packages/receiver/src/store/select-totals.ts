import { bucketSql, isNarrowed, labelJoin, profilePoints, wholeProfiles } from "./profile-points.ts";
import type { ResultColumns } from "./result-columns.ts";
import { isTypeLabel, serviceLabels } from "./select-internal-labels.ts";
import { labelValueSql } from "./select-labels.ts";
import { selectRemoteTotals } from "./select-remote-totals.ts";
import { joinSql, rawSql, type SqlFragment, sql } from "./select-sql.ts";
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
  if (needsNoSeries(query)) {
    const statement = sumRows(snapshot, query, groups);
    return toTotalsRows(await snapshot.database.select(statement.text, statement.parameters, signal), query);
  }
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
  return toTotalsRows(rows, query);
}

/** Whether rows of totals have all that is asked for: nothing is said of single series, and the groups are by columns. */
function needsNoSeries({ filter, groupBy, aggregation, exemplars }: TotalsQuery): boolean {
  return (
    !exemplars &&
    aggregation !== "seriesAverage" &&
    !isNarrowed(filter) &&
    groupBy.every((name) => isTypeLabel(name) || serviceLabels.includes(name))
  );
}

/** Sums rows by bucket and group at once: by series first, they are ten times as many groups, which then are joined. */
function sumRows(
  snapshot: Snapshot,
  { filter, grid, groupBy, aggregation }: TotalsQuery,
  groups: readonly SqlFragment[],
): SqlFragment {
  const columns = groupBy.map((name, index) => sql`, ${labelValueSql(name)} AS ${groups[index]!}`);
  return sql`
    SELECT ${bucketSql(grid)} AS bucket, ${rawSql(aggregates[aggregation])} AS value${joinSql(columns, "")}
    FROM ${wholeProfiles(snapshot, filter)} GROUP BY ALL`;
}

function toTotalsRows(rows: ResultColumns, { groupBy, exemplars }: TotalsQuery): TotalsRows {
  return {
    rowCount: rows.rowCount,
    bucket: rows.bigints("bucket"),
    value: rows.doubles("value"),
    group: groupBy.map((_, index) => rows.texts(`group${index}`)),
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
