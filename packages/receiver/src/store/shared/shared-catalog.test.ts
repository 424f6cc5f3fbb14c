import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Block } from "../block.ts";
import { type BlockMeta, formatBlockMeta } from "../block-meta.ts";
import { Duckdb } from "../duckdb.ts";
import { createBlockId, dataPaths } from "../filenames.ts";
import { nodeFs } from "../node-fs.ts";
import { FORMAT_VERSION, TABLE_NAMES, tables } from "../schema.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import type { Postgres, PostgresRow, PostgresSession } from "./postgres.ts";
import type { SharedBucket } from "./shared-bucket.ts";
import { SharedCatalog } from "./shared-catalog.ts";
import { SharedDeletions } from "./shared-deletions.ts";

function metaOf(id: string): BlockMeta {
  return {
    ...{ version: FORMAT_VERSION, id, tenant: "a", level: "raw", mergeCount: 0 },
    ...{ segments: [], blocks: [], rolledUp: [], createdUnixMillis: 0, receivedUnixMillis: 0 },
    ...{ minUnixNanos: 1n, maxUnixNanos: 2n, types: ["t"], services: ["s"] },
    files: new Map(TABLE_NAMES.map((table) => [tables[table].file, { bytes: 1, crc32: 1 }])),
    rows: { samples: 0, totals: 0, series: 0, stacks: 0, frames: 0 },
  };
}

/** The rows of `pyroscope_blocks`, without the server. */
class BlockRows implements PostgresSession {
  metas: readonly BlockMeta[] = [];

  async query(sql: string): Promise<readonly PostgresRow[]> {
    if (!sql.startsWith("SELECT id, ")) throw new Error(`not expected: ${sql}`);
    return this.metas.map((meta) => ({
      ...{ id: meta.id, is_damaged: false, damage: null, needs_rewrite: false, hidden_services: [] },
      ...{ meta: formatBlockMeta(meta), segment: null, segment_offset: null },
    }));
  }
}

/** A bucket that takes its time to say which files of a block are on this machine. */
class SlowBucket implements Pick<SharedBucket, "note" | "discarding"> {
  isSlow = false;
  readonly waiting: (() => void)[] = [];

  async note(_block: Block): Promise<void> {
    if (this.isSlow) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  async discarding(): Promise<void> {}
}

describe("SharedCatalog", () => {
  let directory: string;
  let database: Duckdb;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "pyroscope-shared-"));
    database = await Duckdb.open({
      ...{ path: ":memory:", directory, temporaryDirectory: join(directory, "spill") },
      ...{ memoryLimitBytes: 64 * 1024 * 1024, threadCount: 1 },
    });
  });
  afterEach(async () => {
    database.close();
    await rm(directory, { recursive: true });
  });

  it("lets what another process merged take the place of what it merged in one step", async () => {
    const rows = new BlockRows();
    const bucket = new SlowBucket();
    const catalog = await SharedCatalog.create({
      ...{
        fs: nodeFs,
        clock: new ManualClock(0),
        paths: dataPaths(directory),
        database,
        deletions: new SharedDeletions(),
        log: () => undefined,
      },
      bucket: bucket as unknown as SharedBucket,
      postgres: rows as unknown as Postgres,
    });
    const ids = (): readonly string[] => catalog.blocksOf("a").map(({ meta }) => meta.id);
    const [first, second, merged] = [
      metaOf(createBlockId(1)),
      metaOf(createBlockId(2)),
      metaOf(createBlockId(3)),
    ];
    rows.metas = [first, second];
    await catalog.refresh({ tenants: ["a"] });
    expect(ids()).toEqual([first.id, second.id]);

    // Another query holds the blocks that it finds here while this look goes on.
    rows.metas = [{ ...merged, blocks: [first.id, second.id] }];
    bucket.isSlow = true;
    const look = catalog.refresh({ tenants: ["a"] });
    while (bucket.waiting.length === 0) await setImmediate();
    expect(ids()).toEqual([first.id, second.id]);

    for (const resolve of bucket.waiting) resolve();
    await look;
    expect(ids()).toEqual([merged.id]);
  });
});
