import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Blobs } from "./blobs.ts";
import { openBucketViews } from "./bucket/bucket-views.ts";
import { DirectoryBlobs } from "./directory-blobs.ts";
import { nodeFs } from "./node-fs.ts";
import type { Store } from "./store.ts";
import type { StoreOptions } from "./store-options.ts";
import { FaultyBlobs } from "./testing/faulty-blobs.ts";
import { FaultyFs } from "./testing/faulty-fs.ts";
import { filesWith } from "./testing/files-with.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { type PlainProfile, plainAdmission } from "./testing/plain-profile.ts";
import { everything, foldStacks, StoreDirectory, sumAll, withSnapshot } from "./testing/store-directory.ts";
import { verifyStore } from "./verify-store.ts";

const NOON = 1_760_011_200_000;
const HOUR = 3_600_000;
const FILES_OF_BLOCK = 6;

function profileAt(timeUnixMillis: number, value = 10): PlainProfile {
  return { service: "shop", timeUnixMillis, samples: [{ stack: ["main", "work"], value }] };
}

async function services(store: Store): Promise<readonly string[]> {
  return await withSnapshot(store, everything("a"), async ({ database, from }) => {
    const rows = await database.select(`SELECT DISTINCT service FROM ${from("samples")} ORDER BY service`);
    return rows.texts("service");
  });
}

/** As `pyroscope store sql` finds them in a bucket. */
async function sqlServices(blobs: Blobs): Promise<readonly string[]> {
  const sql = "SELECT DISTINCT service FROM totals";
  const source = { fs: nodeFs, blobs, catalog: undefined };
  const views = await openBucketViews(source, { tenant: "a", level: "raw" }, sql);
  try {
    return (await views.select(sql)).rows.map(([service]) => service ?? "");
  } finally {
    await views.close();
  }
}

