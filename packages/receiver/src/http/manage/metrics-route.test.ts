import { describe, expect, it } from "vitest";
import { createTestApp, type TestApp } from "../../testing/create-test-app.ts";
import { storageStatus } from "../../testing/storage-status.ts";

const status = storageStatus({
  activeSeriesCount: 3,
  blockCount: 5,
  failedBlockWriteCount: 7,
  cacheHitCount: 11,
  cacheMissCount: 12,
  cachedAnswerBytes: 13,
  joinedQueryCount: 14,
});

/** The sum of a metric over its labels. */
async function read(app: TestApp["app"], name: string): Promise<number> {
  const { body } = await app.inject({ url: "/metrics" });
  const lines = body.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"));
  return Array.from(lines, ([, value]) => Number(value)).reduce((sum, value) => sum + value, 0);
}

const push = (app: TestApp["app"], name: string) =>
  app.inject({ method: "POST", url: `/ingest?format=pprof&name=${name}`, payload: "x" });

describe("GET /metrics under the names of older dashboards", () => {
  it("counts profiles that were taken and those that were not", async () => {
    const { app } = await createTestApp();

    await push(app, "shop");
    await push(app, "");

    expect(await read(app, "pyroscope_distributor_received_samples_total")).toBe(1);
    expect(await read(app, "pyroscope_discarded_samples_total")).toBe(1);
  });

  it("shows queries while they run", async () => {
    let answer = () => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const { app } = await createTestApp({
      storage: {
        labelValues: async () => {
          await asked;
          return { value: [], missingBlocks: [], resolution: "raw" };
        },
      },
    });
    const query = app.inject({ url: "/label-values?label=pod" });
    const running = await read(app, "pyroscope_query_frontend_queries_in_progress");
    answer();
    await query;

    expect([running, await read(app, "pyroscope_query_frontend_queries_in_progress")]).toEqual([1, 0]);
  });

  it.for([
    ["pyroscope_ingester_memory_series", 3],
    ["pyroscope_bucket_store_blocks_loaded", 5],
    ["pyroscope_ingester_shipper_uploads_failed_total", 7],
    ["pyroscope_query_cache_hits", 11],
    ["pyroscope_query_cache_misses", 12],
    ["pyroscope_query_cache_bytes", 13],
    ["pyroscope_query_joined", 14],
  ] as const)("shows %s as the storage has it", async ([name, expected]) => {
    const { app } = await createTestApp({ readiness: { storage: status } });

    expect(await read(app, name)).toBe(expected);
  });
});
