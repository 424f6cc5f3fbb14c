import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createQueryFixture, nanosAt, type QueryFixture, T0 } from "./testing/query-fixture.ts";

let fixture: QueryFixture;

beforeEach(async () => {
  fixture = await createQueryFixture();
});

afterEach(async () => {
  await fixture.store.close();
});

async function cardinality(...selectors: readonly string[]) {
  const range = { tenants: ["anonymous"], startUnixMillis: T0, endUnixMillis: T0 + 1000 };
  return (await fixture.queries.cardinality({ ...range, selectors })).value;
}

describe("cardinality", () => {
  it("counts values and series of each label in the range, the most values first", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), labels: { user: "1", pod: "a" }, stacks: { a: 1 } },
      { timeUnixNanos: nanosAt(2), labels: { user: "2", pod: "a" }, stacks: { a: 1 } },
      { timeUnixNanos: nanosAt(3), labels: { user: "3" }, stacks: { a: 1 } },
      { timeUnixNanos: nanosAt(4), labels: { user: "3" }, stacks: { a: 1 } },
      { timeUnixNanos: nanosAt(9000), labels: { user: "4" }, stacks: { a: 1 } },
    ]);

    expect(await cardinality()).toEqual({
      seriesCount: 3,
      labels: [
        { name: "user", valueCount: 3, seriesCount: 3, isHigh: false },
        { name: "__name__", valueCount: 1, seriesCount: 3, isHigh: false },
        { name: "pod", valueCount: 1, seriesCount: 2, isHigh: false },
        { name: "service_name", valueCount: 1, seriesCount: 3, isHigh: false },
      ],
    });
    expect((await cardinality('{pod="a"}', '{user!="1"}')).seriesCount).toBe(1);
  });

  it("flags a label from its hundredth value on", async () => {
    const profiles = (label: string, count: number) =>
      Array.from({ length: count }, (_, i) => ({
        timeUnixNanos: nanosAt(i),
        labels: { [label]: `v${i}` },
        stacks: { a: 1 },
      }));
    await fixture.store.add([...profiles("high", 100), ...profiles("low", 99)]);

    const { labels } = await cardinality();

    expect(labels.filter(({ isHigh }) => isHigh).map(({ name }) => name)).toEqual(["high"]);
  });

  it("is empty where there is no data", async () => {
    expect(await cardinality()).toEqual({ seriesCount: 0, labels: [] });
  });
});