describe("a store with a bucket", () => {
  let directory: StoreDirectory;
  let bucket: string;
  let blobs: FaultyBlobs;
  const others: StoreDirectory[] = [];
  beforeEach(async () => {
    directory = await StoreDirectory.create();
    bucket = await mkdtemp(join(tmpdir(), "pyroscope-bucket-"));
    blobs = new FaultyBlobs(new DirectoryBlobs(nodeFs, bucket));
  });
  afterEach(async () => {
    blobs.isDown = false;
    await directory.remove();
    for (const other of others.splice(0)) await other.remove();
    await rm(bucket, { recursive: true, force: true });
  });

  const open = (options: Partial<StoreOptions> = {}, maxLocalBytes = 1e9): Promise<Store> =>
    directory.open({ bucket: { blobs, maxLocalBytes }, ...options });
  const append = (store: Store, ...profiles: readonly PlainProfile[]): Promise<void> =>
    store.append(plainAdmission("a", profiles));
  const shipped = async (store: Store): Promise<void> => {
    await vi.waitFor(() => expect(store.status().unshippedBlockCount).toBe(0));
  };
  const keys = (): Promise<readonly string[]> => new DirectoryBlobs(nodeFs, bucket).list("blocks/");
  const uploads = (): readonly string[] => blobs.calls.filter((call) => call.startsWith("upload"));

  it("ships what is flushed, the file that makes it a block last, and nothing twice", async () => {
    const store = await open();
    await append(store, profileAt(NOON));
    await store.flush();
    await shipped(store);
    await store.close();

    const again = await open();
    await shipped(again);

    expect(await keys()).toHaveLength(FILES_OF_BLOCK);
    expect(uploads()).toHaveLength(FILES_OF_BLOCK);
    expect(uploads().at(-1)).toMatch(/meta\.json$/);
  });

  it("answers from an empty disk what the lost one had", async () => {
    const store = await open();
    await append(store, profileAt(NOON), profileAt(NOON + 1));
    await store.flush();
    await append(store, profileAt(NOON + 2));
    await store.close();

    const fresh = await StoreDirectory.create();
    others.push(fresh);
    const onFresh = await fresh.open({ bucket: { blobs, maxLocalBytes: 1e9 } });

    expect(await foldStacks(onFresh, "a")).toEqual(["main;work 30"]);
    // What was pushed before is known: the same push again counts once.
    await onFresh.append(plainAdmission("a", [profileAt(NOON)]));
    expect(await sumAll(onFresh, "a")).toMatchObject({ value: 30n, profiles: 3n });
  });

  it("does not start on an empty disk while the bucket is away: it would answer with nothing", async () => {
    const store = await open();
    await store.close();
    const fresh = await StoreDirectory.create();
    others.push(fresh);
    blobs.isDown = true;

    await expect(fresh.open({ bucket: { blobs, maxLocalBytes: 1e9 } })).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
    });
  });

  it("starts on its own disk while the bucket is away", async () => {
    const store = await open();
    await append(store, profileAt(NOON));
    await store.close();
    blobs.isDown = true;

    const again = await open();

    expect(await sumAll(again, "a")).toMatchObject({ value: 10n });
  });

  it("keeps no more here than it may, and brings back what a query reads", async () => {
    const store = await open({}, 1);
    for (let i = 0; i < 3; i++) {
      await append(store, profileAt(NOON + i * HOUR));
      await store.flush();
      await shipped(store);
    }
    const parquet = async (): Promise<readonly string[]> =>
      (await readdir(join(directory.path, "blocks"), { recursive: true })).filter((name) =>
        name.endsWith(".parquet"),
      );
    const evicted = () => vi.waitFor(async () => expect(await parquet()).toEqual([]));
    await evicted();

    expect(await foldStacks(store, "a")).toEqual(["main;work 30"]);

    // Files must not go while they are looked at.
    await evicted();
    // What is gone from here is no damage: the bucket has it.
    expect((await verifyStore(nodeFs, directory.path)).files).toEqual([]);
    expect(store.status().quarantinedBlockCount).toBe(0);
  });

  it("says that the store is unavailable when a query needs what cannot be brought, and sets nothing aside", async () => {
    const store = await open({}, 1);
    await append(store, profileAt(NOON));
    await store.flush();
    await shipped(store);
    blobs.isDown = true;

    await expect(sumAll(store, "a")).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });

    blobs.isDown = false;
    expect(await sumAll(store, "a")).toMatchObject({ value: 10n });
    expect(store.status().quarantinedBlockCount).toBe(0);
  });

  it("brings a file again whose bytes here are damaged", async () => {
    const store = await open();
    await append(store, profileAt(NOON));
    await store.close();
    const names = await readdir(join(directory.path, "blocks"), { recursive: true });
    const path = join(directory.path, "blocks", names.find((name) => name.endsWith("/profiles.parquet"))!);
    await rm(path);
    await writeFile(path, "not what was written");

    const again = await open();

    expect(await sumAll(again, "a")).toMatchObject({ value: 10n });
    expect(again.status().quarantinedBlockCount).toBe(0);
  });

  it("sets a block aside whose object is damaged, and answers with the others", async () => {
    const store = await open({}, 1);
    for (const time of [NOON, NOON + HOUR]) {
      await append(store, profileAt(time));
      await store.flush();
      await shipped(store);
    }
    const damaged = (await keys()).find((key) => key.endsWith("profiles.parquet"))!;
    await writeFile(join(bucket, damaged), "not what was written");

    expect(await sumAll(store, "a")).toMatchObject({ value: 10n });

    expect(store.status().quarantinedBlockCount).toBe(1);
  });

  it("takes pushes without the bucket until its room is used, then refuses, and ships each block once after it", async () => {
    blobs.isDown = false;
    const store = await open({}, 8000);
    blobs.isDown = true;
    let taken = 0;
    const fill = async (): Promise<void> => {
      for (; taken < 100; taken++) {
        await append(store, profileAt(NOON + taken));
        await store.flush();
      }
    };

    await expect(fill()).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      message: expect.stringContaining("limit 8000: upload blocks/"),
    });
    expect(taken).toBeGreaterThan(1);
    expect(store.status()).toMatchObject({ takesWrites: false, unshippedBlockCount: taken });
    expect(await sumAll(store, "a")).toMatchObject({ profiles: BigInt(taken) });

    blobs.isDown = false;
    await vi.waitFor(() => expect(store.status().unshippedBlockCount).toBe(0), { timeout: 20_000 });

    await append(store, profileAt(NOON + 1000));
    expect(await sumAll(store, "a")).toMatchObject({ profiles: BigInt(taken + 1) });
    expect(new Set(uploads()).size).toBe(uploads().length);
    expect(uploads()).toHaveLength(taken * FILES_OF_BLOCK);
  });

  it("sends an object again whose answer was lost", async () => {
    const store = await open();
    let failures = 0;
    const inner = new DirectoryBlobs(nodeFs, bucket);
    blobs.onCall = async (operation, key) => {
      if (operation !== "upload" || !key.endsWith("totals.parquet") || failures++ > 0) return;
      const path = join(directory.path, key);
      await inner.upload(path, key);
      throw new Error("the answer was lost");
    };

    await append(store, profileAt(NOON));
    await store.flush();
    await shipped(store);

    expect(failures).toBe(2);
    expect(await keys()).toHaveLength(FILES_OF_BLOCK);
  });

  it("lets a merged block and one past its retention go from the bucket, after what replaces them came", async () => {
    const clock = new ManualClock(NOON);
    const store = await open({ clock, retentionMillis: 24 * HOUR });
    await append(store, profileAt(NOON - 2000));
    await store.flush();
    await append(store, profileAt(NOON - 1000));
    await store.flush();
    clock.advance(HOUR);
    await shipped(store);

    expect((await store.compact()).mergeCount).toBe(1);
    await vi.waitFor(async () => expect(await keys()).toHaveLength(FILES_OF_BLOCK));
    const merged = blobs.calls.findLastIndex((call) => call.startsWith("upload"));
    expect(blobs.calls.findIndex((call) => call.startsWith("remove"))).toBeGreaterThan(merged);

    clock.advance(48 * HOUR);
    await store.applyRetention();
    await store.applyRetention();
    await vi.waitFor(async () => expect(await keys()).toEqual([]));
  });

  it("deletes in the bucket what was deleted here before a crash", async () => {
    const clock = new ManualClock(NOON);
    const store = await open({ clock, retentionMillis: HOUR });
    await append(store, profileAt(NOON));
    await store.flush();
    await shipped(store);
    blobs.isDown = true;
    clock.advance(3 * HOUR);
    await store.applyRetention();
    await store.applyRetention();
    await vi.waitFor(async () => expect(await readdir(join(directory.path, "removals"))).toHaveLength(1));
    await store.close();
    blobs.isDown = false;

    const again = await open({ clock });

    await vi.waitFor(async () => expect(await keys()).toEqual([]));
    expect(await sumAll(again, "a")).toMatchObject({ profiles: 0n });
    await vi.waitFor(async () => expect(await readdir(join(directory.path, "removals"))).toEqual([]));
  });

  it("keeps an application deleted whose disk is lost before its blocks are written again", async () => {
    const profiles = [profileAt(NOON), { ...profileAt(NOON + 1), service: "zebra-quokka" }];
    const store = await open();
    await append(store, ...profiles);
    await store.flush();
    await shipped(store);
    await store.deleteApplication({ tenant: "a", service: "zebra-quokka" });
    // What is left of a machine that is gone with its disk: the bucket as it is now.
    const left = await mkdtemp(join(tmpdir(), "pyroscope-bucket-"));
    try {
      await cp(bucket, left, { recursive: true });
      const fresh = await StoreDirectory.create();
      others.push(fresh);
      const there = { blobs: new DirectoryBlobs(nodeFs, left), maxLocalBytes: 1e9 };
      expect(await sqlServices(there.blobs)).toEqual(["shop"]);

      const onFresh = await fresh.open({ bucket: there });

      expect(await services(onFresh)).toEqual(["shop"]);
      expect(await sumAll(onFresh, "a")).toMatchObject({ value: 10n, profiles: 1n });
      await onFresh.compact();
      await vi.waitFor(async () => expect(await filesWith(left, "zebra-quokka")).toEqual([]));
      expect(await filesWith(fresh.path, "zebra-quokka")).toEqual([]);
      await vi.waitFor(async () => expect(await there.blobs.list("deletions/")).toEqual([]));
      expect(await readdir(join(fresh.path, "removals"))).toEqual([]);
      // The same profile again is a new one: it was deleted.
      await append(onFresh, profiles[1]!);
      expect(await services(onFresh)).toEqual(["shop", "zebra-quokka"]);
    } finally {
      await rm(left, { recursive: true, force: true });
    }
  });

  it("tells the bucket of a deletion that was made while it was away, and forgets it there after a crash", async () => {
    const store = await open();
    await append(store, profileAt(NOON));
    await store.flush();
    await shipped(store);
    const deletions = (): Promise<readonly string[]> => new DirectoryBlobs(nodeFs, bucket).list("deletions/");
    blobs.isDown = true;
    await store.deleteApplication({ tenant: "a", service: "shop" });
    expect(await services(store)).toEqual([]);
    expect(await deletions()).toEqual([]);
    await store.close();
    blobs.isDown = false;

    const second = await open();
    await vi.waitFor(async () => expect(await deletions()).toHaveLength(1));
    blobs.isDown = true;
    await second.compact();
    expect(await deletions()).toHaveLength(1);
    await second.close();
    blobs.isDown = false;

    const third = await open();
    await vi.waitFor(async () => expect([...(await keys()), ...(await deletions())]).toEqual([]));
    expect(await services(third)).toEqual([]);
    // A deletion is forgotten after the blocks that had it.
    const removals = blobs.calls.filter((call) => call.startsWith("remove"));
    expect(removals.findIndex((call) => call.startsWith("remove deletions/"))).toBe(removals.length - 1);
  });

  it("has every profile once, whichever access to the disk is the last one", {
    timeout: 60_000,
  }, async () => {
    const run = async (limit: number): Promise<number> => {
      const home = await StoreDirectory.create();
      const place = await mkdtemp(join(tmpdir(), "pyroscope-bucket-"));
      const fs = new FaultyFs((_operation, _path, count) => (count > limit ? "fails" : "works"));
      const options = (): Partial<StoreOptions> => ({
        bucket: { blobs: new DirectoryBlobs(nodeFs, place), maxLocalBytes: 1e9 },
      });
      let acknowledged = 0;
      try {
        const store = await home.open({ ...options(), fs });
        for (let i = 0; i < 3; i++) {
          await append(store, profileAt(NOON + i));
          acknowledged++;
          await store.flush();
        }
        await store.close();
      } catch {
        // The disk is gone; what was acknowledged before is not.
      }
      try {
        const again = await home.open(options());
        // The last one may have been written and not answered.
        const { profiles, value } = await sumAll(again, "a");
        expect([0n, 1n]).toContain(profiles - BigInt(acknowledged));
        expect(value).toBe(10n * profiles);
      } finally {
        await home.remove();
        await rm(place, { recursive: true, force: true });
      }
      return fs.operationCount;
    };
    const whole = await run(Number.POSITIVE_INFINITY);
    for (let limit = 20; limit < whole; limit += 9) await run(limit);
  });
});
