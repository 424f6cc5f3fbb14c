import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inTurns } from "./in-turns.ts";
import { nodeFs } from "./node-fs.ts";
import type { Store } from "./store.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { type PlainProfile, plainAdmission } from "./testing/plain-profile.ts";
import { PowerLossFs, type Random, writeFiles } from "./testing/power-loss-fs.ts";
import { seededRandom } from "./testing/seeded-random.ts";
import { everything, StoreDirectory, withSnapshot } from "./testing/store-directory.ts";
import { tortureCount } from "./testing/torture.ts";
import { verifyStore } from "./verify-store.ts";

const TENANTS = ["a", "b"];
const SEED_COUNT = tortureCount(200, 1000);
/** How many times the power goes in one life; each time is a seed. */
const CRASHES_PER_LIFE = 20;
/** Stores that are open at once: each waits for its disk most of the time. */
const CHECKS_AT_ONCE = 4;
const BEGIN_MS = 1_760_054_400_000;
const CATALOG_FILES = ["catalog.duckdb", "catalog.duckdb.wal"];

/** A profile that is told from all others by its value. */
function profile(index: number): PlainProfile {
  return {
    service: `service-${index % 2}`,
    timeUnixMillis: BEGIN_MS + index * 1000,
    samples: [{ stack: ["main", `f${index}`], value: 2 ** index }],
  };
}

/** Appends, flushes, merges and sends again. `acknowledged` holds `tenant value` of what was answered. */
async function live(store: Store, acknowledged: Set<string>): Promise<void> {
  const append = async (tenant: string, ...indexes: readonly number[]): Promise<void> => {
    await store.append(plainAdmission(tenant, indexes.map(profile)));
    for (const index of indexes) acknowledged.add(`${tenant} ${2 ** index}`);
  };
  await Promise.all([append("a", 0, 1), append("b", 0), append("a", 2)]);
  await store.flush();
  await Promise.all([append("a", 3), append("a", 0, 3), append("b", 4), store.flush(), append("b", 5)]);
  await store.flush();
  await append("a", 6);
  await store.compact();
  await Promise.all([append("a", 7, 8), append("b", 6), store.flush()]);
  await store.compact();
}

/** Every stored profile as `tenant value`, as often as it counts. */
async function stored(store: Store): Promise<readonly string[]> {
  const lists = await Promise.all(
    TENANTS.map((tenant) =>
      withSnapshot(store, everything(tenant), async ({ database, from }) => {
        const rows = await database.select(`SELECT "value" FROM ${from("samples")} ORDER BY "value"`);
        return [...rows.bigints("value")].map((value) => `${tenant} ${value}`);
      }),
    ),
  );
  return lists.flat();
}

/** What was on the disk when the power went, and what had been acknowledged by then. */
interface Crash {
  readonly seed: number;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly acknowledged: ReadonlySet<string>;
  /** Where DuckDB's file was copied to, as it was. */
  readonly catalog: string | undefined;
}

describe("a store whose machine loses power", () => {
  let directory: StoreDirectory;
  let copies: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
    copies = await StoreDirectory.create();
  });
  afterEach(async () => {
    await directory.remove();
    await copies.remove();
  });

  /** Lives once; calls `crash` at about `count` of the moments at which the disk changes. */
  async function liveAndCrash(
    life: StoreDirectory,
    at: ReadonlySet<number>,
    take: (fs: PowerLossFs, acknowledged: ReadonlySet<string>) => void,
  ): Promise<number> {
    let moments = 0;
    const acknowledged = new Set<string>();
    const fs = new PowerLossFs(life.path, () => {
      if (at.has(moments++)) take(fs, acknowledged);
    });
    const clock = new ManualClock(BEGIN_MS + 86_400_000);
    const store = await life.open({ fs, clock, compaction: { maxFlushedBlocks: 2, maxBlockBytes: 1 } });
    await live(store, acknowledged);
    await store.close();
    return moments;
  }

  function copyCatalog(life: StoreDirectory, seed: number, random: Random): string | undefined {
    if (random() < 0.5) return undefined;
    const prefix = join(copies.path, `${seed}-`);
    for (const name of CATALOG_FILES) {
      if (existsSync(join(life.path, name))) copyFileSync(join(life.path, name), prefix + name);
    }
    return prefix;
  }

  it(`has each acknowledged profile once, whatever was not synced (${SEED_COUNT} seeds)`, {
    timeout: 5000 * SEED_COUNT,
  }, async () => {
    const moments = await liveAndCrash(directory, new Set(), () => undefined);
    expect(moments).toBeGreaterThan(60);
    for (let first = 0; first < SEED_COUNT; first += CRASHES_PER_LIFE) {
      const life = await StoreDirectory.create();
      const crashes: Crash[] = [];
      const pick = seededRandom(first);
      const at = new Set(Array.from({ length: CRASHES_PER_LIFE }, () => Math.floor(pick() * moments)));
      await liveAndCrash(life, at, (fs, acknowledged) => {
        const seed = first + crashes.length;
        const random = seededRandom(seed);
        const files = fs.crash(random);
        crashes.push({
          ...{ seed, files, acknowledged: new Set(acknowledged) },
          catalog: copyCatalog(life, seed, random),
        });
      });
      await life.remove();
      await inTurns(crashes, CHECKS_AT_ONCE, checkAfter);
    }
  });

  async function checkAfter({ seed, files, acknowledged, catalog }: Crash): Promise<void> {
    const after = await StoreDirectory.create();
    await writeFiles(after.path, files);
    for (const name of CATALOG_FILES) {
      if (catalog !== undefined && existsSync(catalog + name)) {
        copyFileSync(catalog + name, join(after.path, name));
      }
    }
    const store = await after.open();
    const once = await stored(store);
    expect(new Set(once).size, `seed ${seed}: ${once.join(", ")}`).toBe(once.length);
    expect(once, `seed ${seed}`).toEqual(expect.arrayContaining([...acknowledged]));
    await store.flush();
    expect(await stored(store), `seed ${seed}, flushed`).toEqual(once);
    expect((await verifyStore(nodeFs, after.path)).files, `seed ${seed}`).toEqual([]);
    await after.remove();
  }
});
