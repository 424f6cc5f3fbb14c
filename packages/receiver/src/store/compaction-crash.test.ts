import { cp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "./store.ts";
import { FaultyFs, type Verdict } from "./testing/faulty-fs.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { type PlainProfile, plainAdmission } from "./testing/plain-profile.ts";
import { everything, StoreDirectory, withSnapshot } from "./testing/store-directory.ts";

// Every block is due, and a merge writes a block for each service.
const COMPACTION = { maxFlushedBlocks: 2, maxBlockBytes: 1 };

/** A profile that is told from all others by its value. */
function profile(index: number): PlainProfile {
  return {
    service: `service-${index % 2}`,
    timeUnixMillis: 1_760_054_400_000 + index * 1000,
    samples: [{ stack: ["main", `f${index}`], value: 2 ** index }],
  };
}

async function values(store: Store): Promise<readonly bigint[]> {
  return await withSnapshot(store, everything("a"), async ({ database, from }) => {
    const rows = await database.select(`SELECT "value" FROM ${from("samples")} ORDER BY "value"`);
    const totals = await database.select(`SELECT total FROM ${from("totals")} ORDER BY total`);
    expect(rows.bigints("value")).toEqual(totals.bigints("total"));
    return [...rows.bigints("value")];
  });
}

describe("a store whose process dies while it merges blocks", () => {
  let origin: StoreDirectory;
  let directory: StoreDirectory;
  beforeEach(async () => {
    origin = await StoreDirectory.create();
    directory = await StoreDirectory.create();
    const store = await origin.open();
    for (let i = 0; i < 4; i++) {
      await store.append(plainAdmission("a", [profile(i)]));
      if (i % 2 === 1) await store.flush();
    }
    await store.close();
  });
  afterEach(async () => {
    await directory.remove();
    await origin.remove();
  });

  /** Merges in a copy of the directory; from the access `deathAt` on nothing reaches the disk. Returns the accesses. */
  async function compactAndDie(deathAt: number, verdict: Verdict): Promise<number> {
    await rm(directory.path, { recursive: true });
    await cp(origin.path, directory.path, { recursive: true });
    let begin = Number.POSITIVE_INFINITY;
    const fs = new FaultyFs((_, __, count) =>
      count < begin + deathAt ? "works" : count === begin + deathAt ? verdict : "fails",
    );
    const store = await directory.open({ fs, compaction: COMPACTION });
    begin = fs.operationCount;
    await store.compact();
    const accessCount = fs.operationCount - begin;
    await store.close();
    return accessCount;
  }

  it("has each profile once when the disk failed behind the rename of the last part, and took nothing back", async () => {
    await cp(origin.path, directory.path, { recursive: true });
    let partCount = Number.NaN;
    const fs = new FaultyFs((operation, path) => {
      if (operation === "rename" && path.includes(join("tmp", "blocks"))) partCount++;
      // A merge has two parts. What is discarded goes through the same folder, so that works.
      const isBehindLast = partCount === 2 && (operation === "syncDirectory" || operation === "remove");
      return isBehindLast ? "fails" : "works";
    });
    const store = await directory.open({ fs, compaction: COMPACTION });
    partCount = 0;
    expect(await store.compact()).toMatchObject({ mergeCount: 0, failureCount: 1 });
    await store.close().catch(() => undefined);

    const reopened = await directory.open({ compaction: COMPACTION });
    expect(await values(reopened)).toEqual([1n, 2n, 4n, 8n]);
    await reopened.close();
  });

  it("writes nothing beside a roll-up that may be there, and takes it back once the disk does that", async () => {
    await cp(origin.path, directory.path, { recursive: true });
    let isBroken = false;
    let isBehindRename = false;
    const fs = new FaultyFs((operation, path) => {
      if (operation === "rename" && isBroken && path.includes(join("tmp", "blocks"))) isBehindRename = true;
      return isBehindRename && (operation === "syncDirectory" || operation === "remove") ? "fails" : "works";
    });
    const clock = new ManualClock(Date.now() + 86_400_000);
    const merged = await directory.open({ clock });
    await merged.compact();
    await merged.close();
    const store = await directory.open({ fs, clock, compaction: { rollUpLevels: ["5m"] } });
    const rollUps = async (): Promise<number> => {
      const paths = await readdir(join(directory.path, "blocks", "a", "5m"), { recursive: true });
      return paths.filter((path) => path.endsWith("meta.json")).length;
    };
    isBroken = true;
    expect((await store.compact()).failureCount).toBeGreaterThan(0);
    expect(await rollUps()).toBe(1);

    // The next pass writes nothing: the disk is as it was.
    expect(await store.compact()).toMatchObject({ rollUpCount: 0 });
    expect(await rollUps()).toBe(1);

    isBroken = false;
    isBehindRename = false;
    expect(await store.compact()).toMatchObject({ rollUpCount: 1, failureCount: 0 });
    expect(await rollUps()).toBe(1);
    await store.close();
  });

  it.for(["fails", "tears"] as const)(
    "has each profile once, whichever access to the disk %s and is the last one",
    { timeout: 120_000 },
    async (verdict) => {
      const last = await compactAndDie(Number.POSITIVE_INFINITY, verdict);
      expect(last).toBeGreaterThan(12);
      for (let deathAt = 1; deathAt <= last; deathAt++) {
        await compactAndDie(deathAt, verdict);

        // With what was noted before, and with nothing noted.
        if (deathAt % 2 === 0) await rm(join(directory.path, "catalog.duckdb"));
        // A day later: copies that the crash left are merged when their time is over and quiet.
        const clock = new ManualClock(Date.now() + 86_400_000);
        const store = await directory.open({ clock, compaction: COMPACTION });
        expect(await values(store), `death at ${deathAt}`).toEqual([1n, 2n, 4n, 8n]);
        await store.append(plainAdmission("a", [0, 1, 2, 3].map(profile)));
        await store.compact();
        expect(await values(store), `death at ${deathAt}, merged`).toEqual([1n, 2n, 4n, 8n]);
        expect(store.status(), `death at ${deathAt}`).toMatchObject({
          blockCount: 2,
          quarantinedBlockCount: 0,
        });
        await store.close();
      }
    },
  );
});
