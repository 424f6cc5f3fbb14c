import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeFs } from "./store/node-fs.ts";
import { listBlockPaths } from "./store/quarantine.ts";
import { plainAdmission } from "./store/testing/plain-profile.ts";
import { StoreDirectory, sumAll } from "./store/testing/store-directory.ts";
import { runStoreRepair, runStoreSql, runStoreVerify } from "./store-commands.ts";
import type { StorePlace } from "./store-place.ts";

function dataOf({ path }: StoreDirectory): StorePlace {
  return { kind: "data", directory: path };
}

/** A bucket is laid out as a data directory is. */
function bucketOf({ path }: StoreDirectory): StorePlace {
  return { kind: "bucket", blobs: { kind: "directory", path }, postgresUrl: undefined };
}

describe("store commands", () => {
  let directory: StoreDirectory;
  let blocks: readonly string[];
  let output: string;
  const write = (text: string): void => {
    output += text;
  };
  beforeEach(async () => {
    output = "";
    directory = await StoreDirectory.create();
    const store = await directory.open();
    for (let i = 0; i < 4; i++) {
      const samples = [{ stack: ["main"], value: 2 ** i }];
      await store.append(plainAdmission("a", [{ service: "s", timeUnixMillis: 1000 * i, samples }]));
      await store.flush();
    }
    await store.close();
    blocks = [...(await listBlockPaths(nodeFs, join(directory.path, "blocks")))].sort();
  });
  afterEach(() => directory.remove());

  const fileOf = (block: number, file: string): string =>
    join(directory.path, "blocks", blocks[block]!, file);

  async function damage(): Promise<void> {
    await truncate(fileOf(0, "profiles.parquet"), 20);
    const bytes = await readFile(fileOf(1, "symdb/frames.parquet"));
    bytes[10]! ^= 1;
    await writeFile(fileOf(1, "symdb/frames.parquet"), bytes);
    await rm(fileOf(1, "totals.parquet"));
    await writeFile(fileOf(2, "meta.json"), "{}");
  }

  it("finds nothing wrong with a good directory, also while a receiver has it", async () => {
    await directory.open();

    expect(await runStoreVerify(dataOf(directory), write)).toBe(true);
    expect(output).toBe("4 blocks, 0 files damaged\n");
  });

  it.for([
    ["files", dataOf],
    ["objects", bucketOf],
  ] as const)("lists exactly the damaged %s, and changes nothing", async ([what, placeOf]) => {
    await damage();

    expect(await runStoreVerify(placeOf(directory), write)).toBe(false);

    const lines = output.trimEnd().split("\n");
    expect(
      lines
        .slice(0, -1)
        .map((line) => line.slice(0, line.indexOf(": ")))
        .sort(),
    ).toEqual([
      `blocks/${blocks[0]}/profiles.parquet`,
      `blocks/${blocks[1]}/symdb/frames.parquet`,
      `blocks/${blocks[1]}/totals.parquet`,
      `blocks/${blocks[2]}/meta.json`,
    ]);
    // Of an object that is no `meta.json`, a bucket does not say that it is a block.
    expect(lines.at(-1)).toBe(`${what === "files" ? 4 : 3} blocks, 4 ${what} damaged`);
    expect(await listBlockPaths(nodeFs, join(directory.path, "blocks"))).toHaveLength(4);
  });

  it("finds nothing wrong with a good bucket, and says which objects are left of a block that lost its first", async () => {
    expect(await runStoreVerify(bucketOf(directory), write)).toBe(true);
    expect(output).toBe("4 blocks, 0 objects damaged\n");
    await rm(fileOf(3, "meta.json"));
    output = "";

    expect(await runStoreVerify(bucketOf(directory), write)).toBe(false);

    expect(output).toBe(
      `blocks/${blocks[3]}/meta.json: it is not there, and other files of its block are\n3 blocks, 1 objects damaged\n`,
    );
  });

  it("asks a bucket as it asks the data directory, and says what it leaves out", async () => {
    const ask = async (place: StorePlace, sql: string): Promise<string> => {
      output = "";
      const query = { sql, tenant: "a", level: "raw" as const, format: "csv" as const };
      await runStoreSql(place, query, write, write);
      return output;
    };
    for (const sql of [
      "SELECT sum(total) AS sum, count(*) AS n FROM totals",
      'SELECT path, "value" FROM samples ORDER BY ALL',
      "SELECT count(*) FROM series",
      "SELECT 1 AS one",
    ]) {
      expect(await ask(bucketOf(directory), sql), sql).toBe(await ask(dataOf(directory), sql));
    }
    expect(output).toBe("one\n1\n");

    await damage();

    expect(await ask(bucketOf(directory), "SELECT sum(total) AS sum FROM totals")).toMatch(
      /^blocks\/.*meta.json is left out: .*\nblock .* is left out: totals.parquet is not in .*\nsum\n9\n$/,
    );
    await expect(ask(bucketOf(directory), "DROP VIEW totals")).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });

  it("moves damaged blocks out, so that the next start answers from the others", async () => {
    await damage();

    await runStoreRepair(directory.path, write);

    expect(await runStoreVerify(dataOf(directory), () => undefined)).toBe(true);
    const aside = await listBlockPaths(nodeFs, join(directory.path, "quarantine", "blocks"));
    expect([...aside].sort()).toEqual(blocks.slice(0, 3));
    const store = await directory.open();
    expect((await sumAll(store, "a")).value).toBe(8n);
    expect(store.status()).toMatchObject({ blockCount: 1, quarantinedBlockCount: 3 });
  });

  it("does not repair what a receiver has open", async () => {
    await damage();
    // DuckDB gives its lock to a second opening by the same process, hence another one.
    const script = `import { DuckDBInstance } from ${JSON.stringify(import.meta.resolve("@duckdb/node-api"))};
await DuckDBInstance.create(${JSON.stringify(join(directory.path, "catalog.duckdb"))});
console.log("held"); setInterval(() => undefined, 1000);`;
    const { spawn } = await import("node:child_process");
    const holder = spawn(process.execPath, ["--input-type=module", "-e", script]);
    try {
      await new Promise((resolve) => holder.stdout.once("data", resolve));
      await expect(runStoreRepair(directory.path, write)).rejects.toMatchObject({ code: "STORAGE_LOCKED" });
      expect(await listBlockPaths(nodeFs, join(directory.path, "blocks"))).toHaveLength(4);
    } finally {
      holder.kill("SIGKILL");
    }
  });

  it("leaves a directory of a newer format, and one that is no data directory, as they are", async () => {
    await writeFile(fileOf(0, "meta.json"), '{"version": 99}');
    const newer = { code: "STORAGE_FORMAT", message: expect.stringContaining("format version 99") };
    await expect(runStoreVerify(dataOf(directory), write)).rejects.toMatchObject(newer);
    await expect(runStoreRepair(directory.path, write)).rejects.toMatchObject(newer);
    const empty = await mkdtemp(join(tmpdir(), "pyroscope-empty-"));

    await expect(runStoreRepair(empty, write)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await nodeFs.list(empty)).toEqual([]);
    await rm(empty, { recursive: true });
  });
});
