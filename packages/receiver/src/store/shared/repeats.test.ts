import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Block } from "../block.ts";
import type { BlockMeta } from "../block-meta.ts";
import { Duckdb, quoteSql } from "../duckdb.ts";
import { createBlockId } from "../filenames.ts";
import { TABLE_NAMES, tables } from "../schema.ts";
import { Repeats } from "./repeats.ts";

describe("Repeats", () => {
  const hidden = new Map<Block, readonly string[]>();
  let directory: string;
  let database: Duckdb;
  let repeats: Repeats;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "pyroscope-repeats-"));
    database = await Duckdb.open({
      path: join(directory, "catalog.duckdb"),
      directory,
      temporaryDirectory: join(directory, "spill"),
      memoryLimitBytes: 64 * 1024 * 1024,
      threadCount: 1,
    });
    repeats = await Repeats.create(database, (block) => hidden.get(block) ?? []);
  });
  afterEach(async () => {
    database.close();
    await rm(directory, { recursive: true });
  });

  let count = 0;
  async function block(...profiles: readonly number[]): Promise<Block> {
    const made = new Block(metaOf(createBlockId(1_760_000_000_000 + count++)), directory);
    await mkdir(dirname(made.file("totals")), { recursive: true });
    // Two rows of a profile, as one of two types has.
    const rows = profiles.flatMap((profile) => [`(${uuid(profile)})`, `(${uuid(profile)})`]);
    const path = quoteSql(made.file("totals"));
    await database.run(
      `COPY (SELECT *, 'shop' AS service FROM (VALUES ${rows.join(", ")}) AS t (profile)) TO ${path} (FORMAT parquet)`,
    );
    return made;
  }

  async function profilesOf(labels: ReadonlyMap<Block, string>, of: Block): Promise<readonly string[]> {
    const label = labels.get(of);
    if (label === undefined) return [];
    const rows = await database.select(`${repeats.select(label)} ORDER BY profile`);
    return rows.texts("profile").map((text) => text.slice(-1));
  }

  it("leaves each profile to the oldest block that has it", async () => {
    const [first, second, third] = [await block(1, 2), await block(2, 3), await block(1, 2, 3, 4)];

    const labels = await repeats.find(new Map(), [third, first, second]);

    expect(await profilesOf(labels, first)).toEqual([]);
    expect(await profilesOf(labels, second)).toEqual(["2"]);
    expect(await profilesOf(labels, third)).toEqual(["1", "2", "3"]);
  });

  it("leaves to a counted block what counts there, and nothing that does not", async () => {
    const [first, second] = [await block(1), await block(1, 2)];
    const before = await repeats.find(new Map(), [first, second]);
    const newer = await block(1, 2);

    // The first block is gone: what it had counts in the newer one now, since it does not in the second.
    const counted = new Map([[second, before.get(second)]]);
    const labels = await repeats.find(counted, [newer]);

    expect(await profilesOf(labels, newer)).toEqual(["2"]);
  });

  it("counts what comes again of a service that is hidden in an older block", async () => {
    const [first, second, third] = [await block(1, 2), await block(1), await block(1)];
    hidden.set(first, ["shop"]);

    const labels = await repeats.find(new Map([[first, undefined]]), [second, third]);

    expect(await profilesOf(labels, second)).toEqual([]);
    expect(await profilesOf(labels, third)).toEqual(["1"]);
  });

  it("forgets what nobody asks for any more", async () => {
    const blocks = [await block(1), await block(1)];
    const labels = await repeats.find(new Map(), blocks);
    expect(labels.size).toBe(1);

    await repeats.forget([...labels.values()]);

    expect(await profilesOf(labels, blocks[1]!)).toEqual([]);
  });
});

function uuid(digit: number): string {
  return `'00000000-0000-0000-0000-00000000000${digit}'::UUID`;
}

function metaOf(id: string): BlockMeta {
  return {
    ...{
      version: 1,
      id,
      tenant: "a",
      level: "raw",
      createdUnixMillis: 0,
      receivedUnixMillis: 0,
      mergeCount: 0,
    },
    ...{
      minUnixNanos: 0n,
      maxUnixNanos: 1n,
      types: [],
      services: [],
      segments: [],
      blocks: [],
      rolledUp: [],
    },
    rows: { samples: 0, totals: 0, series: 0, stacks: 0, frames: 0 },
    files: new Map(TABLE_NAMES.map((table) => [tables[table].file, { bytes: 0, crc32: 0 }])),
  };
}
