import { type ProfileFilter, profileCondition } from "./select-filter.ts";
import { joinSql, rawSql, sql } from "./select-sql.ts";
import type { Snapshot } from "./snapshot.ts";

/** How much lies behind a filter. */
export interface CostRows {
  readonly seriesCount: number;
  readonly profileCount: number;
  /** Rows of samples. */
  readonly sampleCount: number;
}

/** Counts what a query with this filter would read. Reads totals only. */
export async function selectCost(
  snapshot: Snapshot,
  filter: ProfileFilter,
  signal?: AbortSignal,
): Promise<CostRows> {
  const query = sql`
    SELECT count(DISTINCT series) AS series, count(*) AS profiles, CAST(coalesce(sum(samples), 0) AS BIGINT) AS samples
    FROM ${rawSql(snapshot.from("totals"))} WHERE ${profileCondition(filter)}`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  return {
    seriesCount: Number(rows.bigints("series")[0]),
    profileCount: Number(rows.bigints("profiles")[0]),
    sampleCount: Number(rows.bigints("samples")[0]),
  };
}

/** Whether there is a profile of the filter in one of the ranges, whatever the filter's own is. */
export async function selectHasProfile(
  snapshot: Snapshot,
  filter: ProfileFilter,
  ranges: readonly Pick<ProfileFilter, "fromUnixNanos" | "untilUnixNanos">[],
  signal?: AbortSignal,
): Promise<boolean> {
  const conditions = ranges.map(({ fromUnixNanos, untilUnixNanos }) =>
    profileCondition({ ...filter, fromUnixNanos, untilUnixNanos }),
  );
  const query = sql`
    SELECT series FROM ${rawSql(snapshot.from("totals"))} WHERE (${joinSql(conditions, ") OR (")}) LIMIT 1`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  return rows.rowCount > 0;
}
