import { diffTreeToFlamebearer } from "@pyroscope-ts/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createQueryFixture, nanosAt, type QueryFixture, stackQuery, T0 } from "./testing/query-fixture.ts";

let fixture: QueryFixture;

beforeEach(async () => {
  fixture = await createQueryFixture();
});

afterEach(async () => {
  await fixture.store.close();
});

describe("selectDiffTree", () => {
  it("lays two selections over each other as the reference does", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), labels: { version: "1" }, stacks: { "a;b": 1, "a;c": 2 } },
      { timeUnixNanos: nanosAt(1), labels: { version: "2" }, stacks: { "a;b": 4, "a;c": 8 } },
    ]);

    const { value } = await fixture.queries.selectDiffTree({
      left: stackQuery({ selector: '{version="1"}' }),
      right: stackQuery({ selector: '{version="2"}' }),
    });

    expect(diffTreeToFlamebearer(value)).toMatchObject({
      names: ["total", "a", "c", "b"],
      levels: [
        [0, 3, 0, 0, 12, 0, 0],
        [0, 3, 0, 0, 12, 0, 1],
        [0, 1, 1, 0, 4, 4, 3, 0, 2, 2, 0, 8, 8, 2],
      ],
      numTicks: 15,
      maxSelf: 8,
    });
  });

  it("truncates by the larger of the two limits, both sides together", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), stacks: { a: 100, b: 1, c: 1 } },
      { timeUnixNanos: nanosAt(500), stacks: { b: 50, c: 1 } },
    ]);
    const left = stackQuery({ endUnixMillis: T0 + 100, maxNodes: 1 });
    const right = stackQuery({ startUnixMillis: T0 + 101, maxNodes: 2 });

    const { value } = await fixture.queries.selectDiffTree({ left, right });

    expect(value.names.toSorted()).toEqual(["a", "b", "other", "total"]);
    expect([value.leftTotal[0], value.rightTotal[0]]).toEqual([102, 51]);
  });
});
