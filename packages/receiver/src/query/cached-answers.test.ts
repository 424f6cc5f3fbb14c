import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../store/store.ts";
import { ManualClock } from "../store/testing/manual-clock.ts";
import { PLAIN_TYPE, type PlainProfile, plainAdmission } from "../store/testing/plain-profile.ts";
import { runCount } from "../store/testing/run-count.ts";
import { StoreDirectory } from "../store/testing/store-directory.ts";
import { Querier } from "./querier.ts";
import { DEFAULT_QUERY_LIMITS, type QueryLimits, type QueryService } from "./query-service.ts";

const NOON = 1_760_011_200_000;
const MINUTE = 60_000;
const clock = new ManualClock(NOON + 600 * MINUTE);
const tenants = ["a", "b"] as const;

let directory: StoreDirectory;
beforeEach(async () => {
  directory = await StoreDirectory.create();
});
afterEach(() => directory.remove());

const openQuerier = (store: Store, limits: Partial<QueryLimits> = {}): Querier =>
  new Querier({ store, limits: { ...DEFAULT_QUERY_LIMITS, ...limits }, clock });

function profile(minute: number, service: string, value: number): PlainProfile {
  const samples = [{ stack: ["main", `f${value % 3}`], value }];
  return { service, timeUnixMillis: NOON + minute * MINUTE, samples, labels: { pod: `p${value % 2}` } };
}

/** One query of each kind over some minutes. */
function ask(queries: QueryService, owners: readonly string[], from: number, until: number) {
  const range = {
    tenants: owners,
    startUnixMillis: NOON + from * MINUTE,
    endUnixMillis: NOON + until * MINUTE,
  };
  const selection = { ...range, profileType: PLAIN_TYPE, selector: '{pod="p1"}' };
  const series = { ...selection, stepMs: MINUTE, groupBy: ["service_name"] };
  return Promise.all([
    queries.selectTree({ ...selection, selector: "{}" }),
    queries.exportStacks({ ...selection, format: "tree" }),
    queries.selectTimeSeries(series),
    queries.selectHeatmap({ ...series, point: "profile" }),
    queries.selectSpans(selection),
    queries.labelValues({ ...range, selectors: [], name: "service_name" }),
    queries.series({ ...range, selectors: ["{}"], labelNames: [] }),
    queries.profileTypes(range),
  ]);
}

type Change =
  | {
      readonly kind: "push";
      readonly tenant: string;
      readonly service: string;
      readonly minute: number;
      readonly value: number;
    }
  | { readonly kind: "delete"; readonly tenant: string; readonly service: string }
  | { readonly kind: "flush" | "compact" | "retain" };

async function change(store: Store, one: Change): Promise<void> {
  switch (one.kind) {
    case "push":
      return await store.append(plainAdmission(one.tenant, [profile(one.minute, one.service, one.value)]));
    case "flush":
      return await store.flush();
    case "compact":
      await store.compact();
      return;
    case "retain":
      await store.applyRetention();
      return;
    case "delete":
      await store.deleteApplication(one);
      return;
  }
}

interface Question {
  readonly owners: readonly string[];
  readonly range: readonly [from: number, until: number];
}

function slide([[from, until], by]: readonly [Question["range"], number]): Question["range"] {
  return [from + by, until + by];
}

async function compare(plain: Querier, cached: Querier, { owners, range }: Question): Promise<void> {
  const expected = await ask(plain, owners, ...range);
  expect(await ask(cached, owners, ...range)).toEqual(expected);
  expect(await ask(cached, owners, ...range)).toEqual(expected);
}

