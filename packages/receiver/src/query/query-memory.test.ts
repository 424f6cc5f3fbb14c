import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { QueryLimits } from "./query-service.ts";
import { createQueryFixture, nanosAt, type QueryFixture, stackQuery } from "./testing/query-fixture.ts";

const MEBIBYTE = 1024 * 1024;
const NONE = { samples: 0, totals: 0, series: 0, stacks: 0, frames: 0 };

let fixture: QueryFixture;
beforeEach(async () => {
  fixture = await createQueryFixture();
  const pods = ["1", "2"];
  await fixture.store.add(
    pods.map((pod) => ({
      timeUnixNanos: nanosAt(1),
      labels: { pod },
      stacks: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`main;f${i};g;h`, 1])),
    })),
  );
});
afterEach(() => fixture.store.close());

/** What a query is refused with, or "". */
async function refusal(query: () => Promise<unknown>): Promise<string> {
  return await query().then(
    () => "",
    (error: unknown) => (error instanceof Error && "code" in error ? `${error.code} ${error.message}` : "?"),
  );
}

const withMemory = (maxQueryMemoryBytes: number, limits: Partial<QueryLimits> = {}) =>
  fixture.withLimits({ ...limits, maxQueryMemoryBytes });

describe("a query's memory", () => {
  it("is refused above the limit with both numbers, and taken at it", async () => {
    // 200 stacks of four frames: 200 * (300 + 4 * 48) bytes.
    fixture.store.rowCounts = { ...NONE, samples: 400, stacks: 400 };

    const tooMuch = await refusal(() => withMemory(50_000).selectTree(stackQuery()));
    const almost = await refusal(() => withMemory(98_399).selectTree(stackQuery()));
    const fits = await refusal(() => withMemory(98_400).selectTree(stackQuery()));

    expect(tooMuch).toBe(
      "INVALID_ARGUMENT the query exceeds the memory limit (max_query_memory_mb, estimate: 0.0938, limit: 0.0477), " +
        "decrease the duration of the request or add more label matchers",
    );
    expect(almost).toMatch(/^INVALID_ARGUMENT/);
    expect(fits).toBe("");
    expect(fixture.store.heldCount).toBe(0);
  });

  it("of what has every stack is that of a node for each frame: 200 * (300 + 4 * 128) bytes", async () => {
    fixture.store.rowCounts = { ...NONE, samples: 400, stacks: 400 };
    const ask = (bytes: number) =>
      refusal(() => withMemory(bytes).exportStacks({ ...stackQuery(), format: "pprof" }));

    expect([await ask(162_399), await ask(162_400)]).toEqual([
      expect.stringMatching(/^INVALID_ARGUMENT/),
      "",
    ]);
  });

  it("is refused once a tree turns out to have more nodes than were asked for, because they are equal", async () => {
    const deep = (i: number): string => Array.from({ length: 40 }, (_, level) => `d${i}-${level}`).join(";");
    await fixture.store.add([
      {
        timeUnixNanos: nanosAt(1),
        labels: { pod: "3" },
        stacks: Object.fromEntries(Array.from({ length: 50 }, (_, i) => [deep(i), 2])),
      },
    ]);
    fixture.store.rowCounts = { ...NONE, samples: 450, stacks: 450 };
    const query = { ...stackQuery(), maxNodes: 10 };

    // The estimate is 98,400 + 50 * (300 + 40 * 48); the nodes of the result take 160 each.
    expect(await refusal(() => withMemory(209_400).selectTree(query))).toMatch(/^INVALID_ARGUMENT/);
    expect(await refusal(() => withMemory(MEBIBYTE).selectTree(query))).toBe("");
  });

  it("is that of what the matchers leave, not of all that blocks hold", async () => {
    fixture.store.rowCounts = { ...NONE, samples: 1_000_000, stacks: 1_000_000 };
    const queries = withMemory(MEBIBYTE);

    expect(await refusal(() => queries.selectTree(stackQuery()))).toBe("");
    expect(await refusal(() => queries.exportStacks({ ...stackQuery(), format: "pprof" }))).toBe("");
  });

  it("of a time series follows from its groups and buckets", async () => {
    fixture.store.rowCounts = { ...NONE, totals: 1_000_000, series: 1000 };
    const series = { ...stackQuery(), stepMs: 1, groupBy: ["pod"] };
    // Two profiles are two points.
    expect(await refusal(() => withMemory(240).selectTimeSeries(series))).toBe("");
    expect(await refusal(() => withMemory(239).selectTimeSeries(series))).toMatch(/^INVALID_ARGUMENT/);
    expect(await refusal(() => withMemory(239).selectHeatmap({ ...series, point: "profile" }))).toMatch(
      /^INVALID_ARGUMENT/,
    );
    // Without groups and with one bucket there is one point.
    const sum = { ...series, groupBy: [], stepMs: 10_000 };
    expect(await refusal(() => withMemory(480).selectTimeSeries(sum))).toBe("");
  });

  it("has no limit at 0, and that of the tenant where it has one", async () => {
    fixture.store.rowCounts = { ...NONE, samples: 400, stacks: 400 };
    const limits = { maxQueryLengthMs: 0, maxQueryLookbackMs: 0 };
    const nodes = { maxFlamegraphNodesDefault: 10, maxFlamegraphNodesMax: 10 };
    const ask = (maxQueryMemoryBytes: number) =>
      refusal(() =>
        withMemory(0).selectTree(stackQuery(), { limits: { ...limits, ...nodes, maxQueryMemoryBytes } }),
      );

    expect(await refusal(() => withMemory(0).selectTree(stackQuery()))).toBe("");
    expect([await ask(1), await ask(200_000)]).toEqual([expect.stringMatching(/^INVALID_ARGUMENT/), ""]);
  });

  it("is waited for by one query after the other", async () => {
    fixture.store.rowCounts = { ...NONE, samples: 400, stacks: 400 };
    const queries = withMemory(200_000, { maxConcurrentQueries: 4 });
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => queries.selectTree({ ...stackQuery(), maxNodes: 10 + index })),
    );

    expect(answers.map(({ value }) => value.total[0])).toEqual(Array(8).fill(400));
    expect(fixture.store.heldCount).toBe(0);
  });
});
