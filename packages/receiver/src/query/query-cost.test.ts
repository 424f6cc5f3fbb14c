import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { QueryCost } from "./query-service.ts";
import { createQueryFixture, nanosAt, type QueryFixture, T0 } from "./testing/query-fixture.ts";
import { CPU_TYPE } from "./testing/table-store.ts";

let fixture: QueryFixture;

beforeEach(async () => {
  fixture = await createQueryFixture();
  await fixture.store.add([
    { timeUnixNanos: nanosAt(1), labels: { pod: "a" }, stacks: { a: 1, b: 2 } },
    { timeUnixNanos: nanosAt(2), labels: { pod: "a" }, stacks: { a: 1 } },
    { timeUnixNanos: nanosAt(3), labels: { pod: "b" }, stacks: { a: 1 } },
    { timeUnixNanos: nanosAt(4), type: "wall:wall:nanoseconds::", stacks: { a: 1 } },
    { timeUnixNanos: nanosAt(5000), stacks: { a: 1 } },
  ]);
});

afterEach(async () => {
  await fixture.store.close();
});

async function analyze(query: string): Promise<QueryCost> {
  const range = { tenants: ["anonymous"], startUnixMillis: T0, endUnixMillis: T0 + 1000 };
  return (await fixture.queries.analyzeQuery({ ...range, query })).value;
}

describe("analyzeQuery", () => {
  it.for([
    [`${CPU_TYPE}{pod="a"}`, 1, 2, 3],
    [`${CPU_TYPE}{}`, 2, 3, 4],
    [`{pod="b"}`, 1, 1, 1],
    ["{}", 3, 4, 5],
    ["", 3, 4, 5],
    [`{pod="none"}`, 0, 0, 0],
  ] as const)("counts what %s would read", async ([query, seriesCount, profileCount, sampleCount]) => {
    expect(await analyze(query)).toMatchObject({ seriesCount, profileCount, sampleCount });
  });

  it("adds up the bytes of the blocks in the range, by what they hold", async () => {
    const sizes = { samples: 100, totals: 20, series: 3, stacks: 40, frames: 5 };
    fixture.store.blockSizes = [sizes, sizes];

    expect(await analyze("{}")).toMatchObject({
      blockCount: 2,
      indexBytes: 6,
      profileBytes: 240,
      symbolBytes: 90,
    });
  });

  it("refuses a query that cannot be read", async () => {
    await expect(analyze("{pod=")).rejects.toMatchObject({ code: "SELECTOR_INVALID" });
  });
});
