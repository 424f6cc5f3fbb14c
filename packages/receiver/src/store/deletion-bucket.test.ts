import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DirectoryBlobs } from "./directory-blobs.ts";
import { nodeFs } from "./node-fs.ts";
import type { Store } from "./store.ts";
import { type PlainProfile, plainAdmission } from "./testing/plain-profile.ts";
import { everything, StoreDirectory, withSnapshot } from "./testing/store-directory.ts";

const NOON = 1_760_011_200_000;

function profileOf(service: string): PlainProfile {
  return { service, timeUnixMillis: NOON, samples: [{ stack: ["main", "work"], value: 10 }] };
}

async function services(store: Store): Promise<readonly string[]> {
  return await withSnapshot(store, everything("a"), async ({ database, from }) => {
    const rows = await database.select(`SELECT DISTINCT service FROM ${from("samples")} ORDER BY service`);
    return rows.texts("service");
  });
}

describe("a bucket that does not keep what it was told of deletions", () => {
  let directories: StoreDirectory[];
  let bucket: string;
  beforeEach(async () => {
    directories = [];
    bucket = await mkdtemp(join(tmpdir(), "pyroscope-bucket-"));
  });
  afterEach(async () => {
    for (const directory of directories) await directory.remove();
    await rm(bucket, { recursive: true, force: true });
  });

  const createDirectory = async (): Promise<StoreDirectory> => {
    const directory = await StoreDirectory.create();
    directories.push(directory);
    return directory;
  };
  const open = (directory: StoreDirectory): Promise<Store> =>
    directory.open({ bucket: { blobs: new DirectoryBlobs(nodeFs, bucket), maxLocalBytes: 1e9 } });
  const shipped = async (store: Store): Promise<void> => {
    await vi.waitFor(() => expect(store.status().unshippedBlockCount).toBe(0));
  };
  const lose = (): Promise<void> => rm(join(bucket, "deletions"), { recursive: true });
  const damage = async (): Promise<void> => {
    for (const name of await readdir(join(bucket, "deletions"))) {
      await writeFile(join(bucket, "deletions", name), '{"for');
    }
  };
  /** Two applications of which one is deleted, and both in blocks still. */
  async function fill(store: Store): Promise<void> {
    await store.append(plainAdmission("a", [profileOf("shop"), profileOf("other")]));
    await store.flush();
    await shipped(store);
    await store.deleteApplication({ tenant: "a", service: "shop" });
  }

  it.for([
    ["is lost", lose],
    ["is damaged", damage],
  ] as const)(
    "is told again at the next start, and what was deleted stays hidden: an object %s",
    async ([, harm]) => {
      const directory = await createDirectory();
      const store = await open(directory);
      await fill(store);
      await harm();
      expect(await services(store)).toEqual(["other"]);
      await store.close();
      await (await open(directory)).close();

      // The disk is lost after that.
      const fresh = await createDirectory();
      const onFresh = await open(fresh);
      expect(await services(onFresh)).toEqual(["other"]);
      await lose();
      await onFresh.compact();
      await shipped(onFresh);
      await onFresh.close();

      expect(await readdir(join(fresh.path, "removals"))).toEqual([]);
      expect(await services(await open(await createDirectory()))).toEqual(["other"]);
    },
  );

  it("lets no empty disk start from it while one is damaged, and says which", async () => {
    const store = await open(await createDirectory());
    await fill(store);
    await store.close();
    await damage();

    await expect(open(await createDirectory())).rejects.toMatchObject({
      code: "STORAGE_FORMAT",
      message: expect.stringMatching(
        /^read deletions\/[0-9a-f]{64}\.json: not a list of deletions, but 5 other bytes; /,
      ),
    });
  });
});
