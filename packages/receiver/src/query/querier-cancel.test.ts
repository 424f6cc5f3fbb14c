import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import type { Snapshot } from "../store/snapshot.ts";
import { Querier } from "./querier.ts";
import { DEFAULT_QUERY_LIMITS, type QueryLimits } from "./query-service.ts";
import { nanosAt, stackQuery } from "./testing/query-fixture.ts";
import { CPU_TYPE, createTableStore, type TableStore } from "./testing/table-store.ts";

let store: TableStore;

beforeEach(async () => {
  store = await createTableStore();
});

afterEach(async () => {
  await store.close();
});

/** More samples than can be summed in a day. */
const ENDLESS_SAMPLES = `(
  SELECT '${CPU_TYPE}' AS type, 'shop' AS service, 1::UBIGINT AS series, make_timestamp_ns(${nanosAt(1)}) AS time,
    uuid() AS profile, (i % 10)::UBIGINT AS stack, 1::BIGINT AS value, NULL::UBIGINT AS span_id, NULL::UUID AS trace_id
  FROM range(1000000000000000) AS numbers(i))`;

/** Queries over a store with endless samples; `begun` resolves when DuckDB has one of them. */
function createEndlessQueries(limits: Partial<QueryLimits>) {
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const withEndlessSamples = (snapshot: Snapshot): Snapshot => ({
    ...snapshot,
    from: (table) => (table === "samples" ? ENDLESS_SAMPLES : snapshot.from(table)),
    database: {
      run: (sql, parameters) => snapshot.database.run(sql, parameters),
      select: (sql, parameters, signal) => {
        const rows = snapshot.database.select(sql, parameters, signal);
        if (sql.includes(ENDLESS_SAMPLES)) begin();
        return rows;
      },
    },
  });
  const queries = new Querier({
    store: {
      snapshot: async (range) => withEndlessSamples(await store.snapshot(range)),
      stats: (tenant) => store.stats(tenant),
      version: (range) => store.version(range),
    },
    limits: { ...DEFAULT_QUERY_LIMITS, ...limits },
    clock: systemClock,
  });
  return { queries, begun };
}

describe("a query that is cancelled", () => {
  it("stops inside of DuckDB, lets its snapshot go, and makes room for the next one", async () => {
    const { queries, begun } = createEndlessQueries({ maxConcurrentQueries: 1 });
    const controller = new AbortController();
    const answer = queries.selectTree(stackQuery(), { signal: controller.signal });
    await begun;
    expect(store.heldCount).toBe(1);

    controller.abort();

    await expect(answer).rejects.toMatchObject({
      code: "CANCELLED",
      message: "the request was cancelled by the client",
    });
    expect(store.heldCount).toBe(0);
    // With one place, this one runs only if the first is gone.
    expect((await queries.labelNames({ ...stackQuery(), selectors: [] })).value).toEqual([]);
  });

  it("ends at its deadline in the same way", async () => {
    const { queries } = createEndlessQueries({ queryTimeoutMs: 200 });

    await expect(queries.selectTree(stackQuery())).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(store.heldCount).toBe(0);
  });
});
