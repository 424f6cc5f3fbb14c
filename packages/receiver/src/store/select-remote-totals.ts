import { bucketSql, labelJoin, profilePoints } from "./profile-points.ts";
import { type PointSum, settleBoth } from "./remote-engine.ts";
import { joinSql, rawSql, sql } from "./select-sql.ts";
import type { RemoteSamples, Snapshot } from "./snapshot.ts";
import type { TotalsAggregation, TotalsQuery, TotalsRows } from "./totals-query.ts";

/** What is summed up in one group and bucket. */
interface Cell {
  readonly bucket: bigint;
  readonly group: readonly string[];
  total: bigint;
  profiles: number;
  /** Sum of the averages of its series. */
  averages: number;
}

/** Totals over time of an engine and of the parts that are here, put together; without exemplars. */
export async function selectRemoteTotals(
  snapshot: Snapshot,
  { engine, parts }: RemoteSamples,
  query: TotalsQuery,
  signal: AbortSignal | undefined,
): Promise<TotalsRows> {
  const { filter, grid, groupBy, aggregation } = query;
  const here = sql`SELECT series, ${bucketSql(grid)} AS bucket, CAST(sum(total) AS VARCHAR) AS total,
    CAST(sum(profiles) AS BIGINT) AS profiles FROM ${profilePoints(snapshot, filter)} GROUP BY ALL`;
  const [rows, there] = await settleBoth(
    snapshot.database.select(here.text, here.parameters, signal),
    engine.sumPoints(parts, filter, grid, signal),
  );
  const [series, buckets, totals, profiles] = [
    rows.ids("series"),
    rows.bigints("bucket"),
    rows.texts("total"),
    rows.bigints("profiles"),
  ];
  const local = totals.map((total, i) => ({
    ...{ series: series[i]!, bucket: buckets[i]!, total: BigInt(total), profiles: Number(profiles[i]) },
  }));
  const groups = await readGroups(snapshot, query, signal);
  const cells = sumUp([...local, ...there], groups);
  return {
    rowCount: cells.length,
    bucket: BigInt64Array.from(cells, ({ bucket }) => bucket),
    value: Float64Array.from(cells, (cell) => toValue(cell, aggregation)),
    group: groupBy.map((_, column) => cells.map(({ group }) => group[column]!)),
    exemplars: undefined,
  };
}

/** Labels by which series are grouped; undefined: none are. */
async function readGroups(
  snapshot: Snapshot,
  { filter, groupBy }: TotalsQuery,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<bigint, readonly string[]> | undefined> {
  if (groupBy.length === 0) return undefined;
  const names = groupBy.map((_, index) => rawSql(`group${index}`));
  const query = sql`SELECT series, ${joinSql(names, ", ")}
    FROM (SELECT DISTINCT series FROM ${rawSql(snapshot.fromParts("series"))}) ${labelJoin(snapshot, filter, groupBy)}`;
  const rows = await snapshot.database.select(query.text, query.parameters, signal);
  const columns = names.map(({ text }) => rows.texts(text));
  return new Map([...rows.ids("series")].map((id, row) => [id, columns.map((column) => column[row]!)]));
}

function sumUp(
  points: readonly PointSum[],
  groups: ReadonlyMap<bigint, readonly string[]> | undefined,
): readonly Cell[] {
  // A series' point may be in several parts: its average is that of all.
  const merged = new Map<string, PointSum>();
  for (const point of points) {
    const key = `${point.series} ${point.bucket}`;
    const before = merged.get(key);
    merged.set(
      key,
      before === undefined
        ? point
        : { ...point, total: before.total + point.total, profiles: before.profiles + point.profiles },
    );
  }
  const cells = new Map<string, Cell>();
  for (const { series, bucket, total, profiles } of merged.values()) {
    const group = groups === undefined ? [] : groups.get(series);
    if (group === undefined) continue;
    const key = JSON.stringify([String(bucket), ...group]);
    const cell = cells.get(key) ?? { bucket, group, total: 0n, profiles: 0, averages: 0 };
    cell.total += total;
    cell.profiles += profiles;
    cell.averages += Number(total) / profiles;
    cells.set(key, cell);
  }
  return [...cells.values()];
}

function toValue({ total, profiles, averages }: Cell, aggregation: TotalsAggregation): number {
  if (aggregation === "seriesAverage") return averages;
  return aggregation === "sum" ? Number(total) : Number(total) / profiles;
}
