import type { ProfileFilter } from "./select-filter.ts";
import { activeSeries } from "./select-labels.ts";
import { sql } from "./select-sql.ts";
import type { Snapshot } from "./snapshot.ts";

/** Labels by how many values and series they have; the most values first, equal ones by name. */
export interface CardinalityRows {
  readonly name: readonly string[];
  readonly valueCount: BigInt64Array;
  readonly seriesCount: BigInt64Array;
}

/** Counts values and series of each label. */
export async function selectCardinality(
  snapshot: Snapshot,
  filter: ProfileFilter,
  signal?: AbortSignal,
): Promise<CardinalityRows> {
  const query = sql`
    SELECT name, count(DISTINCT value) AS value_count, count(DISTINCT series) AS series_count
    FROM (
      SELECT series, unnest(map_keys(labels)) AS name, unnest(map_values(labels)) AS value
      FROM ${activeSeries(snapshot, filter)})
    GROUP BY name ORDER BY value_count DESC, name`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  return {
    name: rows.texts("name"),
    valueCount: rows.bigints("value_count"),
    seriesCount: rows.bigints("series_count"),
  };
}

/** How many series have a profile. A series of several profile types is one. */
export async function selectSeriesCount(
  snapshot: Snapshot,
  filter: ProfileFilter,
  signal?: AbortSignal,
): Promise<number> {
  const query = sql`SELECT count(DISTINCT series) AS series_count FROM ${activeSeries(snapshot, filter)}`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  return Number(rows.bigints("series_count")[0]);
}
