import { formatLabels } from "@pyroscope-ts/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TimeSeries, TimeSeriesQuery } from "./query-service.ts";
import { createQueryFixture, nanosAt, type QueryFixture, stackQuery, T0 } from "./testing/query-fixture.ts";

const HEAP_TYPE = "memory:inuse_space:bytes:space:bytes";

let fixture: QueryFixture;

beforeEach(async () => {
  fixture = await createQueryFixture();
});

afterEach(async () => {
  await fixture.store.close();
});

function seriesQuery(changes: Partial<TimeSeriesQuery> = {}): TimeSeriesQuery {
  return { ...stackQuery({ endUnixMillis: T0 + 25 }), stepMs: 10, groupBy: [], ...changes };
}

/** `{labels} offset:value …`, offsets in ms after T0. */
function print(series: readonly TimeSeries[]): string[] {
  return series.map(({ labels, unixMillis, values }) => {
    const points = Array.from(unixMillis, (time, i) => `${time - T0}:${values[i]}`);
    return [formatLabels(labels), ...points].join(" ");
  });
}

describe("selectTimeSeries", () => {
  it("puts a profile into the bucket that ends at or after it, one step before the start included", async () => {
    await fixture.store.add(
      [-10, -9, 0, 1, 10, 11, 20, 21, 25].map((offsetMs, i) => ({
        timeUnixNanos: nanosAt(offsetMs),
        stacks: { a: 2 ** i },
      })),
    );

    const { value } = await fixture.queries.selectTimeSeries(seriesQuery());

    expect(print(value)).toEqual([`{} 0:${2 + 4} 10:${8 + 16} 20:${32 + 64}`]);
  });

  it("counts a profile by its millisecond", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(10) + 999_999n, stacks: { a: 1 } },
      { timeUnixNanos: nanosAt(-10) + 999_999n, stacks: { a: 10 } },
    ]);

    const { value } = await fixture.queries.selectTimeSeries(seriesQuery());

    expect(print(value)).toEqual(["{} 10:1"]);
  });

  it("has no series without data", async () => {
    const { value } = await fixture.queries.selectTimeSeries(seriesQuery({ groupBy: ["env"] }));

    expect(value).toEqual([]);
  });

  it("groups by labels, the largest first, equal ones by label, and keeps the largest few", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), labels: { env: "b" }, stacks: { a: 5 } },
      { timeUnixNanos: nanosAt(2), labels: { env: "a" }, stacks: { a: 5 } },
      { timeUnixNanos: nanosAt(3), stacks: { a: 9 } },
      { timeUnixNanos: nanosAt(4), labels: { service_name: "cart" }, stacks: { a: 1 } },
      { timeUnixNanos: nanosAt(14), labels: { env: "a", pod: "1" }, stacks: { a: 1 } },
    ]);

    const all = await fixture.queries.selectTimeSeries(seriesQuery({ groupBy: ["service_name", "env"] }));
    const top = await fixture.queries.selectTimeSeries(seriesQuery({ groupBy: ["env"], limit: 2 }));

    expect(print(all.value)).toEqual([
      '{service_name="shop"} 10:9',
      '{env="a", service_name="shop"} 10:5 20:1',
      '{env="b", service_name="shop"} 10:5',
      '{service_name="cart"} 10:1',
    ]);
    expect(print(top.value)).toEqual(["{} 10:10", '{env="a"} 10:5 20:1']);
  });

  it("groups by internal labels and by names that need quoting", async () => {
    await fixture.store.add([{ timeUnixNanos: nanosAt(1), labels: { "a'b": "x" }, stacks: { a: 1 } }]);

    const { value } = await fixture.queries.selectTimeSeries(seriesQuery({ groupBy: ["__type__", "a'b"] }));

    expect(print(value)).toEqual(['{__type__="cpu", a\'b="x"} 10:1']);
  });

  it("averages the profiles of each series of an instant type and adds the series up", async () => {
    await fixture.store.add([
      { type: HEAP_TYPE, timeUnixNanos: nanosAt(1), labels: { pod: "1" }, stacks: { a: 100 } },
      { type: HEAP_TYPE, timeUnixNanos: nanosAt(2), labels: { pod: "1" }, stacks: { a: 300 } },
      { type: HEAP_TYPE, timeUnixNanos: nanosAt(3), labels: { pod: "2" }, stacks: { a: 50 } },
    ]);
    const run = async (changes: Partial<TimeSeriesQuery>) => {
      const query = seriesQuery({ profileType: HEAP_TYPE, ...changes });
      return print((await fixture.queries.selectTimeSeries(query)).value);
    };

    expect(await run({})).toEqual(["{} 10:250"]);
    expect(await run({ aggregation: "sum" })).toEqual(["{} 10:450"]);
    expect(await run({ aggregation: "average" })).toEqual(["{} 10:150"]);
    expect(await run({ groupBy: ["pod"] })).toEqual(['{pod="1"} 10:200', '{pod="2"} 10:50']);
  });

  it("sums other types and averages them only when asked to", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), stacks: { a: 1 } },
      { timeUnixNanos: nanosAt(2), stacks: { a: 3 } },
    ]);

    const sum = await fixture.queries.selectTimeSeries(seriesQuery());
    const average = await fixture.queries.selectTimeSeries(seriesQuery({ aggregation: "average" }));

    expect(print(sum.value)).toEqual(["{} 10:4"]);
    expect(print(average.value)).toEqual(["{} 10:2"]);
  });

  it("counts only stacks that begin with the call site, or samples of a span", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), stacks: { "main;a": 1, "main;b": 2 }, spanId: 1n },
      { timeUnixNanos: nanosAt(11), stacks: { "main;a": 4, b: 8 } },
      { timeUnixNanos: nanosAt(12), stacks: { b: 16 } },
    ]);

    const site = await fixture.queries.selectTimeSeries(seriesQuery({ callSite: ["main", "a"] }));
    const span = await fixture.queries.selectTimeSeries(seriesQuery({ spanIds: ["0000000000000001"] }));
    const none = await fixture.queries.selectTimeSeries(seriesQuery({ callSite: ["none"] }));

    expect(print(site.value)).toEqual(["{} 10:1 20:4"]);
    expect(print(span.value)).toEqual(["{} 10:3"]);
    expect(none.value).toEqual([]);
    const tables = fixture.store.snapshots.map((snapshot) => snapshot.tables);
    expect(tables.slice(0, 2)).toEqual([
      expect.arrayContaining(["stacks"]),
      expect.arrayContaining(["samples"]),
    ]);
  });

  it("reads the files of totals and series alone where nothing narrows it", async () => {
    await fixture.queries.selectTimeSeries(seriesQuery({ callSite: [], spanIds: [] }));

    expect(fixture.store.snapshots.at(-1)?.tables).toEqual(["totals", "series"]);
  });

  it("names the largest profile of each point as its exemplar", async () => {
    const largest = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), labels: { env: "a", pod: "1" }, stacks: { a: 1 } },
      { timeUnixNanos: nanosAt(2), labels: { env: "a", pod: "2" }, stacks: { a: 5, b: 5 }, profile: largest },
      { timeUnixNanos: nanosAt(3), labels: { env: "a", pod: "1" }, stacks: { a: 9 } },
    ]);

    const { value } = await fixture.queries.selectTimeSeries(
      seriesQuery({ groupBy: ["env", "__name__", "service_name"], exemplars: true }),
    );

    expect(value[0]?.exemplars).toEqual([
      { unixMillis: T0 + 2, profileId: largest, value: 10n, labels: [{ name: "pod", value: "2" }] },
    ]);
  });

  it("refuses a step below a millisecond, after the range and the type", async () => {
    const { queries } = fixture;

    await expect(queries.selectTimeSeries(seriesQuery({ stepMs: 0.9 }))).rejects.toThrow(
      "step must be >= 1ms",
    );
    await expect(queries.selectTimeSeries(seriesQuery({ stepMs: Number.NaN }))).rejects.toThrow(
      "step must be",
    );
    await expect(queries.selectTimeSeries(seriesQuery({ stepMs: 0, profileType: "x" }))).rejects.toThrow(
      "got(1)",
    );
  });

  it("takes the finest step over the longest range", async () => {
    await fixture.store.add([{ timeUnixNanos: nanosAt(1), stacks: { a: 1 } }]);

    const { value } = await fixture.queries.selectTimeSeries(
      seriesQuery({ startUnixMillis: 1, endUnixMillis: 2 ** 63, stepMs: 1 }),
    );

    expect(print(value)).toEqual(["{} 1:1"]);
  });

  it("takes a step longer than all of time", async () => {
    await fixture.store.add([{ timeUnixNanos: nanosAt(0), stacks: { a: 1 } }]);

    const { value } = await fixture.queries.selectTimeSeries(
      seriesQuery({ stepMs: Number.POSITIVE_INFINITY }),
    );

    expect(print(value)).toEqual(["{} 0:1"]);
  });

  it("groups by 256 labels and refuses one more", async () => {
    const groupBy = Array.from({ length: 256 }, (_, i) => `label${i}`);
    const { queries } = fixture;

    await expect(queries.selectTimeSeries(seriesQuery({ groupBy }))).resolves.toMatchObject({ value: [] });
    await expect(queries.selectTimeSeries(seriesQuery({ groupBy: [...groupBy, "x"] }))).rejects.toThrow(
      "telling series apart by 257 labels: limit 256",
    );
  });
});
