import { dirname, join } from "node:path";
import type { Clock } from "../clock.ts";
import type { BlockBucket } from "./block-bucket.ts";
import { type BlockMeta, formatBlockMeta } from "./block-meta.ts";
import { blockPath, createBlockId, type DataPaths, META_FILE } from "./filenames.ts";
import type { Fs } from "./fs.ts";
import { FORMAT_VERSION, TABLE_NAMES, tables } from "./schema.ts";
import type { UncertainBlocks } from "./uncertain-blocks.ts";

/** Where blocks are written. */
export interface BlockPlace {
  readonly fs: Fs;
  readonly clock: Clock;
  readonly paths: DataPaths;
  /** Where blocks are kept beyond this machine; undefined: nowhere. */
  readonly bucket?: BlockBucket | undefined;
  /** What earlier commits may have left; undefined: whoever writes here keeps nothing of it. */
  readonly uncertain?: UncertainBlocks | undefined;
}

/** What a new block is, and what it replaces or rolls up. */
export type BlockOrigin = Pick<
  BlockMeta,
  "tenant" | "level" | "mergeCount" | "segments" | "blocks" | "rolledUp"
> & {
  /** Absent: the block is flushed now. */
  readonly receivedUnixMillis?: number;
};

/** What its files hold. */
export type BlockContent = Pick<
  BlockMeta,
  "minUnixNanos" | "maxUnixNanos" | "rows" | "spanRows" | "types" | "services"
>;

/**
 * The disk failed behind the rename that commits a block, and did not take it back for certain: the block may be there, or be there
 * again after a crash.
 */
export class UncertainCommit extends Error {
  /** Of the disk. */
  readonly code: unknown;

  /**
   * @param error - of the commit.
   * @param options - with why it could not be taken back.
   */
  constructor(error: unknown, options: ErrorOptions) {
    super(`a block may be there or not: ${error instanceof Error ? error.message : String(error)}`, options);
    this.code = (error as { readonly code?: unknown } | undefined)?.code;
  }
}

/**
 * Writes a block: its files into a temporary directory, made durable, then `meta.json`, then one rename, which is the
 * commit. When it throws, there is no such block, unless it throws {@link UncertainCommit}. Nothing is written beside a
 * block of which that is not known.
 *
 * @param writeTables - Writes a file for each table into the directory.
 */
export async function commitBlock(
  { fs, clock, paths, bucket, uncertain }: BlockPlace,
  origin: BlockOrigin,
  writeTables: (directory: string) => Promise<BlockContent>,
): Promise<BlockMeta> {
  await uncertain?.settle();
  const id = createBlockId(clock.nowUnixMillis());
  const temporary = join(paths.building, id);
  // Set when the block may be there.
  let target: string | undefined;
  try {
    await fs.makeDirectory(join(temporary, "symdb"));
    const content = await writeTables(temporary);
    const files = await fs.adopt(
      temporary,
      TABLE_NAMES.map((table) => tables[table].file),
    );
    const createdUnixMillis = clock.nowUnixMillis();
    const receivedUnixMillis = origin.receivedUnixMillis ?? createdUnixMillis;
    const meta: BlockMeta = {
      ...{ version: FORMAT_VERSION, id, ...origin, createdUnixMillis, receivedUnixMillis },
      ...{ ...content, files },
    };
    const path = join(paths.blocks, blockPath(meta.tenant, meta.level, meta.minUnixNanos, id));
    await fs.writeFile(join(temporary, META_FILE), Buffer.from(formatBlockMeta(meta)));
    await fs.syncDirectory(temporary);
    await fs.makeDirectory(dirname(path));
    target = path;
    await fs.rename(temporary, target);
    await fs.syncDirectory(dirname(target));
    await bucket?.committed(meta);
    return meta;
  } catch (error) {
    await fs.remove(temporary).catch(() => undefined);
    if (target !== undefined) await takeBack({ fs, uncertain }, target, error);
    throw error;
  }
}

/** A rename that may not last is no commit, and the next attempt writes it all again. */
async function takeBack(
  { fs, uncertain }: Pick<BlockPlace, "fs" | "uncertain">,
  target: string,
  error: unknown,
): Promise<void> {
  try {
    await fs.remove(target);
    await fs.syncDirectory(dirname(target));
  } catch (cause) {
    uncertain?.add(target);
    throw new UncertainCommit(error, { cause });
  }
}
