import { afterAll, beforeAll, expect, it } from "vitest";
import { Duckdb } from "./duckdb.ts";
import { bucketSql } from "./profile-points.ts";
import { rawSql, sql } from "./select-sql.ts";
import type { TimeGrid } from "./totals-query.ts";

const MINUTE = 60_000;
const T0 = 1_760_054_400_000;
const MAX_INT64 = 2n ** 63n - 1n;

let database: Duckdb;
beforeAll(async () => {
  database = await Duckdb.open({
    ...{ path: ":memory:", directory: "/nowhere", temporaryDirectory: "/nowhere" },
    ...{ memoryLimitBytes: 64 * 1024 * 1024, threadCount: 1 },
  });
});
afterAll(() => database.close());

async function bucketsOf(grid: TimeGrid, nanos: readonly bigint[]): Promise<readonly bigint[]> {
  const list = rawSql(nanos.map((time) => `(make_timestamp_ns(${time}::BIGINT))`).join(", "));
  const query = sql`SELECT ${bucketSql(grid)} AS bucket FROM (VALUES ${list}) AS t(time)`;
  return [...(await database.select(query.text, query.parameters)).bigints("bucket")];
}

/** `(t - step, t]` is bucket `i` for `t = start + i * step`, by whole milliseconds. */
function expectedOf({ startUnixMillis: start, stepMs }: TimeGrid, nanos: bigint): bigint {
  const sinceBegin = nanos / 1_000_000n - BigInt(start) + BigInt(stepMs) - 1n;
  return sinceBegin / BigInt(stepMs);
}

const grids: Readonly<Record<string, TimeGrid>> = {
  "a minute": { startUnixMillis: T0, stepMs: MINUTE },
  "a millisecond": { startUnixMillis: T0, stepMs: 1 },
  "a step back before 1970": { startUnixMillis: 30_000, stepMs: MINUTE },
  "a step that is more than int64 has": { startUnixMillis: T0, stepMs: 8.64e15 },
  "a start that is more than int64 has": { startUnixMillis: 8.64e15, stepMs: 8.64e15 },
};

it.each(Object.entries(grids))("puts times around each edge into the bucket of %s", async (_, grid) => {
  const begin = Math.max(0, grid.startUnixMillis - grid.stepMs + 1);
  const times = [0, 1, 2, 1000]
    .map((bucket) => grid.startUnixMillis + bucket * grid.stepMs)
    .flatMap((edge) => [edge - 1, edge, edge + 1])
    .filter((millis) => millis >= begin)
    .map((millis) => BigInt(millis) * 1_000_000n)
    .flatMap((nanos) => [nanos, nanos + 999_999n])
    .filter((nanos) => nanos < MAX_INT64);
  // The last nanosecond is "never" to DuckDB.
  const nanos = [...times, BigInt(begin) * 1_000_000n, MAX_INT64 - 1n].filter((time) => time < MAX_INT64);

  expect(await bucketsOf(grid, nanos)).toEqual(nanos.map((time) => expectedOf(grid, time)));
});