describe("answers that are kept", () => {
  it("never differ from those that are read, whatever happens in between", { timeout: 120_000 }, async () => {
    const minute = fc.nat({ max: 20 });
    const tenant = fc.constantFrom(...tenants);
    const service = fc.constantFrom("shop", "cart");
    const push = fc.record({
      kind: fc.constant("push" as const),
      tenant,
      service,
      minute,
      value: fc.nat({ max: 9 }),
    });
    const query = fc.record({
      kind: fc.constant("query" as const),
      owners: fc.constantFrom(["a"], ["b"], ["a", "b"]),
      // Of one length and a little apart as well: as pages ask that are loaded again.
      range: fc.tuple(fc.constantFrom([0, 20], [0, 5], [3, 12]), fc.constantFrom(0, 0.3, 0.6, 1)).map(slide),
    });
    const remove = fc.record({ kind: fc.constant("delete" as const), tenant, service });
    const other = fc.constantFrom(
      { kind: "flush" as const },
      { kind: "compact" as const },
      { kind: "retain" as const },
    );
    const step = fc.oneof({ weight: 5, arbitrary: query }, { weight: 4, arbitrary: push }, other, remove);
    let hitCount = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 16 }), async (steps) => {
        const place = await StoreDirectory.create();
        try {
          const store = await place.open({
            clock,
            retentionMillis: 595 * MINUTE,
            compaction: { maxFlushedBlocks: 2 },
          });
          const [cached, plain] = [openQuerier(store), openQuerier(store, { cacheBytes: 0 })];
          for (const one of steps) {
            if (one.kind === "query") await compare(plain, cached, one);
            else await change(store, one);
          }
          hitCount += cached.status.cacheHitCount;
          expect(plain.status).toMatchObject({ cacheHitCount: 0, cachedAnswerBytes: 0 });
        } finally {
          await place.remove();
        }
      }),
      { numRuns: runCount(6, 200) },
    );
    expect(hitCount).toBeGreaterThan(0);
  });

  it("have everything that was acknowledged before the question, while pushes and equal questions overlap", async () => {
    const store = await directory.open({ clock });
    const queries = openQuerier(store, { maxConcurrentQueries: 1 });
    const selection = {
      ...{ tenants: ["a"], startUnixMillis: NOON, endUnixMillis: NOON + 60 * MINUTE },
      ...{ profileType: PLAIN_TYPE, selector: "{}" },
    };
    let acknowledged = 0;
    const question = async (): Promise<void> => {
      const atLeast = acknowledged;
      const { value } = await queries.selectTree(selection);
      expect(Number(value.total[0] ?? 0)).toBeGreaterThanOrEqual(atLeast);
    };
    const questions: Promise<void>[] = [];
    for (let index = 0; index < 40; index++) {
      for (let client = 0; client < 4; client++) questions.push(question());
      await store.append(plainAdmission("a", [profile(index, "shop", 10 + index)]));
      acknowledged += 10 + index;
      if (index % 10 === 9) await store.flush();
    }
    await Promise.all(questions);
    await question();

    expect(queries.status.joinedQueryCount).toBeGreaterThan(0);
    expect(queries.status.cacheMissCount).toBeLessThan(161);
  });

  it("answer a range that slid past no profile, and no other", async () => {
    const store = await directory.open({ clock });
    const queries = openQuerier(store);
    for (const [minute, value] of [5, 10, 15].entries())
      await store.append(plainAdmission("a", [profile(minute * 10, "shop", value)]));
    await store.append(plainAdmission("a", [profile(21.5, "cart", 100)]));
    const total = async (from: number, until: number): Promise<number> => {
      const { value } = await queries.selectTree({
        ...{ tenants: ["a"], startUnixMillis: NOON + from * MINUTE, endUnixMillis: NOON + until * MINUTE },
        ...{ profileType: PLAIN_TYPE, selector: '{service_name="shop"}' },
      });
      return Number(value.total[0]);
    };
    const asked: (readonly [total: number, hits: number])[] = [];
    for (const from of [0, 0.001, 1, 2, 9, 9.9, 10, 10.001]) {
      const sum = await total(from, from + 20);
      asked.push([sum, queries.status.cacheHitCount]);
    }
    await store.append(plainAdmission("a", [profile(25, "shop", 1)]));
    asked.push([await total(10.002, 30.002), queries.status.cacheHitCount]);

    expect(asked).toEqual([
      [30, 0],
      // Without the one at the start.
      [25, 0],
      [25, 1],
      // What another service pushed at 21.5 is none of it.
      [25, 2],
      [25, 3],
      [25, 4],
      [25, 5],
      [15, 5],
      [16, 5],
    ]);
  });

  it("are the same tenant's alone", async () => {
    const store = await directory.open({ clock });
    for (const [index, tenant] of tenants.entries())
      await store.append(plainAdmission(tenant, [profile(1, "shop", 5 + index)]));
    const queries = openQuerier(store);
    const totals: number[] = [];
    for (const tenant of [...tenants, ...tenants]) {
      const [tree] = await ask(queries, [tenant], 0, 20);
      totals.push(Number(tree.value.total[0]));
    }

    expect(totals).toEqual([5, 6, 5, 6]);
    expect(queries.status.cacheHitCount).toBe(16);
  });
});
