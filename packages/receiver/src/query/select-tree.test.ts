import { decodePprof, treeToFlamebearer } from "@pyroscope-ts/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StackQuery } from "./query-service.ts";
import { createQueryFixture, nanosAt, type QueryFixture, stackQuery, T0 } from "./testing/query-fixture.ts";
import { CPU_TYPE } from "./testing/table-store.ts";

let fixture: QueryFixture;

beforeEach(async () => {
  fixture = await createQueryFixture();
});

afterEach(async () => {
  await fixture.store.close();
});

const SPAN = 0xf0f067aa0ba902b7n;
const TRACE = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";

describe("selectTree", () => {
  it("merges the samples of all profiles into the flamebearer of the reference", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), stacks: { "a;b": 1 } },
      { timeUnixNanos: nanosAt(2), stacks: { "a;c": 2 } },
    ]);

    const { value } = await fixture.queries.selectTree(stackQuery());

    expect(treeToFlamebearer(value)).toEqual({
      names: ["total", "a", "c", "b"],
      levels: [
        [0, 3, 0, 0],
        [0, 3, 0, 1],
        [0, 1, 1, 3, 0, 2, 2, 2],
      ],
      numTicks: 3,
      maxSelf: 2,
    });
  });

  it("truncates as the reference does", async () => {
    await fixture.store.add([
      {
        timeUnixNanos: nanosAt(1),
        stacks: { "main;a;x": 50, "main;a;y": 3, "main;b;z": 40, "main;b;w": 2, "main;c": 5 },
      },
    ]);

    const { value } = await fixture.queries.selectTree(stackQuery({ maxNodes: 4 }));

    expect(treeToFlamebearer(value)).toMatchObject({
      names: ["total", "main", "other", "b", "a", "x"].map((name) => expect.stringMatching(name)),
      levels: [
        [0, 100, 0, 0],
        [0, 100, 0, 1],
        [0, 53, 0, 4, 0, 42, 0, 3, 0, 5, 5, 2],
        [0, 50, 50, 5, 0, 3, 3, 2, 0, 42, 42, 2],
      ],
    });
  });

  it("tells unnamed functions apart by file, not by line or folder, and everything else by name", async () => {
    await fixture.store.add([
      {
        timeUnixNanos: nanosAt(1),
        stacks: {
          "(anonymous)@/v1/cart.js:3": 1,
          "(anonymous)@/v2/cart.js:4": 10,
          "(anonymous)@C:\\app\\tax.js:3": 100,
          "(anonymous)@node:internal/url:7": 1000,
          "(anonymous)": 10_000,
          "main@/v1/cart.js:1": 100_000,
          "main@/v1/tax.js:1": 100_000,
        },
      },
    ]);
    const totals = async (changes: Partial<StackQuery> = {}) => {
      const { value } = await fixture.queries.selectTree(stackQuery(changes));
      const { names, levels } = treeToFlamebearer(value);
      const [, ...cells] = levels;
      // Four numbers a cell: offset, total, self, name.
      return Object.fromEntries(
        cells.flatMap((row) =>
          Array.from({ length: row.length / 4 }, (_, i) => [names[row[4 * i + 3]!], row[4 * i + 1]]),
        ),
      );
    };

    expect(await totals()).toEqual({
      "(anonymous) cart.js": 11,
      "(anonymous) tax.js": 100,
      "(anonymous) node:internal/url": 1000,
      "(anonymous)": 10_000,
      main: 200_000,
    });
    expect(await totals({ frameNames: "line" })).toMatchObject({ "(anonymous) /v1/cart.js:3": 1 });
    expect(await totals({ callSite: ["(anonymous) cart.js"] })).toEqual({ "(anonymous) cart.js": 11 });
  });

  it("is a root without anything when there is no data", async () => {
    const { value } = await fixture.queries.selectTree(stackQuery());

    expect(treeToFlamebearer(value)).toEqual({
      names: ["total"],
      levels: [[0, 0, 0, 0]],
      numTicks: 0,
      maxSelf: 0,
    });
  });

  it("takes the first and the last millisecond whole, and nothing beside them", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(0) - 1n, stacks: { before: 1 } },
      { timeUnixNanos: nanosAt(0), stacks: { first: 10 } },
      { timeUnixNanos: nanosAt(1000) + 999_999n, stacks: { last: 100 } },
      { timeUnixNanos: nanosAt(1001), stacks: { after: 1000 } },
    ]);

    const { value } = await fixture.queries.selectTree(stackQuery());

    expect(value.names).not.toContain("before");
    expect(value.total[0]).toBe(110);
  });

  it("keeps profile types apart and ignores a sixth part", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), stacks: { a: 1 } },
      { timeUnixNanos: nanosAt(1), type: "wall:wall:nanoseconds:wall:nanoseconds", stacks: { a: 10 } },
    ]);

    const { value } = await fixture.queries.selectTree(stackQuery({ profileType: `${CPU_TYPE}:delta` }));

    expect(value.total[0]).toBe(1);
  });

  it.for([
    ['{service_name="shop"}', 1 + 10 + 100],
    ['{__service_name__="shop",service_name!="x"}', 1 + 10 + 100],
    ['{service_name=~"sh.p|bar"}', 111],
    ['{env="prod"}', 1],
    ['{env!="prod"}', 1110],
    ['{env=""}', 1100],
    ['{env!=""}', 11],
    ['{env=~".*"}', 1111],
    ['{env=~"p.*|st.*"}', 11],
    ['{env!~"p.*"}', 1110],
    ['{env=~"pro"}', 0],
    ['{"dotted.name"="x",service_name="shop"}', 100],
    ['{env="prod",env="stage"}', 0],
    ['{service_name="shop",service_name="cart"}', 0],
    ['{__type__="cpu",env="stage"}', 10],
    ['{__unit__!="nanoseconds"}', 0],
    ['{__profile_type__=~"process_cpu:.*"}', 1111],
    ['{__name__="process_cpu"}', 1111],
    ['{__period_type__="cpu",__period_unit__=~"n.*"}', 1111],
  ] as const)("selects by %s", async ([selector, total]) => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), labels: { env: "prod" }, stacks: { a: 1 } },
      { timeUnixNanos: nanosAt(2), labels: { env: "stage" }, stacks: { a: 10 } },
      { timeUnixNanos: nanosAt(3), labels: { "dotted.name": "x" }, stacks: { a: 100 } },
      { timeUnixNanos: nanosAt(4), labels: { service_name: "cart" }, stacks: { a: 1000 } },
    ]);

    const { value } = await fixture.queries.selectTree(stackQuery({ selector }));

    expect(value.total[0]).toBe(total);
  });

  it("passes over frames without a name, and counts their values where they hang", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), stacks: { "main;0x1f!/bin/app": 3, "0x20!/bin/app;main": 4, "": 5 } },
    ]);

    const { value } = await fixture.queries.selectTree(stackQuery());

    expect(value.names).toEqual(["total", "main"]);
    expect([...value.self]).toEqual([5, 7]);
  });

  it("keeps the total when a stack's row is lost", async () => {
    await fixture.store.add([{ timeUnixNanos: nanosAt(1), stacks: { a: 3 } }]);
    const snapshot = await fixture.store.snapshot({ tenants: [], fromUnixNanos: 0n, untilUnixNanos: 1n });
    await snapshot.database.run("DELETE FROM head.stacks");

    const { value } = await fixture.queries.selectTree(stackQuery());

    expect(value.total[0]).toBe(3);
  });

  it("tells lines of one function apart when asked to", async () => {
    await fixture.store.add([{ timeUnixNanos: nanosAt(1), stacks: { "f@x.js:1": 1, "f@x.js:2": 2, g: 4 } }]);

    const byFunction = await fixture.queries.selectTree(stackQuery());
    const byLine = await fixture.queries.selectTree(stackQuery({ frameNames: "line" }));

    expect(byFunction.value.names).toEqual(["total", "f", "g"]);
    expect(byLine.value.names).toEqual(["total", "f x.js:1", "f x.js:2", "g"]);
  });

  it("keeps stacks that begin with the call site, inlined frames counting by themselves", async () => {
    await fixture.store.add([
      {
        timeUnixNanos: nanosAt(1),
        stacks: {
          "main;~run;work": 1,
          "main;~run": 2,
          "main;work": 4,
          "other;main;run": 8,
          "0x1!bin;main;run": 16,
        },
      },
    ]);

    const one = await fixture.queries.selectTree(stackQuery({ callSite: ["main", "run"] }));
    const none = await fixture.queries.selectTree(stackQuery({ callSite: ["nothing"] }));

    expect(one.value.total[0]).toBe(1 + 2 + 16);
    expect(none.value.total[0]).toBe(0);
  });

  it("narrows to profiles, spans and traces", async () => {
    const profile = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), stacks: { a: 1 }, spanId: SPAN },
      { timeUnixNanos: nanosAt(2), stacks: { a: 10 }, spanId: 5n, traceId: TRACE },
      { timeUnixNanos: nanosAt(3), stacks: { a: 100 }, profile },
    ]);
    const totalOf = async (changes: Partial<StackQuery>) =>
      (await fixture.queries.selectTree(stackQuery(changes))).value.total[0];

    expect(await totalOf({ spanIds: ["f0f067aa0ba902b7"] })).toBe(1);
    expect(await totalOf({ spanIds: ["F0F067AA0BA902B7", "0000000000000005"] })).toBe(11);
    expect(await totalOf({ traceIds: [TRACE.replaceAll("-", "")] })).toBe(10);
    expect(await totalOf({ profileIds: [profile] })).toBe(100);
    expect(await totalOf({ profileIds: [profile], spanIds: ["0000000000000005"] })).toBe(0);
  });

  it("adds beyond 2^53 without rounding on the way and refuses a sum beyond int64", async () => {
    const large = 2n ** 62n;
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), stacks: { a: large, b: 2n ** 53n + 1n } },
      { timeUnixNanos: nanosAt(2), stacks: { b: 1n } },
    ]);
    const within = await fixture.queries.exportStacks({ ...stackQuery(), format: "pprof" });
    expect([...decodePprof(within.value).samples.values].sort()).toEqual([large, 2n ** 53n + 2n].sort());

    await fixture.store.add([{ timeUnixNanos: nanosAt(3), stacks: { c: large } }]);
    await expect(fixture.queries.selectTree(stackQuery())).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
    await fixture.store.add([{ timeUnixNanos: nanosAt(4), stacks: { a: large } }]);
    await expect(fixture.queries.selectTree(stackQuery())).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
  });

  it("names blocks that are missing, and picks blocks by type, service and range", async () => {
    fixture.store.missingBlocks = ["01H"];

    const answer = await fixture.queries.selectTree(
      stackQuery({ selector: '{service_name="shop",env=~"p.*"}' }),
    );

    expect(answer.missingBlocks).toEqual(["01H"]);
    expect(fixture.store.snapshots.at(-1)).toMatchObject({
      tenants: ["anonymous"],
      types: [CPU_TYPE],
      services: ["shop"],
      fromUnixNanos: nanosAt(0),
      untilUnixNanos: nanosAt(1000) + 999_999n,
    });
  });

  it.for([
    [{ startUnixMillis: 0 }, "missing time range in the query"],
    [{ startUnixMillis: T0 + 2000 }, "query start time is after end time"],
    [{ profileType: "cpu" }, 'got(1): "cpu"'],
    [{ selector: "" }, 'parsing label selector ""'],
    [{ selector: '{a=~"("}' }, "parsing label selector"],
    [{ maxNodes: 1_048_577 }, "max flamegraph nodes limit 1048577 is greater than allowed 1048576"],
    [{ spanIds: ["x"] }, 'invalid span id length: "x"'],
  ] as const)("refuses %j before it takes a snapshot", async ([changes, message]) => {
    await expect(fixture.queries.selectTree(stackQuery(changes))).rejects.toThrow(message);
    expect(fixture.store.snapshots).toHaveLength(0);
  });

  it("lets the snapshot go, whether it worked, failed or was cancelled", async () => {
    await fixture.store.add([
      { timeUnixNanos: nanosAt(1), stacks: { a: 2n ** 62n } },
      { timeUnixNanos: nanosAt(2), stacks: { a: 2n ** 62n } },
    ]);

    await expect(fixture.queries.selectTree(stackQuery())).rejects.toThrow();
    await expect(
      fixture.queries.selectTree(stackQuery(), { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({
      code: "CANCELLED",
    });
    await fixture.queries.selectTree(stackQuery({ selector: '{env="x"}' }));

    expect(fixture.store.heldCount).toBe(0);
  });
});
