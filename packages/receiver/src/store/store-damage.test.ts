import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeFs } from "./node-fs.ts";
import { listBlockPaths } from "./quarantine.ts";
import { tables } from "./schema.ts";
import type { Store } from "./store.ts";
import { FaultyFs } from "./testing/faulty-fs.ts";
import { type PlainProfile, plainAdmission } from "./testing/plain-profile.ts";
import { everything, StoreDirectory, sumAll, withSnapshot } from "./testing/store-directory.ts";

const NOON = 1_760_000_000_000;

function profile(index: number): PlainProfile {
  return {
    service: "shop",
    timeUnixMillis: NOON + index * 1000,
    samples: [{ stack: ["main"], value: 2 ** index }],
  };
}

async function missingBlocks(store: Store): Promise<readonly string[]> {
  return await withSnapshot(store, everything("a"), async (snapshot) => snapshot.missingBlocks);
}

describe("a store whose directory is damaged", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  /** A store that lost power: nothing after the appends reaches the disk. */
  async function leaveLog(...indexes: readonly number[]): Promise<string> {
    let isDead = false;
    const store = await directory.open({ fs: new FaultyFs(() => (isDead ? "fails" : "works")) });
    for (const index of indexes) await store.append(plainAdmission("a", [profile(index)]));
    isDead = true;
    await store.close();
    const [segment] = await readdir(join(directory.path, "wal"));
    return join(directory.path, "wal", segment!);
  }

  async function writeBlocks(...indexes: readonly number[]): Promise<readonly string[]> {
    const store = await directory.open();
    for (const index of indexes) {
      await store.append(plainAdmission("a", [profile(index)]));
      await store.flush();
    }
    await store.close();
    return [...(await listBlockPaths(nodeFs, join(directory.path, "blocks")))].sort();
  }

  it("replays the log of a store that died", async () => {
    await leaveLog(0, 1, 2);

    const store = await directory.open();

    expect(store.status()).toMatchObject({ headProfileCount: 3, logSegmentCount: 1, blockCount: 0 });
    expect((await sumAll(store, "a")).value).toBe(7n);
    await store.flush();
    expect(await readdir(join(directory.path, "wal"))).toEqual([]);
    expect((await sumAll(store, "a")).value).toBe(7n);
  });

  it("sets a torn tail of the log aside and replays what is whole", async () => {
    const segment = await leaveLog(0, 1, 2);
    await truncate(segment, (await stat(segment)).size - 5);

    const store = await directory.open();

    expect((await sumAll(store, "a")).value).toBe(3n);
    expect(store.status().quarantinedLogPieceCount).toBe(1);
    expect(await readdir(join(directory.path, "quarantine", "wal"))).toHaveLength(1);
  });

  it("sets a damaged record of the log aside and replays those around it", async () => {
    const segment = await leaveLog(0, 1, 2);
    const bytes = await readFile(segment);
    bytes[Math.trunc(bytes.length / 2)]! ^= 0xff;
    await writeFile(segment, bytes);

    const store = await directory.open();

    expect((await sumAll(store, "a")).value).toBe(5n);
  });

  it("sets a record aside that does not expand", async () => {
    await leaveLog(0, 1);

    const store = await directory.open({
      expand: () => {
        throw new Error("of another version");
      },
    });

    expect((await sumAll(store, "a")).profiles).toBe(0n);
    expect(store.status().quarantinedLogPieceCount).toBe(2);
  });

  it.for([...Object.values(tables).map(({ file }) => file), "meta.json"])(
    "sets a block aside whose %s was changed, and answers from the others",
    async (file) => {
      const [first] = await writeBlocks(0, 1);
      const path = join(directory.path, "blocks", first!, file);
      const bytes = await readFile(path);
      bytes[bytes.length - 20]! ^= 1;
      await writeFile(path, bytes);

      const store = await directory.open();

      expect((await sumAll(store, "a")).value).toBe(2n);
      expect(await missingBlocks(store)).toEqual([first!.split("/").at(-1)]);
      expect(await readdir(join(directory.path, "quarantine", "blocks", first!))).toContain("totals.parquet");
    },
  );

  it.for(["a missing file", "a truncated file"])("sets a block aside with %s", async (what) => {
    const [first] = await writeBlocks(0, 1);
    const path = join(directory.path, "blocks", first!, tables.stacks.file);
    await (what === "a missing file" ? rm(path) : truncate(path, 10));

    const store = await directory.open();

    expect((await sumAll(store, "a")).value).toBe(2n);
    expect(store.status()).toMatchObject({ blockCount: 1, quarantinedBlockCount: 1 });
  });

  it("says after a later start, too, that a block is missing", async () => {
    const [first] = await writeBlocks(0, 1);
    await rm(join(directory.path, "blocks", first!, tables.samples.file));
    const store = await directory.open();
    await sumAll(store, "a");
    await store.close();

    const later = await directory.open();

    expect(await missingBlocks(later)).toHaveLength(1);
    expect(later.status().blockCount).toBe(1);
  });

  it("verifies only the files that a query reads", async () => {
    const [first] = await writeBlocks(0);
    await rm(join(directory.path, "blocks", first!, tables.stacks.file));
    const store = await directory.open();

    const result = await withSnapshot(
      store,
      { ...everything("a"), tables: ["totals"] },
      ({ database, from }) => database.select(`SELECT count(*) AS n FROM ${from("totals")}`),
    );

    expect(result.bigints("n")[0]).toBe(1n);
    expect(store.status().quarantinedBlockCount).toBe(0);
  });

  it("counts a profile once that two blocks hold, as after a copy of a block", async () => {
    const [path] = await writeBlocks(0);
    const other = await StoreDirectory.create();
    const otherStore = await other.open();
    await otherStore.append(plainAdmission("a", [profile(0), profile(1)]));
    await otherStore.close();
    const [copied] = await listBlockPaths(nodeFs, join(other.path, "blocks"));
    await cp(join(other.path, "blocks", copied!), join(directory.path, "blocks", copied!), {
      recursive: true,
    });
    await other.remove();
    expect(copied).not.toBe(path);

    const store = await directory.open();

    expect(await sumAll(store, "a")).toEqual({ value: 3n, total: 3n, samples: 2n, profiles: 2n });
  });

  it("makes the catalog again when it is gone or damaged", async () => {
    await writeBlocks(0, 1);
    await rm(join(directory.path, "catalog.duckdb"));
    const store = await directory.open();
    expect((await sumAll(store, "a")).value).toBe(3n);
    await store.close();

    await writeFile(join(directory.path, "catalog.duckdb"), Buffer.alloc(20_000, 7));
    const again = await directory.open();
    expect((await sumAll(again, "a")).value).toBe(3n);
  });

  it("refuses a block of a newer format and leaves it as it is", async () => {
    const [path] = await writeBlocks(0);
    const meta = join(directory.path, "blocks", path!, "meta.json");
    const text = (await readFile(meta, "utf8")).replace('"version": 2', '"version": 3');
    await writeFile(meta, text);
    await rm(join(directory.path, "catalog.duckdb"));

    await expect(directory.open()).rejects.toMatchObject({
      code: "STORAGE_FORMAT",
      message: expect.stringContaining("format version 3"),
    });
    expect(await readFile(meta, "utf8")).toBe(text);
  });

  it("sets a directory aside that says it is another block", async () => {
    const [path] = await writeBlocks(0);
    const wrong = path!.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    await rename(join(directory.path, "blocks", path!), join(directory.path, "blocks", wrong));

    const store = await directory.open();

    expect(store.status()).toMatchObject({ blockCount: 0, quarantinedBlockCount: 1 });
  });

  it("removes what a flush left half done", async () => {
    const left = join(directory.path, "tmp", "blocks", "01J00000000000000000000000");
    await mkdir(left, { recursive: true });
    await writeFile(join(left, "profiles.parquet"), "half");

    await directory.open();

    expect(await readdir(join(directory.path, "tmp", "blocks"))).toEqual([]);
  });

  it("makes directories and files that only their owner can read", async () => {
    await chmod(directory.path, 0o755);
    const [path] = await writeBlocks(0);
    const store = await directory.open();
    await store.append(plainAdmission("a", [profile(1)]));

    const modeOf = async (...parts: readonly string[]): Promise<number> =>
      (await stat(join(directory.path, ...parts))).mode & 0o777;
    const [segment] = await readdir(join(directory.path, "wal"));
    expect(await modeOf("blocks", path!)).toBe(0o700);
    expect(await modeOf("blocks", path!, "profiles.parquet")).toBe(0o600);
    expect(await modeOf("blocks", path!, "meta.json")).toBe(0o600);
    expect(await modeOf("wal", segment!)).toBe(0o600);
    expect(await modeOf("catalog.duckdb")).toBe(0o600);
  });
});
