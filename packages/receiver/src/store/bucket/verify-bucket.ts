import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Blobs } from "../blobs.ts";
import { Block } from "../block.ts";
import { blockKey } from "../block-keys.ts";
import { type BlockMeta, formatBlockMeta, parseBlockMeta } from "../block-meta.ts";
import { dataPaths, META_FILE } from "../filenames.ts";
import type { Fs } from "../fs.ts";
import { inTurns } from "../in-turns.ts";
import { TABLE_NAMES, tables } from "../schema.ts";
import type { PostgresSession } from "../shared/postgres.ts";
import { SharedBucket } from "../shared/shared-bucket.ts";
import type { StoreDamage } from "../verify-store.ts";
import { type BucketBlock, findBucketBlocks, isInBucket } from "./find-bucket-blocks.ts";

/** What a bucket is read with. */
export interface BucketSource {
  readonly fs: Fs;
  readonly blobs: Blobs;
  /** The catalog of processes that share the bucket; undefined: its objects say what there is. */
  readonly catalog: PostgresSession | undefined;
}

const MAX_CHECKS = 8;

/**
 * Reads every object of every block of a bucket and compares it with its checksum. Receivers may run meanwhile: blocks
 * that they delete are passed over.
 *
 * @throws `ReceiverError` STORAGE_UNAVAILABLE when bucket or catalog cannot be read, STORAGE_FORMAT when a block is of
 * a newer format.
 */
export async function verifyBucket(source: BucketSource): Promise<StoreDamage> {
  const { blobs, catalog } = source;
  const content = await findBucketBlocks(blobs, catalog);
  const reasons = new Map<string, string[]>();
  const note = (key: string, reason: string): void => {
    reasons.set(key, [...(reasons.get(key) ?? []), reason]);
  };
  for (const { key, reason } of content.damaged) note(key, reason);
  const scratch = await mkdtemp(join(tmpdir(), "pyroscope-verify-"));
  try {
    await inTurns(content.blocks, MAX_CHECKS, async (block) => {
      const damage = await findDamage(source, scratch, block);
      if (damage.length === 0 || !(await isInBucket(blobs, catalog, block))) return;
      for (const { key, reason } of damage) note(key, reason);
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const files = [...reasons].map(([path, found]) => ({ path, reason: found.toSorted().join(", ") }));
  return {
    blockCount: content.blocks.length,
    files: files.toSorted((left, right) => (left.path < right.path ? -1 : 1)),
  };
}

async function findDamage(
  { fs, blobs }: BucketSource,
  scratch: string,
  { meta, place }: BucketBlock,
): Promise<readonly { readonly key: string; readonly reason: string }[]> {
  const paths = dataPaths(join(scratch, meta.id));
  await fs.makeDirectory(paths.building);
  const block = new Block(meta, paths.blocks);
  const bucket = new SharedBucket({ fs, paths, blobs, maxLocalBytes: Number.POSITIVE_INFINITY, log: ignore });
  if (place !== undefined) bucket.place(meta.id, place);
  const found: { readonly key: string; readonly reason: string }[] = [];
  try {
    for (const table of TABLE_NAMES) {
      const damage = await bucket.fetch(block, table);
      if (damage === undefined) continue;
      const key = place?.segment ?? blockKey(block.path, tables[table].file);
      // Others of the segment may be whole.
      found.push({ key, reason: place === undefined ? damage : `block ${meta.id}: ${damage}` });
    }
    if (place !== undefined) return found;
    const key = blockKey(block.path, META_FILE);
    const reason = checkMeta(meta, await blobs.read(key));
    return reason === undefined ? found : [...found, { key, reason }];
  } finally {
    await rm(paths.root, { recursive: true, force: true });
  }
}

function checkMeta(meta: BlockMeta, text: Buffer | undefined): string | undefined {
  if (text === undefined) return "it is not there";
  try {
    const isSame =
      formatBlockMeta(parseBlockMeta(text.toString("utf8"), META_FILE)) === formatBlockMeta(meta);
    return isSame ? undefined : "it is another block's";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function ignore(): void {}
