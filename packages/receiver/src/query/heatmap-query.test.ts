import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HeatmapQuery } from "./query-service.ts";
import { createQueryFixture, nanosAt, type QueryFixture, T0 } from "./testing/query-fixture.ts";
import { CPU_TYPE } from "./testing/table-store.ts";

const TRACE = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";

let fixture: QueryFixture;

beforeEach(async () => {
  fixture = await createQueryFixture();
});

afterEach(async () => {
  await fixture.store.close();
});

async function heatmap(changes: Partial<HeatmapQuery> = {}) {
  const query: HeatmapQuery = {
    tenants: ["anonymous"],
    startUnixMillis: T0,
    endUnixMillis: T0 + 2000,
    profileType: CPU_TYPE,
    selector: "{}",
    stepMs: 1000,
    groupBy: [],
    point: "profile",
    ...changes,
  };
  return (await fixture.queries.selectHeatmap(query)).value;
}

/** Cells that are not empty: `cell:count`. */
function filled(counts: Int32Array): readonly string[] {
  return Array.from(counts, (count, cell) => (count === 0 ? "" : `${cell}:${count}`)).filter(Boolean);
}

describe("selectHeatmap", () => {
  it("counts profiles by right edges of time and twentieths between smallest and largest value", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(-500), stacks: { a: 0 } },
      { timeUnixNanos: nanosAt(1), stacks: { a: 100 } },
      { timeUnixNanos: nanosAt(1000), stacks: { a: 60, b: 39 } },
      { timeUnixNanos: nanosAt(1500), stacks: { a: 4 } },
      { timeUnixNanos: nanosAt(2001), stacks: { a: 1_000_000 } },
    ]);

    const { cellMin, series } = await heatmap();

    expect([...cellMin]).toEqual(Array.from({ length: 20 }, (_, cell) => cell * 5));
    expect(series).toHaveLength(1);
    expect(series[0]?.labels).toEqual([]);
    expect(series[0]?.slots.map(({ unixMillis, counts }) => [unixMillis - T0, ...filled(counts)])).toEqual([
      [0, "0:1"],
      [1000, "19:2"],
      [2000, "0:1"],
    ]);
    expect(series[0]?.slots.flatMap(({ exemplars }) => exemplars)).toEqual([]);
  });

  it("lies in the first cell of one unit when all values are equal", async () => {
    await fixture.store.add([{ timeUnixNanos: nanosAt(1), stacks: { a: 7 } }]);

    const { cellMin, series } = await heatmap();

    expect([cellMin[0], cellMin[1]]).toEqual([7, 7.05]);
    expect(filled(series[0]!.slots[0]!.counts)).toEqual(["0:1"]);
  });

  it("groups by labels on one scale, the largest sum first, and keeps as many groups as asked for", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), labels: { pod: "a" }, stacks: { a: 20 } },
      { timeUnixNanos: nanosAt(2), labels: { pod: "b" }, stacks: { a: 40 } },
      { timeUnixNanos: nanosAt(3), stacks: { a: 0 } },
    ]);

    const all = await heatmap({ groupBy: ["pod"] });
    const first = await heatmap({ groupBy: ["pod"], limit: 1 });

    expect(all.series.map(({ labels, slots }) => [labels[0]?.value, ...filled(slots[0]!.counts)])).toEqual([
      ["b", "19:1"],
      ["a", "10:1"],
      [undefined, "0:1"],
    ]);
    expect(first.series.map(({ labels }) => labels)).toEqual([[{ name: "pod", value: "b" }]]);
    expect(first.cellMin[1]).toBe(2);
  });

  it("names the largest profile of each cell, with the labels that are not grouped by", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), labels: { pod: "a" }, stacks: { a: 99 } },
      { timeUnixNanos: nanosAt(2), labels: { pod: "a" }, stacks: { a: 100 } },
      { timeUnixNanos: nanosAt(3), labels: { pod: "a" }, stacks: { a: 1 } },
    ]);

    const { series } = await heatmap({ groupBy: ["service_name"], exemplars: true });

    const exemplars = series[0]!.slots[0]!.exemplars;
    expect(exemplars.map(({ value }) => value).sort()).toEqual([1n, 100n]);
    expect(exemplars.find(({ value }) => value === 100n)).toEqual({
      unixMillis: T0 + 2,
      profileId: "00000000-0000-0000-0000-000000000002",
      value: 100n,
      labels: [
        { name: "__name__", value: "process_cpu" },
        { name: "pod", value: "a" },
      ],
      spanId: "",
      traceId: "",
    });
  });

  it("counts a span once for each profile, and samples without a span not at all", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), stacks: { a: 3, b: 4 }, spanId: 7n, traceId: TRACE },
      { timeUnixNanos: nanosAt(2), stacks: { a: 1 }, spanId: 0xff00000000000007n },
      { timeUnixNanos: nanosAt(3), stacks: { a: 500 } },
    ]);

    const { cellMin, series } = await heatmap({ point: "span", exemplars: true });

    expect(cellMin[0]).toBe(1);
    expect(filled(series[0]!.slots[0]!.counts)).toEqual(["0:1", "19:1"]);
    const ids = series[0]!.slots[0]!.exemplars.map(({ spanId, traceId, value }) => [spanId, traceId, value]);
    expect(ids.sort()).toEqual([
      ["0000000000000007", TRACE.replaceAll("-", ""), 7n],
      ["ff00000000000007", "", 1n],
    ]);
  });

  it("is empty where there is no data", async () => {
    expect(await heatmap()).toEqual({ cellMin: new Float64Array(), series: [] });
  });
});
