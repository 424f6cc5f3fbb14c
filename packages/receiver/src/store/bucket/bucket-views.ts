import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Block } from "../block.ts";
import { type BlockPart, coverRange } from "../block-cover.ts";
import {
  ALWAYS,
  type BlockViews,
  type BlockViewsRange,
  createViews,
  openViewDatabase,
  tablesIn,
  toBlockViews,
} from "../block-views.ts";
import type { Duckdb } from "../duckdb.ts";
import { type DataPaths, dataPaths } from "../filenames.ts";
import { inTurns } from "../in-turns.ts";
import type { TableName } from "../schema.ts";
import { Repeats } from "../shared/repeats.ts";
import { SharedBucket } from "../shared/shared-bucket.ts";
import { findBucketBlocks } from "./find-bucket-blocks.ts";
import type { BucketSource } from "./verify-bucket.ts";

const MAX_CHECKS = 8;

/** Blocks to read, of one tenant. */
interface Chosen {
  /** Those that may be read, with their services that are hidden. */
  readonly good: Map<Block, readonly string[]>;
  readonly bucket: SharedBucket;
  readonly warnings: string[];
}

/**
 * Opens the views of `openBlockViews` over the blocks of a bucket, for one query: it copies the files of the tables that
 * the query names to a temporary directory. Each profile counts once, although two blocks may have it.
 *
 * @throws `ReceiverError` STORAGE_UNAVAILABLE when bucket or catalog cannot be read.
 */
export async function openBucketViews(
  source: BucketSource,
  range: BlockViewsRange,
  sql: string,
): Promise<BlockViews> {
  const scratch = await mkdtemp(join(tmpdir(), "pyroscope-sql-"));
  let database: Duckdb | undefined;
  try {
    const paths = dataPaths(scratch);
    await source.fs.makeDirectory(paths.building);
    const chosen = await chooseBlocks(source, paths, range.tenant);
    const wanted = tablesIn(sql);
    const parts = await bringCover(chosen, range, wanted);
    database = await openViewDatabase(scratch, join(scratch, "spill"));
    const repeatsOf = await findRepeats(database, chosen, parts, wanted);
    await createViews(database, wanted, (table) => ({
      heads: [],
      files: parts.map(({ block, ranges }) => ({
        ...{ path: block.file(table), ranges, repeats: repeatsOf(block) },
        hiddenServices: chosen.good.get(block) ?? [],
      })),
    }));
    return toBlockViews(database, chosen.warnings, scratch);
  } catch (error) {
    database?.close();
    await rm(scratch, { recursive: true, force: true });
    throw error;
  }
}

async function chooseBlocks(
  { fs, blobs, catalog }: BucketSource,
  paths: DataPaths,
  tenant: string,
): Promise<Chosen> {
  const log = (): void => undefined;
  const bucket = new SharedBucket({ fs, paths, blobs, maxLocalBytes: Number.POSITIVE_INFINITY, log });
  const content = await findBucketBlocks(blobs, catalog);
  const warnings = content.damaged.map(({ key, reason }) => `${key} is left out: ${reason}`);
  const found = content.blocks.filter(({ meta }) => meta.tenant === tenant);
  const replaced = new Set(found.flatMap(({ meta }) => meta.blocks));
  const good = new Map<Block, readonly string[]>();
  for (const { meta, place, hiddenServices, damage } of found) {
    if (replaced.has(meta.id)) continue;
    if (damage !== undefined) warnings.push(`block ${meta.id} is left out: ${damage}`);
    else good.set(new Block(meta, paths.blocks), hiddenServices);
    if (place !== undefined) bucket.place(meta.id, place);
  }
  return { good, bucket, warnings };
}

/** Brings the files of tables that answer for all of time. What is damaged is left out, and what it was made of comes instead. */
async function bringCover(
  { good, bucket, warnings }: Chosen,
  { level }: BlockViewsRange,
  wanted: readonly TableName[],
): Promise<readonly BlockPart[]> {
  const bring = async (block: Block): Promise<void> => {
    for (const table of wanted) {
      const damage = block.isVerified([table]) ? undefined : await bucket.fetch(block, table);
      if (damage === undefined) continue;
      warnings.push(`block ${block.meta.id} is left out: ${damage}`);
      good.delete(block);
      return;
    }
  };
  for (;;) {
    const parts = coverRange([...good.keys()], ALWAYS, level);
    const missing = parts.map(({ block }) => block).filter((block) => !block.isVerified(wanted));
    if (missing.length === 0) return parts;
    await inTurns(missing, MAX_CHECKS, bring);
  }
}

/** Finds profiles that are in two blocks; says what of a block does not count. */
async function findRepeats(
  database: Duckdb,
  { good, bucket }: Chosen,
  parts: readonly BlockPart[],
  wanted: readonly TableName[],
): Promise<(block: Block) => string | undefined> {
  if (!wanted.includes("samples") && !wanted.includes("totals")) return () => undefined;
  const raw = parts.map(({ block }) => block).filter(({ meta }) => meta.level === "raw");
  const readable: Block[] = [];
  await inTurns(raw, MAX_CHECKS, async (block) => {
    // Where they are damaged, samples may be whole, and count as often as they are there.
    const damage = block.isVerified(["totals"]) ? undefined : await bucket.fetch(block, "totals");
    if (damage === undefined) readable.push(block);
  });
  const repeats = await Repeats.create(database, (block) => good.get(block) ?? []);
  const labels = await repeats.find(new Map(), readable);
  return (block) => {
    const label = labels.get(block);
    return label === undefined ? undefined : repeats.select(label);
  };
}
