import type { Blobs } from "../blobs.ts";
import { BLOCK_KEYS, blockKeys } from "../block-keys.ts";
import { parseBlockMeta } from "../block-meta.ts";
import { blockPath, isBlockId } from "../filenames.ts";
import type { Postgres } from "./postgres.ts";
import { SEGMENT_KEYS } from "./segment-writer.ts";

/** Longest time that a query may read objects of blocks that were replaced after it began. */
const GRACE_MS = 15 * 60_000;
/** An object that no row names for this long, by the database's clock, was never committed: its writer died. */
const ORPHAN_MS = 6 * 3_600_000;
const MAX_ROWS = 1000;
/** A push whose answer was lost is not repeated for longer than this. */
const REPEAT_MS = 6 * 3_600_000;

/**
 * Deletes objects of blocks that are no part of answers any more, and those that never were.
 *
 * @returns how many objects went.
 */
export async function collectGarbage(postgres: Postgres, blobs: Blobs): Promise<number> {
  await postgres.query(
    "DELETE FROM pyroscope_recorded_profiles WHERE seen_at < now() - $1 * interval '1 millisecond'",
    [REPEAT_MS],
  );
  return (await removeDead(postgres, blobs)) + (await removeOrphans(postgres, blobs));
}

async function removeDead(postgres: Postgres, blobs: Blobs): Promise<number> {
  // A segment goes as a whole, once none of its blocks is needed.
  const rows = await postgres.query(
    `SELECT id, meta, segment FROM pyroscope_blocks AS dead
WHERE deleted_at < now() - $1 * interval '1 millisecond' AND (segment IS NULL OR NOT EXISTS (
  SELECT FROM pyroscope_blocks AS other WHERE other.segment = dead.segment
  AND (other.deleted_at IS NULL OR other.deleted_at >= now() - $1 * interval '1 millisecond')
)) ORDER BY deleted_at LIMIT ${MAX_ROWS}`,
    [GRACE_MS],
  );
  const keys = new Set<string>();
  for (const { id, meta, segment } of rows) {
    if (segment !== null) {
      keys.add(String(segment));
      continue;
    }
    const { tenant, level, minUnixNanos } = parseBlockMeta(String(meta), String(id));
    for (const key of blockKeys(blockPath(tenant, level, minUnixNanos, String(id)))) keys.add(key);
  }
  await blobs.remove([...keys]);
  // Only now: what could not be deleted is found again.
  await postgres.query("DELETE FROM pyroscope_blocks WHERE id = ANY($1)", [rows.map(({ id }) => String(id))]);
  return keys.size;
}

/**
 * Notes objects that no row names and deletes those that were noted long ago. What an object's name says of its age is the
 * clock of whoever wrote it, which may be hours off: nothing here asks it, nor the clock of this process.
 */
async function removeOrphans(postgres: Postgres, blobs: Blobs): Promise<number> {
  const strays = await listUnnamed(postgres, blobs);
  await postgres.query("DELETE FROM pyroscope_strays WHERE key <> ALL($1)", [strays]);
  await postgres.query(
    "INSERT INTO pyroscope_strays (key) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING",
    [strays],
  );
  const old = await postgres.query(
    "SELECT key FROM pyroscope_strays WHERE seen_at < now() - $1 * interval '1 millisecond'",
    [ORPHAN_MS],
  );
  const orphans = old.map(({ key }) => String(key));
  await blobs.remove(orphans);
  await postgres.query("DELETE FROM pyroscope_strays WHERE key = ANY($1)", [orphans]);
  return orphans.length;
}

/** Objects of segments and blocks, of ours by their names, that no row names. */
async function listUnnamed(postgres: Postgres, blobs: Blobs): Promise<readonly string[]> {
  const segments = (await blobs.list(SEGMENT_KEYS)).filter((key) =>
    isBlockId(key.slice(SEGMENT_KEYS.length)),
  );
  const blocks = (await blobs.list(BLOCK_KEYS)).filter((key) => isBlockId(blockIdOf(key)));
  // After the objects: what is committed meanwhile is named.
  const ids = await postgres.query("SELECT id FROM pyroscope_blocks WHERE id = ANY($1)", [
    [...new Set(blocks.map(blockIdOf))],
  ]);
  const named = await postgres.query(
    "SELECT DISTINCT segment FROM pyroscope_blocks WHERE segment = ANY($1)",
    [segments],
  );
  const known = new Set([...ids.map(({ id }) => String(id)), ...named.map(({ segment }) => String(segment))]);
  return [
    ...segments.filter((key) => !known.has(key)),
    ...blocks.filter((key) => !known.has(blockIdOf(key))),
  ];
}

function blockIdOf(key: string): string {
  return key.split("/")[4] ?? "";
}
