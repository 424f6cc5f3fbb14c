import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Block } from "./block.ts";
import { type BlockMeta, blockBytes } from "./block-meta.ts";
import type { Catalog } from "./catalog.ts";
import { dataPaths } from "./filenames.ts";
import { LEVELS, type Level, ROLL_UP_LEVELS } from "./level.ts";
import { Retention } from "./retention.ts";
import { type RetentionRule, retentionOf, type TenantRetention } from "./retention-rule.ts";
import { FaultyFs } from "./testing/faulty-fs.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { plainAdmission } from "./testing/plain-profile.ts";
import { StoreDirectory, sumAll } from "./testing/store-directory.ts";

const MIDNIGHT = 1_760_054_400_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The blocks of some tenants, in memory. */
class FakeCatalog {
  all: Block[] = [];
  readonly tenants = (): readonly string[] => [...new Set(this.all.map(({ meta }) => meta.tenant))];
  readonly blocks = (): readonly Block[] => this.all;
  readonly refresh = async (): Promise<void> => undefined;
  readonly blocksOf = (tenant: string): readonly Block[] =>
    this.all.filter(({ meta }) => meta.tenant === tenant);
  readonly remove = async (block: Block): Promise<void> => {
    this.all = this.all.filter((other) => other !== block);
  };
}

let blockCount = 0;

function makeBlock(tenant: string, level: Level, untilUnixMillis: number, bytes: number): Block {
  const meta = {
    ...{ id: `block-${blockCount++}`, tenant, level, blocks: [], rolledUp: [] },
    minUnixNanos: BigInt(untilUnixMillis - HOUR) * 1_000_000n,
    maxUnixNanos: BigInt(untilUnixMillis) * 1_000_000n,
    files: new Map([["profiles.parquet", { bytes, crc32: 0 }]]),
  };
  return new Block(meta as unknown as BlockMeta, "/nowhere");
}

function makeRetention(
  catalog: FakeCatalog,
  clock: ManualClock,
  options: { readonly rule: RetentionRule; readonly maxBytes?: number; readonly rollUps?: boolean },
): Retention {
  return new Retention({
    // What is deleted is told by the catalog; there are no files.
    ...{ fs: new FaultyFs(() => "fails"), clock, paths: dataPaths("/nowhere"), log: () => undefined },
    ...{ catalog: catalog as unknown as Catalog, rule: options.rule, maxBytes: options.maxBytes ?? 0 },
    rollUpLevels: options.rollUps === true ? ROLL_UP_LEVELS : [],
    onRemoved: () => undefined,
  });
}

const bytesOf = (blocks: readonly Block[]): number =>
  blocks.reduce((sum, { meta }) => sum + blockBytes(meta), 0);

/** Who has more bytes than allowed; 0: no limit. */
function overBudget(catalog: FakeCatalog, maxTenantBytes: number, maxBytes: number): readonly string[] {
  const owners = [
    ...catalog.tenants().map((tenant) => [tenant, catalog.blocksOf(tenant), maxTenantBytes] as const),
  ];
  return [...owners, ["all", catalog.all, maxBytes] as const]
    .filter(([, blocks, limit]) => limit > 0 && bytesOf(blocks) > limit)
    .map(([name]) => name);
}

/** One sweep of a clock that is wrong for a moment, and one after it. */
async function sweepInTenYears(
  retention: Retention,
  catalog: FakeCatalog,
  clock: ManualClock,
  tenants: ReadonlyMap<string, TenantRetention>,
): Promise<void> {
  const { length } = catalog.all;
  clock.jump(3650 * DAY);
  const { deletedBlockCount } = await retention.sweep(tenants);
  clock.jump(-3650 * DAY);
  expect(deletedBlockCount).toBeLessThanOrEqual(length / 10);
  await retention.sweep(tenants);
}

