import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ReceiverError } from "../packages/receiver/src/errors.ts";
import { blockKey } from "../packages/receiver/src/store/block-keys.ts";
import { Duckdb } from "../packages/receiver/src/store/duckdb.ts";
import { bucketSql } from "../packages/receiver/src/store/profile-points.ts";
import type {
  PointSum,
  RemoteEngine,
  RemotePart,
  StackSums,
} from "../packages/receiver/src/store/remote-engine.ts";
import { tables } from "../packages/receiver/src/store/schema.ts";
import { type SampleFilter, sampleCondition } from "../packages/receiver/src/store/select-filter.ts";
import { rawSql, sql } from "../packages/receiver/src/store/select-sql.ts";
import { unionSql } from "../packages/receiver/src/store/snapshot-sql.ts";
import type { ManualClock } from "../packages/receiver/src/store/testing/manual-clock.ts";
import { sumAll } from "../packages/receiver/src/store/testing/store-directory.ts";
import type { TimeGrid } from "../packages/receiver/src/store/totals-query.ts";
import { compareEngines, fillForEngines } from "./harness/engine-answers.ts";
import { hasPostgres } from "./harness/postgres.ts";
import { SharedStores } from "./harness/shared-stores.ts";

/** Sums by a DuckDB of its own, which sees the bucket alone. */
class OtherDuckdb implements RemoteEngine {
  readonly #database: Duckdb;
  readonly #bucket: string;
  partCount = 0;

  constructor(database: Duckdb, bucket: string) {
    this.#database = database;
    this.#bucket = bucket;
  }

  async sumStacks(parts: readonly RemotePart[], filter: SampleFilter): Promise<StackSums> {
    const query = sql`SELECT stack, CAST(sum("value") AS VARCHAR) AS total FROM ${this.#from(parts)}
      WHERE ${sampleCondition(filter)} GROUP BY stack`;
    const rows = await this.#database.select(query.text, query.parameters);
    const totals = rows.texts("total");
    return [...rows.ids("stack")].map((stack, i) => [stack, BigInt(totals[i] ?? "")] as const);
  }

  async sumPoints(
    parts: readonly RemotePart[],
    filter: SampleFilter,
    grid: TimeGrid,
  ): Promise<readonly PointSum[]> {
    const query = sql`SELECT series, ${bucketSql(grid)} AS bucket, CAST(sum("value") AS VARCHAR) AS total,
      count(DISTINCT (time, profile)) AS profiles FROM ${this.#from(parts)} WHERE ${sampleCondition(filter)} GROUP BY ALL`;
    const rows = await this.#database.select(query.text, query.parameters);
    const [series, buckets, totals] = [rows.ids("series"), rows.bigints("bucket"), rows.texts("total")];
    return [...rows.bigints("profiles")].map((profiles, i) => ({
      ...{ series: series[i] ?? 0n, bucket: buckets[i] ?? 0n },
      ...{ total: BigInt(totals[i] ?? ""), profiles: Number(profiles) },
    }));
  }

  async close(): Promise<void> {}

  #from(parts: readonly RemotePart[]): ReturnType<typeof rawSql> {
    this.partCount += parts.length;
    const files = parts.map(({ path, ranges }) => ({
      ...{ path: join(this.#bucket, blockKey(path, tables.samples.file)), repeats: undefined, ranges },
    }));
    return rawSql(unionSql("samples", { heads: [], files }));
  }
}

describe.skipIf(!hasPostgres)("an engine that sums samples where they lie", { timeout: 120_000 }, () => {
  const stores = new SharedStores();
  let clock: ManualClock;
  beforeAll(async () => {
    await stores.start();
    await stores.reset();
    clock = await fillForEngines(stores);
  }, 120_000);
  afterAll(async () => {
    await stores.closeStores();
    await stores.stop();
  });

  it("is asked for blocks that it can read, and makes no answer another", async () => {
    const bucket = join(stores.directory, "bucket");
    const database = await Duckdb.open({
      ...{ path: ":memory:", directory: bucket, temporaryDirectory: join(stores.directory, "spill") },
      ...{ memoryLimitBytes: 256 * 1024 * 1024, threadCount: 1 },
    });
    const engine = new OtherDuckdb(database, bucket);

    const before = stores.blobs.calls.length;
    await compareEngines(stores, { engine }, clock, 12);

    expect(engine.partCount).toBeGreaterThan(5);
    const downloads = stores.blobs.calls.slice(before).filter((call) => call.endsWith("/profiles.parquet"));
    // By the store without an engine, once each; and once more what the engine must leave to the store.
    expect(downloads.length).toBeLessThan(2 * new Set(downloads).size);
    database.close();
  });

  it("fails the query that needs it with what it says, and no other", async () => {
    const refuse = (): Promise<never> =>
      Promise.reject(new ReceiverError("ClickHouse http://c: away", { code: "STORAGE_UNAVAILABLE" }));
    const engine = { sumStacks: refuse, sumPoints: refuse, close: async () => undefined };

    await expect(compareEngines(stores, { engine }, clock, 16)).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      message: "ClickHouse http://c: away",
    });
    const store = await stores.open({ engine });
    expect((await sumAll(store, "a")).profiles).toBeGreaterThan(0n);
  });
});
