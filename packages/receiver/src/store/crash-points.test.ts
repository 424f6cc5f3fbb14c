import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "./store.ts";
import { FaultyFs } from "./testing/faulty-fs.ts";
import { type PlainProfile, plainAdmission } from "./testing/plain-profile.ts";
import { everything, StoreDirectory, withSnapshot } from "./testing/store-directory.ts";

const TENANTS = ["a", "b"];

/** A profile that is told from all others by its value. */
function profile(index: number): PlainProfile {
  return {
    service: `service-${index % 3}`,
    timeUnixMillis: 1_760_000_000_000 + index * 1000,
    samples: [{ stack: ["main", `f${index}`], value: 2 ** index }],
  };
}

/** A life of a store: appends, flushes, sends some again. Returns what was acknowledged, as `tenant value`. */
async function live(store: Store, acknowledged: Set<string>): Promise<void> {
  const append = async (tenant: string, ...indexes: readonly number[]): Promise<void> => {
    try {
      await store.append(plainAdmission(tenant, indexes.map(profile)));
      for (const index of indexes) acknowledged.add(`${tenant} ${2 ** index}`);
    } catch {
      // Refused: nothing is promised.
    }
  };
  const flush = (): Promise<void> => store.flush().catch(() => undefined);
  await Promise.all([append("a", 0, 1), append("b", 0), append("a", 2)]);
  await flush();
  await Promise.all([append("a", 3), append("a", 0, 3), append("b", 4), flush(), append("b", 5)]);
  await append("a", 6);
}

/** Every stored profile as `tenant value`, as often as it counts. */
async function stored(store: Store): Promise<readonly string[]> {
  const lists = await Promise.all(
    TENANTS.map((tenant) =>
      withSnapshot(store, everything(tenant), async ({ database, from }) => {
        const rows = await database.select(`SELECT "value" FROM ${from("samples")} ORDER BY "value"`);
        const totals = await database.select(`SELECT total AS "value" FROM ${from("totals")} ORDER BY total`);
        expect(rows.bigints("value")).toEqual(totals.bigints("value"));
        return [...rows.bigints("value")].map((value) => `${tenant} ${value}`);
      }),
    ),
  );
  return lists.flat();
}

describe("a store whose process dies", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  async function countOperations(): Promise<number> {
    const fs = new FaultyFs(() => "works");
    await live(await directory.open({ fs }), new Set());
    return fs.operationCount;
  }

  it.for(["fails", "tears"] as const)(
    "has each acknowledged profile once, whichever access to the disk %s and is the last one",
    { timeout: 120_000 },
    async (verdict) => {
      const last = await countOperations();
      await directory.remove();
      for (let deathAt = 1; deathAt <= last; deathAt++) {
        directory = await StoreDirectory.create();
        const acknowledged = new Set<string>();
        // From its death on nothing of it reaches the disk.
        const fs = new FaultyFs((_, __, count) =>
          count < deathAt ? "works" : count === deathAt ? verdict : "fails",
        );
        const dying = await directory.open({ fs }).catch(() => undefined);
        if (dying !== undefined) {
          await live(dying, acknowledged);
          await dying.close();
        }

        const store = await directory.open();
        const once = await stored(store);
        expect(new Set(once).size, `death at ${deathAt}: ${once.join(", ")}`).toBe(once.length);
        expect(once, `death at ${deathAt}`).toEqual(expect.arrayContaining([...acknowledged]));
        await store.flush();
        expect(await stored(store), `death at ${deathAt}, flushed`).toEqual(once);
        await directory.remove();
      }
    },
  );
});