describe("Retention", () => {
  const days = fc.integer({ min: 0, max: 60 }).map((count) => count * DAY);
  const levels = fc.dictionary(fc.constantFrom(...LEVELS), days);
  const rules = fc.record({
    retentionMillis: days,
    levelMillis: levels,
    spanMillis: fc.constant(0),
    maxTenantBytes: fc.constantFrom(0, 500, 2000),
  });

  it("over months: nothing older stays, nothing younger goes, never above a budget, whatever the clock does", async () => {
    await fc.assert(
      fc.asyncProperty(
        rules,
        fc.dictionary(fc.constantFrom("a", "b"), fc.record({ retentionMillis: days }, { requiredKeys: [] })),
        fc.constantFrom(0, 3000),
        fc.array(
          fc.tuple(fc.constantFrom("a", "b"), fc.constantFrom(...LEVELS), fc.integer({ min: 1, max: 200 })),
          {
            minLength: 30,
            maxLength: 90,
          },
        ),
        fc.array(fc.integer({ min: 0, max: 89 }), { maxLength: 2 }),
        async (rule, own, maxBytes, blocks, jumps) => {
          const catalog = new FakeCatalog();
          const clock = new ManualClock(MIDNIGHT);
          const retention = makeRetention(catalog, clock, { rule, maxBytes });
          const tenants = new Map<string, TenantRetention>(
            Object.entries(own) as [string, TenantRetention][],
          );
          for (const [day, [tenant, level, bytes]] of blocks.entries()) {
            clock.advance(DAY);
            catalog.all.push(makeBlock(tenant, level, clock.nowUnixMillis(), bytes));
            if (jumps.includes(day)) await sweepInTenYears(retention, catalog, clock, tenants);
            const before = catalog.all;
            await retention.enforceBudgets();
            const afterBudget = catalog.all;
            await retention.sweep(tenants);
            await retention.sweep(tenants);

            const isOld = (block: Block): boolean => {
              const limit = retentionOf(rule, tenants.get(block.meta.tenant), block.meta.level);
              return (
                limit > 0 && clock.nowUnixMillis() - Number(block.meta.maxUnixNanos / 1_000_000n) > limit
              );
            };
            expect(catalog.all.filter(isOld)).toEqual([]);
            const gone = afterBudget.filter((block) => !catalog.all.includes(block));
            expect(gone.filter((block) => !isOld(block))).toEqual([]);
            expect(overBudget(catalog, rule.maxTenantBytes, maxBytes)).toEqual([]);
            expect(afterBudget.length).toBeLessThanOrEqual(before.length);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("deletes the oldest first for bytes, and the finest of one age", async () => {
    const catalog = new FakeCatalog();
    const clock = new ManualClock(MIDNIGHT);
    const rule = { retentionMillis: 0, levelMillis: {}, spanMillis: 0, maxTenantBytes: 0 };
    const retention = makeRetention(catalog, clock, { rule, maxBytes: 100 });
    const [newest, coarse, fine] = [
      makeBlock("a", "raw", MIDNIGHT, 50),
      makeBlock("b", "1h", MIDNIGHT - DAY, 50),
      makeBlock("b", "5m", MIDNIGHT - DAY, 50),
    ] as const;
    catalog.all = [newest, coarse, fine];

    expect(await retention.sweep()).toEqual({
      deletedBlockCount: 0,
      heldBlockCount: 0,
      overBudgetBlockCount: 1,
    });
    expect(catalog.all).toEqual([newest, coarse]);
  });

  it("waits for a roll-up that is kept longer, and not for ever", async () => {
    const catalog = new FakeCatalog();
    const clock = new ManualClock(MIDNIGHT);
    const rule = { retentionMillis: HOUR, levelMillis: { "5m": 30 * DAY }, spanMillis: 0, maxTenantBytes: 0 };
    const retention = makeRetention(catalog, clock, { rule, rollUps: true });
    catalog.all = [makeBlock("a", "raw", MIDNIGHT, 1)];
    const sweepTwice = async (): Promise<number> => {
      await retention.sweep();
      await retention.sweep();
      return catalog.all.length;
    };

    clock.advance(2 * DAY);
    expect(await sweepTwice()).toBe(1);
    clock.advance(1);
    expect(await sweepTwice()).toBe(0);
  });
});

describe("a store whose coarse levels are kept for a shorter time than the raw one", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  it("rolls a day up once, and not again when that is past its time", async () => {
    const clock = new ManualClock(MIDNIGHT);
    const store = await directory.open({
      clock,
      retentionMillis: 30 * DAY,
      retentionLevels: { "5m": 3 * DAY, "1h": 5 * DAY },
      compaction: { rollUpLevels: ["5m", "1h"] },
    });
    const samples = [{ stack: ["main"], value: 7 }];
    await store.append(plainAdmission("a", [{ service: "shop", timeUnixMillis: MIDNIGHT + 1, samples }]));
    await store.flush();
    let rollUpCount = 0;
    const counts: number[] = [];
    for (let day = 1; day <= 10; day++) {
      clock.advance(DAY);
      rollUpCount += (await store.compact()).rollUpCount;
      // Two: what is many is confirmed.
      await store.applyRetention();
      await store.applyRetention();
      counts.push(store.status().blockCount);
    }

    expect(rollUpCount).toBe(2);
    expect(counts).toEqual([3, 3, 3, 2, 2, 1, 1, 1, 1, 1]);
    expect((await sumAll(store, "a")).value).toBe(7n);

    // What comes so late that no coarse level would keep it stays raw.
    await store.append(plainAdmission("a", [{ service: "late", timeUnixMillis: MIDNIGHT + 2, samples }]));
    await store.flush();
    clock.advance(2 * DAY);
    expect(await store.compact()).toMatchObject({ rollUpCount: 0, failureCount: 0 });
  });

  it("makes a level that is past its time for the coarser one that is made of it", async () => {
    const clock = new ManualClock(MIDNIGHT);
    const store = await directory.open({
      clock,
      retentionMillis: 30 * DAY,
      retentionLevels: { "5m": HOUR },
      compaction: { rollUpLevels: ["5m", "1h"] },
    });
    const samples = [{ stack: ["main"], value: 7 }];
    await store.append(plainAdmission("a", [{ service: "shop", timeUnixMillis: MIDNIGHT + 1, samples }]));
    await store.flush();
    let rollUpCount = 0;
    for (let day = 1; day <= 5; day++) {
      clock.advance(DAY);
      rollUpCount += (await store.compact()).rollUpCount;
      await store.applyRetention();
      await store.applyRetention();
    }

    expect(rollUpCount).toBe(2);
    expect(store.status().blockCount).toBe(2);
  });
});

describe("a store with a budget of bytes", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  it("is never more than 5 % above it, log and merges included, and keeps the newest", {
    timeout: 60_000,
  }, async () => {
    const clock = new ManualClock(MIDNIGHT);
    const maxBytes = 60_000;
    const store = await directory.open({ clock, maxBytes });
    let largest = 0;
    for (let i = 0; i < 24; i++) {
      const samples = [{ stack: ["main", `f${i}`], value: 1 }];
      await store.append(
        plainAdmission("a", [{ service: "s", timeUnixMillis: clock.nowUnixMillis(), samples }]),
      );
      await store.flush();
      clock.advance(HOUR);
      await store.compact();
      const { blockBytes: bytes, logBytes } = store.status();
      largest = Math.max(largest, bytes + logBytes);
    }

    expect(largest).toBeLessThanOrEqual(1.05 * maxBytes);
    expect(largest).toBeGreaterThan(0.5 * maxBytes);
    const { profiles } = await sumAll(store, "a");
    expect(profiles).toBeGreaterThan(4n);
    expect((await store.stats("a")).newestUnixMillis).toBe(MIDNIGHT + 23 * HOUR);
  });
});
