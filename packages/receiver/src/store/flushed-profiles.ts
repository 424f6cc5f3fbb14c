import type { BlockMeta } from "./block-meta.ts";
import type { Database } from "./database.ts";
import type { TableName } from "./schema.ts";
import type { Snapshot } from "./snapshot.ts";
import { distinctSql, type TableParts, unionSql } from "./snapshot-sql.ts";

/** Profiles of one tenant that have become a block. */
export interface FlushedProfiles {
  readonly meta: Pick<BlockMeta, "id" | "tenant" | "minUnixNanos" | "maxUnixNanos">;
  /** What the block holds; good until whoever was given it has resolved. */
  readonly snapshot: Snapshot;
}

/** Looks at profiles when they become blocks: at each of them once. */
export interface FlushObserver {
  /** Looks at blocks that are committed by now. Never rejects: a flush does not depend on it. */
  flushed(parts: readonly FlushedProfiles[]): Promise<void>;
  /** Which of these blocks, of earlier runs, it has not looked at: the process ended in between. */
  findMissed(metas: readonly BlockMeta[]): Promise<readonly BlockMeta[]>;
}

/** A snapshot of the rows of one block, wherever they are. */
export function snapshotOfBlock(database: Database, partsOf: (table: TableName) => TableParts): Snapshot {
  return {
    database,
    from: (table) =>
      table === "samples" || table === "totals"
        ? unionSql(table, partsOf(table))
        : distinctSql(table, partsOf(table)),
    fromParts: (table) => unionSql(table, partsOf(table)),
    blockSizes: [],
    rowCounts: { samples: 0, totals: 0, series: 0, stacks: 0, frames: 0 },
    remote: undefined,
    missingBlocks: [],
    levels: ["raw"],
    version: undefined,
    release: () => undefined,
  };
}

/** The same without some profiles. */
export function withoutProfiles(snapshot: Snapshot, profiles: readonly string[]): Snapshot {
  if (profiles.length === 0) return snapshot;
  // UUIDs of ours: the text needs no parameters.
  const list = profiles.map((profile) => `'${profile}'`).join(", ");
  return {
    ...snapshot,
    from: (table) =>
      table === "samples" || table === "totals"
        ? `(SELECT * FROM ${snapshot.from(table)} WHERE profile NOT IN (${list}))`
        : snapshot.from(table),
  };
}
