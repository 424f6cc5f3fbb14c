import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROLL_UP_LEVELS } from "./level.ts";
import type { Store } from "./store.ts";
import { FaultyFs } from "./testing/faulty-fs.ts";
import { filesWith } from "./testing/files-with.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { type PlainProfile, plainAdmission } from "./testing/plain-profile.ts";
import { everything, foldStacks, StoreDirectory, sumAll, withSnapshot } from "./testing/store-directory.ts";

const MIDNIGHT = 1_760_054_400_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
// Long, so that no compression hides them, and of different letters.
const SERVICE = "zebra-quokka-service";
const FUNCTION = "computeXylophoneFingerprint";

function profile(index: number, service: string, name: string): PlainProfile {
  return {
    ...{ service, timeUnixMillis: MIDNIGHT + 1 + index, identity: `${service}-${index}` },
    samples: [{ stack: ["main", name], value: 1 }],
    labels: { pod: `${service}-pod` },
  };
}

async function services(store: Store): Promise<readonly string[]> {
  return await withSnapshot(store, everything("a"), async ({ database, from, fromParts }) => {
    const rows = await database.select(
      `SELECT DISTINCT service FROM (SELECT service FROM ${from("totals")} UNION ALL SELECT service FROM ${from("samples")}
 UNION ALL SELECT service FROM ${fromParts("series")}) ORDER BY service`,
    );
    return rows.texts("service");
  });
}

describe("Store.deleteApplication", () => {
  let directory: StoreDirectory;
  let clock: ManualClock;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
    clock = new ManualClock(MIDNIGHT + DAY);
  });
  afterEach(() => directory.remove());

  /** Profiles of two services, rolled up, in a later block, and in memory. */
  async function fill(store: Store): Promise<void> {
    const write = (index: number): Promise<void> =>
      store.append(plainAdmission("a", [profile(index, SERVICE, FUNCTION), profile(index, "other", "work")]));
    await write(0);
    await store.flush();
    clock.advance(40 * DAY);
    await store.compact();
    await write(1);
    await store.append(plainAdmission("a", [profile(7, SERVICE, FUNCTION)]));
    await store.flush();
    await write(2);
    await store.append(plainAdmission("b", [profile(0, SERVICE, "theirs")]));
  }

  it("hides it at once, in memory, blocks and roll-ups, and after a restart", {
    timeout: 30_000,
  }, async () => {
    const options = { clock, compaction: { rollUpLevels: ROLL_UP_LEVELS } };
    const store = await directory.open(options);
    await fill(store);
    expect(await services(store)).toEqual(["other", SERVICE]);

    const deletion = store.deleteApplication({ tenant: "a", service: SERVICE });
    expect(await services(store)).toEqual(["other"]);
    expect(await deletion).toEqual({ blockCount: 7, quarantinedBlockCount: 0 });

    expect(await services(store)).toEqual(["other"]);
    expect(await foldStacks(store, "a")).toEqual(["main;work 3"]);
    await store.close();
    const again = await directory.open(options);
    expect(await services(again)).toEqual(["other"]);
    expect((await sumAll(again, "b")).profiles).toBe(1n);
  });

  it("is in no file any more once the blocks are written again", { timeout: 30_000 }, async () => {
    const options = { clock, compaction: { rollUpLevels: ROLL_UP_LEVELS } };
    const store = await directory.open(options);
    await fill(store);
    await store.deleteApplication({ tenant: "b", service: SERVICE });
    await store.deleteApplication({ tenant: "a", service: SERVICE });
    expect(await filesWith(directory.path, SERVICE)).not.toEqual([]);

    const before = await foldStacks(store, "a");
    expect(await store.compact(), directory.lines.join("\n")).toMatchObject({ failureCount: 0 });

    expect(await filesWith(directory.path, SERVICE)).toEqual([]);
    expect(await filesWith(directory.path, FUNCTION)).toEqual([]);
    expect(await foldStacks(store, "a")).toEqual(before);
    const rolledUp = { ...everything("a"), level: "1h-service" as const };
    const levels = await withSnapshot(store, rolledUp, async (snapshot) => snapshot.levels);
    expect(levels).toContain("1h-service");
    await store.close();
    expect(await filesWith(directory.path, SERVICE)).toEqual([]);
    const again = await directory.open(options);
    expect(await services(again)).toEqual(["other"]);
    expect((await sumAll(again, "a")).profiles).toBe(3n);
  });

  it("stays deleted after a crash while a query still holds a block that had nothing else", async () => {
    const store = await directory.open({ clock });
    await store.append(plainAdmission("a", [profile(0, SERVICE, FUNCTION)]));
    await store.flush();
    await withSnapshot(store, everything("a"), async () => {
      await store.deleteApplication({ tenant: "a", service: SERVICE });
      expect(await store.compact()).toMatchObject({ failureCount: 0 });

      const crashed = await directory.copy();
      try {
        const list = "deletions.json";
        await copyFile(join(directory.path, list), join(crashed.path, list)).catch(() => undefined);
        expect(await services(await crashed.open({ clock }))).toEqual([]);
      } finally {
        await crashed.remove();
      }
    });
    await store.compact();
    expect(await filesWith(directory.path, SERVICE)).toEqual([]);
  });

  it("counts what comes afterwards, the same profiles too", async () => {
    const store = await directory.open({ clock });
    await store.append(plainAdmission("a", [profile(0, SERVICE, FUNCTION), profile(0, "other", "work")]));
    await store.deleteApplication({ tenant: "a", service: SERVICE });

    await store.append(plainAdmission("a", [profile(0, SERVICE, FUNCTION), profile(0, "other", "work")]));
    expect((await sumAll(store, "a")).profiles).toBe(2n);
    await store.compact();
    expect((await sumAll(store, "a")).profiles).toBe(2n);
  });

  it("goes on after a crash at any access to the disk", { timeout: 60_000 }, async () => {
    for (let deathAt = 1; deathAt < 40; deathAt += 5) {
      await directory.remove();
      directory = await StoreDirectory.create();
      let begin = Number.POSITIVE_INFINITY;
      const fs = new FaultyFs((_, __, count) => (count < begin + deathAt ? "works" : "fails"));
      const store = await directory.open({ clock, fs });
      await store.append(plainAdmission("a", [profile(0, SERVICE, FUNCTION), profile(0, "other", "work")]));
      await store.append(plainAdmission("a", [profile(1, SERVICE, FUNCTION)]));
      await store.flush();
      begin = fs.operationCount;
      const isDone = await store.deleteApplication({ tenant: "a", service: SERVICE }).then(
        () => true,
        () => false,
      );
      await store.compact().catch(() => undefined);
      await store.close();

      const again = await directory.open({ clock });
      const found = await services(again);
      // What was not confirmed may be there still, whole.
      expect([["other"], ...(isDone ? [] : [["other", SERVICE]])], `death at ${deathAt}`).toContainEqual(
        found,
      );
      await again.compact();
      expect(await services(again)).toEqual(found);
      if (isDone) expect(await filesWith(directory.path, SERVICE), `death at ${deathAt}`).toEqual([]);
    }
  });

  it("refuses a list of deletions of a newer format", async () => {
    await writeFile(join(directory.path, "deletions.json"), `{"format":2,"deletions":[]}`);

    await expect(directory.open()).rejects.toMatchObject({ code: "STORAGE_FORMAT" });
  });
});
