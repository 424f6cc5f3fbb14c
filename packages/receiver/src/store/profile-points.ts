import {
  type ProfileFilter,
  profileCondition,
  type SampleFilter,
  sampleCondition,
  seriesCondition,
} from "./select-filter.ts";
import { labelValueSql } from "./select-labels.ts";
import { allOf, inUuids, joinSql, rawSql, type SqlFragment, sql } from "./select-sql.ts";
import type { Snapshot } from "./snapshot.ts";
import type { TimeGrid } from "./totals-query.ts";

const NANOS_PER_MILLI = 1_000_000n;
const MAX_INT64 = 2n ** 63n - 1n;

/** The number of the bucket that a row's `time` lies in, which is not before the first bucket's begin. */
export function bucketSql(grid: TimeGrid): SqlFragment {
  const startMs = BigInt(grid.startUnixMillis);
  const stepMs = BigInt(grid.stepMs);
  const beginNanos = (startMs - stepMs + 1n) * NANOS_PER_MILLI;
  const stepNanos = stepMs * NANOS_PER_MILLI;
  // Divisions are most of what a row costs here: one, wherever nothing can leave int64.
  if (beginNanos >= 0n && beginNanos <= MAX_INT64 && stepNanos <= MAX_INT64)
    return rawSql(`(epoch_ns(time) - ${beginNanos}::BIGINT) // ${stepNanos}::BIGINT`);
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

/** Whether samples are read: totals are of whole profiles. */
export function isNarrowed({ stacks, spanIds, traceIds }: SampleFilter): boolean {
  return stacks !== undefined || spanIds !== undefined || traceIds !== undefined;
}

/** Rows (series, time, profile, total, profiles), one for each profile that the filter leaves. */
export function profilePoints(snapshot: Snapshot, filter: SampleFilter): SqlFragment {
  if (isNarrowed(filter)) {
    return sql`(
      SELECT series, time, profile, CAST(sum(value) AS BIGINT) AS total, 1 AS profiles
      FROM ${rawSql(snapshot.from("samples"))} WHERE ${sampleCondition(filter)} GROUP BY ALL)`;
  }
  return sql`(SELECT series, time, profile, total, profiles FROM ${wholeProfiles(snapshot, filter)})`;
}

/** The rows of totals that the filter leaves, all columns: a term for FROM. */
export function wholeProfiles(snapshot: Snapshot, filter: SampleFilter): SqlFragment {
  const conditions = [profileCondition(filter)];
  if (filter.profileIds !== undefined) conditions.push(inUuids(rawSql("profile"), filter.profileIds));
  return sql`(SELECT * FROM ${rawSql(snapshot.from("totals"))} WHERE ${allOf(conditions)})`;
}
