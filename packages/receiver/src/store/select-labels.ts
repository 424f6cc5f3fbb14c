import type { ProfileFilter } from "./select-filter.ts";
import { profileCondition, seriesCondition } from "./select-filter.ts";
import { PROFILE_TYPE_LABEL, serviceLabels, typeParts } from "./select-internal-labels.ts";
import { allOf, joinSql, rawSql, type SqlFragment, sql } from "./select-sql.ts";
import type { Snapshot } from "./snapshot.ts";

/** The value of a label on a row of `series`, or '' where the series lacks it. */
export function labelValueSql(name: string): SqlFragment {
  if (name === PROFILE_TYPE_LABEL) return rawSql("type");
  if (serviceLabels.includes(name)) return rawSql("service");
  const part = typeParts.get(name);
  // split_part counts from 1.
  if (part !== undefined) return rawSql(`split_part(type, ':', ${part + 1})`);
  return sql`coalesce(map_extract_value(labels, ${name}), '')`;
}

/** Distinct values of some labels, with the ids of the series that have them. */
export interface SeriesLabelRows {
  readonly series: BigUint64Array;
  /** One column for each asked name, parallel to `series`; "" where the series lacks it. */
  readonly values: readonly (readonly string[])[];
}

/** A label and the value it must have; "" where the series must lack it. */
export interface LabelEquality {
  readonly name: string;
  readonly value: string;
}

/** The named labels of every series that the filter and the equalities leave, whatever its time. */
export async function selectSeriesLabels(
  snapshot: Snapshot,
  filter: ProfileFilter,
  equalities: readonly LabelEquality[],
  names: readonly string[],
  signal?: AbortSignal,
): Promise<SeriesLabelRows> {
  const conditions = equalities.map(({ name, value }) => sql`${labelValueSql(name)} = ${value}`);
  const columns = names.map((name, index) => sql`, ${labelValueSql(name)} AS ${rawSql(`value${index}`)}`);
  const query = sql`
    SELECT DISTINCT series${joinSql(columns, "")}
    FROM ${rawSql(snapshot.fromParts("series"))}
    WHERE ${allOf([seriesCondition(filter), ...conditions])}`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  return { series: rows.ids("series"), values: names.map((_, index) => rows.texts(`value${index}`)) };
}

/** Ids of the profile types that have a profile, in byte order. */
export async function selectProfileTypes(
  snapshot: Snapshot,
  filter: ProfileFilter,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const query = sql`
    SELECT DISTINCT type FROM ${rawSql(snapshot.from("totals"))}
    WHERE ${profileCondition(filter)} ORDER BY type`;
  return (await snapshot.database.select(query.text, query.parameters, signal)).texts("type");
}

/** Names of the labels that the series' maps have, in byte order; a series counts when it has a profile. */
export async function selectLabelNames(
  snapshot: Snapshot,
  filter: ProfileFilter,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const query = sql`
    SELECT DISTINCT unnest(map_keys(labels)) AS name FROM ${activeSeries(snapshot, filter)} ORDER BY name`;
  return (await snapshot.database.select(query.text, query.parameters, signal)).texts("name");
}

/** Values of one label in byte order, without the empty one. */
export async function selectLabelValues(
  snapshot: Snapshot,
  filter: ProfileFilter,
  name: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const query = sql`
    SELECT DISTINCT ${labelValueSql(name)} AS value FROM ${activeSeries(snapshot, filter)}
    WHERE value <> '' ORDER BY value`;
  return (await snapshot.database.select(query.text, query.parameters, signal)).texts("value");
}

/** Distinct combinations of the named labels: one column of values for each name, "" where lacking. */
export async function selectLabelCombinations(
  snapshot: Snapshot,
  filter: ProfileFilter,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<readonly (readonly string[])[]> {
  const columns = names.map((name, index) => sql`${labelValueSql(name)} AS ${rawSql(`value${index}`)}`);
  const query = sql`SELECT DISTINCT ${joinSql(columns, ", ")} FROM ${activeSeries(snapshot, filter)}`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  return names.map((_, index) => rows.texts(`value${index}`));
}

/** Series as they are: a row per profile type and series. */
export interface SeriesRows {
  readonly rowCount: number;
  readonly type: readonly string[];
  readonly series: BigUint64Array;
  /** Row `i` has the names `names[start[i] .. start[i + 1]]`, and the values at the same places. */
  readonly start: Uint32Array;
  readonly names: readonly string[];
  readonly values: readonly string[];
}

/** Every series that has a profile, with all labels of its map. */
export async function selectSeriesRows(
  snapshot: Snapshot,
  filter: ProfileFilter,
  signal?: AbortSignal,
): Promise<SeriesRows> {
  const query = sql`
    SELECT DISTINCT type, series, map_keys(labels) AS names, map_values(labels) AS vals
    FROM ${activeSeries(snapshot, filter)}`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  const names = rows.textLists("names");
  return {
    rowCount: rows.rowCount,
    type: rows.texts("type"),
    series: rows.ids("series"),
    start: names.start,
    names: names.items,
    values: rows.textLists("vals").items,
  };
}

/** Rows of `series` that have a profile in the filter's range: a block keeps a series' row for all of its day. */
export function activeSeries(snapshot: Snapshot, filter: ProfileFilter): SqlFragment {
  return sql`(
    SELECT * FROM ${rawSql(snapshot.fromParts("series"))}
    WHERE ${seriesCondition(filter)} AND (type, series) IN (
      SELECT DISTINCT type, series FROM ${rawSql(snapshot.from("totals"))} WHERE ${profileCondition(filter)}))`;
}
