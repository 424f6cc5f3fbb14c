import { labelJoin } from "./profile-points.ts";
import { type ProfileFilter, profileCondition, sampleCondition } from "./select-filter.ts";
import { joinSql, rawSql, type SqlFragment, sql } from "./select-sql.ts";
import { isShownAs } from "./shown-function.ts";
import type { Snapshot } from "./snapshot.ts";

export interface RecordedQuery {
  /** One profile type. */
  readonly filter: ProfileFilter;
  readonly groupBy: readonly string[];
  /** Only samples with this function on their stack are summed; undefined: all. */
  readonly functionName: string | undefined;
}

/** Sums of a group of series that has a profile. */
interface RecordedGroup {
  /** A value for each name in `groupBy`; "" where the series lack the label. */
  readonly group: readonly string[];
  /** Exact, however large. */
  readonly value: bigint;
  /** Profiles of the group, with the function or without. */
  readonly profiles: bigint;
}

/** Sums profiles by groups of series, wherever they are in time. */
export async function selectRecorded(
  snapshot: Snapshot,
  query: RecordedQuery,
): Promise<readonly RecordedGroup[]> {
  const { filter, groupBy } = query;
  const groups = groupBy.map((_, index) => rawSql(`group${index}`));
  // A sum is 128 bits wide and has no column type here: it comes as text.
  const statement = sql`
    WITH points AS (
      SELECT series, sum(total) AS total, sum(profiles) AS profiles
      FROM ${rawSql(snapshot.from("totals"))} WHERE ${profileCondition(filter)} GROUP BY series
    )${functionSql(snapshot, query)}
    SELECT CAST(sum(${rawSql(query.functionName === undefined ? "total" : "coalesce(spent, 0)")}) AS VARCHAR) AS value,
      CAST(sum(profiles) AS VARCHAR) AS profiles${joinSql(
        groups.map((group) => sql`, ${group}`),
        "",
      )}
    FROM points ${rawSql(query.functionName === undefined ? "" : "LEFT JOIN spent USING (series)")}
      ${labelJoin(snapshot, filter, groupBy)}
    GROUP BY ${groups.length === 0 ? rawSql("()") : joinSql(groups, ", ")} HAVING count(*) > 0`;
  const rows = await snapshot.database.select(statement.text, statement.parameters);
  const columns = groups.map((group) => rows.texts(group.text));
  const [values, profiles] = [rows.texts("value"), rows.texts("profiles")];
  return values.map((value, row) => ({
    group: columns.map((column) => column[row]!),
    value: BigInt(value),
    profiles: BigInt(profiles[row]!),
  }));
}

/** What of each series has the function on its stack, recursive or not: each sample once. */
function functionSql(snapshot: Snapshot, { filter, functionName }: RecordedQuery): SqlFragment {
  if (functionName === undefined) return rawSql("");
  return sql`, spent AS (
      SELECT series, sum(value) AS spent FROM ${rawSql(snapshot.from("samples"))}
      WHERE ${sampleCondition(filter)} AND stack IN (
        SELECT stack FROM ${rawSql(snapshot.fromParts("stacks"))} WHERE list_has_any(frames, (
          SELECT list(frame) FROM ${rawSql(snapshot.fromParts("frames"))} WHERE ${isShownAs(functionName)})))
      GROUP BY series
    )`;
}
