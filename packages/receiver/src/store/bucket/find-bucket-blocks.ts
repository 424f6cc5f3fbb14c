import { ReceiverError } from "../../errors.ts";
import type { Blobs } from "../blobs.ts";
import { BLOCK_KEYS, blockKey } from "../block-keys.ts";
import { parseBlockMeta } from "../block-meta.ts";
import { type Deletion, findDeletions } from "../deletion.ts";
import { blockPath, isBlockId, META_FILE } from "../filenames.ts";
import { inTurns } from "../in-turns.ts";
import { type BlockRow, decodeText, parseBlockRow } from "../shared/block-row.ts";
import type { PostgresSession } from "../shared/postgres.ts";
import { SEGMENT_KEYS } from "../shared/segment-writer.ts";
import { readSegmentIndex } from "./read-segment-index.ts";

/** A block of a bucket. */
export interface BucketBlock extends BlockRow {
  /** That were deleted, and are in its objects still. */
  readonly hiddenServices: readonly string[];
  /** Why answers leave it out, as the catalog says. */
  readonly damage?: string | undefined;
}

/** An object that is not what it should be. */
interface DamagedObject {
  readonly key: string;
  readonly reason: string;
}

/** What a bucket holds. */
export interface BucketContent {
  readonly blocks: readonly BucketBlock[];
  /** Objects that do not even say which block they belong to. */
  readonly damaged: readonly DamagedObject[];
}

/** Reads of small objects at once. */
const MAX_READS = 16;

/**
 * Finds the blocks of a bucket.
 *
 * @param catalog - Of processes that share the bucket: its rows are the truth. undefined: the objects are.
 * @throws {@link ReceiverError} STORAGE_FORMAT when a block is of a newer format.
 */
export async function findBucketBlocks(
  blobs: Blobs,
  catalog: PostgresSession | undefined,
): Promise<BucketContent> {
  if (catalog !== undefined) return { blocks: await findCatalogBlocks(catalog), damaged: [] };
  const [whole, segments] = [await findWholeBlocks(blobs), await findSegments(blobs)];
  const deletions = await findDeletions(blobs);
  return {
    blocks: [...whole.blocks.map((block) => withDeletions(block, deletions)), ...segments.blocks],
    damaged: [...whole.damaged, ...segments.damaged],
  };
}

/** Whether a block that seemed damaged is part of answers still, and not gone by right meanwhile. */
export async function isInBucket(
  blobs: Blobs,
  catalog: PostgresSession | undefined,
  { meta: { id, tenant, level, minUnixNanos }, place }: BucketBlock,
): Promise<boolean> {
  if (catalog !== undefined) {
    const rows = await catalog.query("SELECT id FROM pyroscope_blocks WHERE id = $1 AND deleted_at IS NULL", [
      id,
    ]);
    return rows.length > 0;
  }
  const key = place?.segment ?? blockKey(blockPath(tenant, level, minUnixNanos, id), META_FILE);
  return (await blobs.list(key)).includes(key);
}

async function findCatalogBlocks(catalog: PostgresSession): Promise<readonly BucketBlock[]> {
  const rows = await catalog.query(
    `SELECT id, meta, segment, segment_offset, damage, hidden_services FROM pyroscope_blocks
 WHERE deleted_at IS NULL ORDER BY id`,
  );
  return rows.map((row) => ({
    ...parseBlockRow(row),
    hiddenServices: (row.hidden_services as readonly string[]).map(decodeText),
    damage: row.damage === null ? undefined : String(row.damage),
  }));
}

function withDeletions(block: BucketBlock, deletions: readonly Deletion[]): BucketBlock {
  const { id, tenant } = block.meta;
  const hidden = deletions.filter((deletion) => deletion.tenant === tenant && deletion.blocks.includes(id));
  return { ...block, hiddenServices: [...new Set(hidden.map(({ service }) => service))] };
}

/** Blocks whose files are an object each. */
async function findWholeBlocks(blobs: Blobs): Promise<BucketContent> {
  const keys = await blobs.list(BLOCK_KEYS);
  const paths = new Set(keys.map((key) => key.split("/").slice(1, 5).join("/")));
  const isBlock = (path: string): boolean => isBlockId(path.slice(path.lastIndexOf("/") + 1));
  const metaKeys = [...paths].filter(isBlock).map((path) => blockKey(path, META_FILE));
  return await findIn(metaKeys, async (key) => {
    const text = await blobs.read(key);
    const path = key.split("/").slice(1, 5).join("/");
    if (text === undefined) {
      // It is the first to go where a block is deleted; then the others go as well.
      if ((await blobs.list(blockKey(path, ""))).length === 0) return [];
      throw damaged("it is not there, and other files of its block are");
    }
    const meta = parseBlockMeta(text.toString("utf8"), META_FILE);
    const named = blockPath(meta.tenant, meta.level, meta.minUnixNanos, meta.id);
    if (named !== path) throw damaged(`it says that the block is ${named}`);
    return [{ meta, place: undefined }];
  });
}

/** Blocks of segments, as those say themselves. */
async function findSegments(blobs: Blobs): Promise<BucketContent> {
  return await findIn(await blobs.list(SEGMENT_KEYS), async (key) => {
    const bytes = await blobs.read(key);
    return bytes === undefined ? [] : readSegmentIndex(key, bytes);
  });
}

async function findIn(
  keys: readonly string[],
  read: (key: string) => Promise<readonly BlockRow[]>,
): Promise<BucketContent> {
  const blocks: BucketBlock[] = [];
  const damagedObjects: DamagedObject[] = [];
  await inTurns(keys, MAX_READS, async (key) => {
    try {
      blocks.push(...(await read(key)).map((row) => ({ ...row, hiddenServices: [] })));
    } catch (error) {
      if (!(error instanceof ReceiverError) || error.code !== "INTERNAL") throw error;
      damagedObjects.push({ key, reason: error.message });
    }
  });
  return { blocks, damaged: damagedObjects };
}

function damaged(reason: string): ReceiverError {
  return new ReceiverError(reason, { code: "INTERNAL" });
}
