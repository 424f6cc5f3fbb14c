import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Store } from "../packages/receiver/src/store/store.ts";
import { filesWith } from "../packages/receiver/src/store/testing/files-with.ts";
import { ManualClock } from "../packages/receiver/src/store/testing/manual-clock.ts";
import { type PlainProfile, plainAdmission } from "../packages/receiver/src/store/testing/plain-profile.ts";
import {
  everything,
  foldStacks,
  sumAll,
  withSnapshot,
} from "../packages/receiver/src/store/testing/store-directory.ts";
import { hasPostgres } from "./harness/postgres.ts";
import { NOON, profileAt, useSharedStores } from "./harness/shared-stores.ts";

const DAY = 86_400_000;
// Long, so that no compression hides them, and of different letters.
const SERVICE = "zebra-quokka-service";
const FUNCTION = "computeXylophoneFingerprint";

/** Of the application that is deleted. */
function unwantedAt(timeUnixMillis: number): PlainProfile {
  return { service: SERVICE, timeUnixMillis, samples: [{ stack: ["main", FUNCTION], value: 3 }] };
}

describe.skipIf(!hasPostgres)(
  "deletion in stores that share a bucket and PostgreSQL",
  { timeout: 60_000 },
  () => {
    const shared = useSharedStores({ beforeAll, beforeEach, afterEach, afterAll });
    const { open, append, lines } = shared;

    /** Objects that hold a text, of what is left when those of replaced blocks have had their time. */
    async function objectsWith(text: string, compactor: Store): Promise<readonly string[]> {
      await shared.admin.query(
        "UPDATE pyroscope_blocks SET deleted_at = now() - interval '1 hour' WHERE deleted_at IS NOT NULL",
      );
      await compactor.applyRetention();
      return await filesWith(join(shared.directory, "bucket"), text);
    }

    it("hides it from every process at once, and takes it out of every object", async () => {
      const clock = new ManualClock(NOON);
      const writer = await open({ role: { writes: true, reads: false, compacts: false } });
      const minutes = new ManualClock(NOON);
      const reads = { clock: minutes, role: { writes: false, reads: true, compacts: false } };
      const [reader, other] = [await open(reads), await open(reads)];
      const compactor = await open({ clock, role: { writes: false, reads: false, compacts: true } });
      // One day is rolled up, the next is not; another tenant's block lies in the same object and is never merged.
      await append(writer, profileAt(NOON), unwantedAt(NOON));
      clock.advance(2 * DAY);
      await compactor.compact();
      await Promise.all([
        append(writer, profileAt(NOON + DAY), unwantedAt(NOON + DAY)),
        writer.append(plainAdmission("b", [unwantedAt(NOON + DAY)])),
      ]);
      await append(writer, unwantedAt(NOON + DAY + 1));
      expect(await foldStacks(reader, "a")).toEqual([`main;${FUNCTION} 9`, "main;work 20"]);

      const deleted = await reader.deleteApplication({ tenant: "a", service: SERVICE });

      // Three raw blocks, and a roll-up of the first one to each level.
      expect(deleted).toEqual({ blockCount: 5, quarantinedBlockCount: 0 });
      expect(await foldStacks(reader, "a")).toEqual(["main;work 20"]);
      expect(await foldStacks(other, "a")).toEqual(["main;work 20"]);
      const theirs = await foldStacks(reader, "b");
      expect(theirs).toEqual([`main;${FUNCTION} 3`]);
      await reader.deleteApplication({ tenant: "b", service: SERVICE });
      expect(await foldStacks(reader, "b")).toEqual([]);

      expect(await compactor.compact(), lines.join("\n")).toMatchObject({ failureCount: 0 });

      expect(await objectsWith(SERVICE, compactor)).toEqual([]);
      expect(await objectsWith(FUNCTION, compactor)).toEqual([]);
      expect(await foldStacks(reader, "a")).toEqual(["main;work 20"]);
      const rolledUp = { ...everything("a"), level: "1h" as const };
      expect(await withSnapshot(reader, rolledUp, async ({ levels }) => levels)).toContain("1h");
      expect(await shared.admin.query("SELECT id FROM pyroscope_blocks WHERE needs_rewrite")).toEqual([]);
      // Nor on the disks of processes, also of those that nobody asks.
      await compactor.compact();
      minutes.advance(60_000);
      await vi.waitFor(async () => expect(await filesWith(shared.directory, SERVICE)).toEqual([]));
      expect(lines).toEqual([]);
    });

    it("lets no merge commit that had begun before, and leaves nothing of it in the bucket", async () => {
      const few = { compaction: { maxFlushedBlocks: 3 } };
      const [left, right] = [await open(few), await open(few)];
      for (let i = 0; i < 3; i++) await append(left, profileAt(NOON + i), unwantedAt(NOON + i));
      let deletion: Promise<unknown> | undefined;
      shared.blobs.onCall = async (operation, key) => {
        if (operation !== "upload" || !key.startsWith("blocks/")) return;
        deletion ??= right.deleteApplication({ tenant: "a", service: SERVICE });
        await deletion;
      };

      expect(await left.compact()).toMatchObject({ mergeCount: 0, failureCount: 1 });

      expect(deletion).toBeDefined();
      expect(await shared.blobs.list("blocks/")).toEqual([]);
      expect(await foldStacks(left, "a")).toEqual(["main;work 30"]);
      expect(await right.compact()).toMatchObject({ failureCount: 0, mergeCount: 1 });
      expect(await foldStacks(left, "a")).toEqual(["main;work 30"]);
      expect(await objectsWith(FUNCTION, right)).toEqual([]);
    });

    it("counts what comes afterwards, the same profiles too, before and after the blocks are written again", async () => {
      const [left, right] = [await open(), await open()];
      await append(left, profileAt(NOON), unwantedAt(NOON), unwantedAt(NOON + 1));
      expect(await sumAll(right, "a")).toMatchObject({ profiles: 3n });
      await left.deleteApplication({ tenant: "a", service: SERVICE });

      await append(right, unwantedAt(NOON));
      await append(left, unwantedAt(NOON));

      for (const store of [left, right]) {
        expect(await foldStacks(store, "a")).toEqual([`main;${FUNCTION} 3`, "main;work 10"]);
      }
      expect(await right.compact()).toMatchObject({ failureCount: 0 });
      for (const store of [left, right, await open()]) {
        expect(await foldStacks(store, "a")).toEqual([`main;${FUNCTION} 3`, "main;work 10"]);
      }
      await left.deleteApplication({ tenant: "a", service: SERVICE });
      expect(await foldStacks(right, "a")).toEqual(["main;work 10"]);
    });

    it("is taken over from a compactor that died, whatever it had written", async () => {
      const store = await open();
      await append(store, profileAt(NOON), unwantedAt(NOON));
      await store.deleteApplication({ tenant: "a", service: SERVICE });
      let uploadCount = 0;
      shared.blobs.onCall = async (operation, key) => {
        if (operation === "upload" && key.startsWith("blocks/") && ++uploadCount === 6)
          throw new Error("died");
      };
      expect(await store.compact()).toMatchObject({ failureCount: 1, writtenBlockCount: 0 });
      expect(await foldStacks(store, "a")).toEqual(["main;work 10"]);
      await shared.admin.query(
        "UPDATE pyroscope_blocks SET lease_token = 1, lease_until = now() + interval '1 minute'",
      );
      shared.blobs.onCall = () => undefined;
      const other = await open();
      expect(await other.compact()).toMatchObject({ writtenBlockCount: 0 });

      await shared.admin.query("UPDATE pyroscope_blocks SET lease_until = now() - interval '1 second'");

      expect(await other.compact()).toMatchObject({ failureCount: 0, writtenBlockCount: 1 });
      expect(await foldStacks(store, "a")).toEqual(["main;work 10"]);
    });

    it("says what is damaged and may hold it, and hides it there as well when the object is whole again", async () => {
      const store = await open();
      await append(store, profileAt(NOON), unwantedAt(NOON));
      await append(store, profileAt(NOON + 1));
      await shared.admin.query("UPDATE pyroscope_blocks SET damage = 'for a while'");

      const deleted = await store.deleteApplication({ tenant: "a", service: SERVICE });

      expect(deleted).toEqual({ blockCount: 0, quarantinedBlockCount: 1 });
      await shared.admin.query("UPDATE pyroscope_blocks SET damage = NULL");
      expect(await foldStacks(store, "a")).toEqual(["main;work 20"]);
    });

    it("deletes all or nothing where PostgreSQL is away", async () => {
      const store = await open();
      await append(store, profileAt(NOON), unwantedAt(NOON));
      await shared.server.kill();
      const deletion = store.deleteApplication({ tenant: "a", service: SERVICE });
      await expect(deletion).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
      await shared.server.start();

      await vi.waitFor(() => foldStacks(store, "a"), { timeout: 20_000, interval: 200 });
      expect(await foldStacks(store, "a")).toEqual([`main;${FUNCTION} 3`, "main;work 10"]);
    });
  },
);
