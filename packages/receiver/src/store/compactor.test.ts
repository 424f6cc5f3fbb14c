import { readdir, rename, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { orderOf } from "./copy-table.ts";
import { quoteSql } from "./duckdb.ts";
import { nodeFs } from "./node-fs.ts";
import { listBlockPaths } from "./quarantine.ts";
import { TABLE_NAMES, type TableName, tables } from "./schema.ts";
import type { Store } from "./store.ts";
import { FaultyFs } from "./testing/faulty-fs.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { type PlainProfile, plainAdmission } from "./testing/plain-profile.ts";
import { runCount } from "./testing/run-count.ts";
import { everything, foldStacks, StoreDirectory, sumAll, withSnapshot } from "./testing/store-directory.ts";

// A whole day of UTC.
const MIDNIGHT = 1_760_054_400_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOTHING = {
  mergeCount: 0,
  replacedBlockCount: 0,
  writtenBlockCount: 0,
  rollUpCount: 0,
  failureCount: 0,
};

function profile(index: number, timeUnixMillis: number, service = "shop"): PlainProfile {
  const samples = [
    { stack: ["main", "shared"], value: 1000 },
    {
      stack: ["main", `f${index % 5}`],
      value: 2 ** (index % 30),
      span: "00000000000000ab",
      trace: "c".repeat(32),
    },
  ];
  return { service, timeUnixMillis, samples, labels: { pod: `p${index % 3}` } };
}

/** Every row of samples and totals that counts, as text, in order. */
async function rowsOf(store: Store, tenant: string): Promise<readonly string[]> {
  return await withSnapshot(store, everything(tenant), async ({ database, from }) => {
    const lists = await Promise.all(
      (["samples", "totals", "series"] as const).map((table) =>
        database.select(`SELECT rows::VARCHAR AS line FROM ${from(table)} AS rows ORDER BY line`),
      ),
    );
    return lists.flatMap((list) => list.texts("line"));
  });
}

describe("Store.compact", () => {
  let directory: StoreDirectory;
  let clock: ManualClock;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
    clock = new ManualClock(MIDNIGHT);
  });
  afterEach(() => directory.remove());

  async function writeBlock(store: Store, ...profiles: readonly PlainProfile[]): Promise<void> {
    await store.append(plainAdmission("a", profiles));
    await store.flush();
  }

  const blockPaths = (): Promise<readonly string[]> => listBlockPaths(nodeFs, join(directory.path, "blocks"));

  it("merges ten minutes, an hour, a day, each once it is over and quiet", async () => {
    const store = await directory.open({ clock });
    for (let i = 0; i < 8; i++) {
      await writeBlock(store, profile(i, clock.nowUnixMillis()));
      clock.advance(5 * MINUTE);
    }
    const before = await rowsOf(store, "a");

    expect(await store.compact()).toEqual({
      ...NOTHING,
      mergeCount: 4,
      replacedBlockCount: 8,
      writtenBlockCount: 4,
    });
    expect(await store.compact()).toEqual(NOTHING);
    clock.jump(HOUR);
    expect(await store.compact()).toEqual({
      ...NOTHING,
      mergeCount: 1,
      replacedBlockCount: 4,
      writtenBlockCount: 1,
    });
    await writeBlock(store, profile(99, MIDNIGHT + 20 * HOUR));
    clock.jump(DAY);
    expect(await store.compact()).toEqual({
      ...NOTHING,
      mergeCount: 1,
      replacedBlockCount: 2,
      writtenBlockCount: 1,
    });

    expect(store.status().blockCount).toBe(1);
    expect(await blockPaths()).toHaveLength(1);
    expect(await rowsOf(store, "a")).toEqual(expect.arrayContaining([...before]));
    expect((await sumAll(store, "a")).profiles).toBe(9n);
  });

  it("does not wait for the end of ten minutes when many blocks came", async () => {
    const store = await directory.open({ clock, compaction: { maxFlushedBlocks: 3 } });
    for (let i = 0; i < 2; i++) await writeBlock(store, profile(i, MIDNIGHT + i));
    expect(await store.compact()).toEqual(NOTHING);
    await writeBlock(store, profile(2, MIDNIGHT + 2));

    expect(await store.compact()).toMatchObject({ mergeCount: 1, replacedBlockCount: 3 });
  });

  it("does not take the parts of a merge for flushed blocks", async () => {
    const store = await directory.open({ clock, compaction: { maxFlushedBlocks: 2, maxBlockBytes: 1 } });
    for (let i = 0; i < 2; i++) {
      await writeBlock(store, ...["x", "y", "z"].map((service) => profile(i, MIDNIGHT + i, service)));
    }

    expect(await store.compact()).toEqual({
      ...NOTHING,
      mergeCount: 1,
      replacedBlockCount: 2,
      writtenBlockCount: 3,
    });
  });

  it("changes no answer: rows, names, labels and spans of random profiles", {
    timeout: 3_600_000,
  }, async () => {
    const arbitraryProfile = fc.record({
      service: fc.constantFrom("a", "b", "Z", "ü", "o'neill"),
      timeUnixMillis: fc.integer({ min: MIDNIGHT, max: MIDNIGHT + HOUR }),
      samples: fc.array(
        fc.record({
          stack: fc.array(fc.constantFrom("main", "f", "g", "h"), { minLength: 1, maxLength: 4 }),
          value: fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }).map(String),
          span: fc.constantFrom("0000000000000000", "00000000000000ab", "ffffffffffffffff"),
          trace: fc.constantFrom("0".repeat(32), "f".repeat(32)),
        }),
        { maxLength: 5 },
      ),
      labels: fc.dictionary(fc.constantFrom("pod", "zone"), fc.constantFrom("1", "2")),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(arbitraryProfile, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 5 }),
        fc.constantFrom(1, 2 ** 40),
        async (blocks, maxBlockBytes) => {
          await directory.remove();
          directory = await StoreDirectory.create();
          const now = new ManualClock(MIDNIGHT + DAY);
          const store = await directory.open({ clock: now, compaction: { maxBlockBytes } });
          for (const profiles of blocks) await writeBlock(store, ...profiles);
          now.jump(2 * DAY);
          const before = [await rowsOf(store, "a"), await foldStacks(store, "a"), await sumAll(store, "a")];

          const { failureCount } = await store.compact();

          expect([failureCount, await store.compact()]).toEqual([0, NOTHING]);
          expect([await rowsOf(store, "a"), await foldStacks(store, "a"), await sumAll(store, "a")]).toEqual(
            before,
          );
        },
      ),
      { numRuns: runCount(12, 1000), endOnFailure: true },
    );
  });

  it("counts a profile of two blocks once before and after, whichever of them is merged", async () => {
    const path = join(directory.path, "blocks");
    const store = await directory.open({ clock });
    await writeBlock(store, profile(0, MIDNIGHT), profile(1, MIDNIGHT + 1));
    await store.close();
    const [first] = await blockPaths();
    const aside = `${directory.path}-aside`;
    await rename(join(path, first!), aside);
    const other = await directory.open({ clock });
    await writeBlock(other, profile(1, MIDNIGHT + 1), profile(2, MIDNIGHT + 2));
    await writeBlock(other, profile(3, MIDNIGHT + 3));
    await other.close();
    await rename(aside, join(path, first!));
    clock.advance(HOUR);

    const again = await directory.open({ clock });
    const before = await rowsOf(again, "a");
    expect(await sumAll(again, "a")).toMatchObject({ profiles: 4n, samples: 8n });
    expect(await again.compact()).toMatchObject({ mergeCount: 1, failureCount: 0 });
    expect(await rowsOf(again, "a")).toEqual(before);
    await again.append(plainAdmission("a", [profile(1, MIDNIGHT + 1), profile(3, MIDNIGHT + 3)]));
    expect((await sumAll(again, "a")).profiles).toBe(4n);
    await again.close();
    await rm(join(directory.path, "catalog.duckdb"));
    expect(await rowsOf(await directory.open({ clock }), "a")).toEqual(before);
  });

  it("writes rows in the order of the format, and no stack or frame that nothing needs", async () => {
    const store = await directory.open({ clock, compaction: { maxBlockBytes: 1 } });
    for (let i = 0; i < 6; i++) {
      const services = ["b", "a"].map((service) => profile(7 * i, MIDNIGHT + ((5 * i) % 6), service));
      await writeBlock(store, ...services, {
        ...profile(i, MIDNIGHT, "c"),
        samples: [{ stack: ["c"], value: 1 }],
      });
    }
    clock.advance(HOUR);
    await store.compact();

    for (const path of await blockPaths()) {
      const file = (table: TableName): string =>
        quoteSql(join(directory.path, "blocks", path, tables[table].file));
      const rows = await withSnapshot(store, everything("a"), async ({ database }) => {
        const inOrder = await Promise.all(
          TABLE_NAMES.map((table) =>
            database.select(
              `SELECT bool_and(place = file_row_number) AS "is" FROM (
 SELECT file_row_number, row_number() OVER (ORDER BY ${orderOf(table)}, file_row_number) - 1 AS place
 FROM read_parquet(${file(table)}, file_row_number = true))`,
            ),
          ),
        );
        const orphans = await database.select(
          `SELECT (SELECT count(*) FROM read_parquet(${file("stacks")}) ANTI JOIN read_parquet(${file("samples")}) USING (stack))
 + (SELECT count(*) FROM read_parquet(${file("frames")})
    ANTI JOIN (SELECT unnest(frames) AS frame FROM read_parquet(${file("stacks")})) USING (frame)) AS n`,
        );
        return {
          inOrder: inOrder.map((result) => result.booleans("is")[0]),
          orphans: orphans.bigints("n")[0],
        };
      });
      expect(rows).toEqual({ inOrder: TABLE_NAMES.map(() => 1), orphans: 0n });
    }
    expect(await blockPaths()).toHaveLength(3);
  });

  it("sets a damaged block aside and merges the others", async () => {
    const store = await directory.open({ clock });
    for (let i = 0; i < 3; i++) await writeBlock(store, profile(i, MIDNIGHT + i));
    const [path] = await blockPaths();
    await store.close();
    await truncate(join(directory.path, "blocks", path!, tables.stacks.file), 10);
    clock.advance(HOUR);

    const again = await directory.open({ clock });

    expect(await again.compact()).toMatchObject({ mergeCount: 1, replacedBlockCount: 2, failureCount: 0 });
    expect(again.status()).toMatchObject({ blockCount: 1, quarantinedBlockCount: 1 });
    expect((await sumAll(again, "a")).profiles).toBe(2n);
  });

  it("leaves all as it was when the disk is full, and merges when it is not", async () => {
    let isFull = false;
    const fs = new FaultyFs((operation) => (isFull && operation === "adopt" ? "fails" : "works"), "ENOSPC");
    const store = await directory.open({ clock, fs });
    for (let i = 0; i < 2; i++) await writeBlock(store, profile(i, MIDNIGHT + i));
    clock.advance(HOUR);
    const [before, paths] = [await rowsOf(store, "a"), await blockPaths()];

    isFull = true;
    expect(await store.compact()).toEqual({ ...NOTHING, failureCount: 1 });

    expect([await rowsOf(store, "a"), await blockPaths()]).toEqual([before, paths]);
    expect(await readdir(join(directory.path, "tmp", "blocks"))).toEqual([]);
    expect(directory.lines.at(-1)).toContain("compaction of 2 blocks");
    isFull = false;
    expect(await store.compact()).toMatchObject({ mergeCount: 1, failureCount: 0 });
  });

  it("keeps the files of a merged block until the last query has read them", async () => {
    const store = await directory.open({ clock });
    for (let i = 0; i < 2; i++) await writeBlock(store, profile(i, MIDNIGHT + i));
    clock.advance(HOUR);
    const snapshot = await store.snapshot(everything("a"));

    await store.compact();

    const rows = await snapshot.database.select(`SELECT count(*) AS n FROM ${snapshot.from("samples")}`);
    expect(rows.bigints("n")[0]).toBe(4n);
    snapshot.release();
    expect(await sumAll(store, "a")).toMatchObject({ samples: 4n });
  });

  it("keeps merged blocks among those that a query skips by their labels", async () => {
    const store = await directory.open({ clock, compaction: { maxBlockBytes: 1 } });
    for (let i = 0; i < 2; i++)
      await writeBlock(store, profile(i, MIDNIGHT + i, "x"), profile(i, MIDNIGHT + i, "y"));
    clock.advance(HOUR);
    await store.compact();

    const files = await withSnapshot(
      store,
      { ...everything("a"), services: ["x"] },
      async ({ blockSizes }) => blockSizes,
    );
    expect([store.status().blockCount, files.length]).toEqual([2, 1]);
  });

  it("lets appends and queries go on, each profile once at every moment", { timeout: 60_000 }, async () => {
    const store = await directory.open({ clock, compaction: { maxFlushedBlocks: 2 } });
    let acknowledged = 0;
    let isDone = false;
    const write = async (): Promise<void> => {
      for (let i = 0; i < 24; i++) {
        await writeBlock(
          store,
          profile(i, MIDNIGHT + i),
          profile(Math.trunc(i / 2), MIDNIGHT + Math.trunc(i / 2)),
        );
        acknowledged++;
      }
      isDone = true;
    };
    const merge = async (): Promise<void> => {
      while (!isDone) {
        expect((await store.compact()).failureCount).toBe(0);
        // A pass with nothing to do awaits nothing that lets others on.
        await setImmediate();
      }
    };
    const read = async (): Promise<void> => {
      while (!isDone) {
        const before = acknowledged;
        const { value, total, profiles } = await sumAll(store, "a");
        expect([Number(profiles) >= before, value]).toEqual([true, total]);
      }
    };
    await Promise.all([write(), merge(), read()]);

    await store.compact();
    expect(await sumAll(store, "a")).toMatchObject({ profiles: 24n, samples: 48n });
  });

  it("is interrupted by close, and goes on at the next start", async () => {
    const store = await directory.open({ clock });
    for (let i = 0; i < 2; i++) await writeBlock(store, profile(i, MIDNIGHT + i));
    clock.advance(HOUR);
    const compacting = store.compact();
    await store.close();
    await compacting;

    const again = await directory.open({ clock });
    await again.compact();
    expect(again.status().blockCount).toBe(1);
    expect((await sumAll(again, "a")).profiles).toBe(2n);
    expect(directory.lines).toEqual([]);
  });
});
