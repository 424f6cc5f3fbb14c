import { dirname, join } from "node:path";
import type { Clock } from "../clock.ts";
import { ReceiverError } from "../errors.ts";
import type { Blobs } from "./blobs.ts";
import type { Block } from "./block.ts";
import type { BlockBucket } from "./block-bucket.ts";
import { BlockCache } from "./block-cache.ts";
import { BLOCK_KEYS, blockKey, blockKeys } from "./block-keys.ts";
import { type BlockMeta, blockBytes, parseBlockMeta } from "./block-meta.ts";
import { DELETION_KEYS, type Deletion, deletionKey, findDeletions, formatDeletions } from "./deletion.ts";
import type { DeletionBucket, Deletions } from "./deletions.ts";
import { blockPath, createBlockId, type DataPaths, META_FILE, SHIPPED_FILE } from "./filenames.ts";
import { type Fs, hasErrorCode } from "./fs.ts";
import { listBlockPaths } from "./quarantine.ts";
import { TABLE_NAMES, type TableName, tables } from "./schema.ts";
import { ShipQueue } from "./ship-queue.ts";

export interface BlockShipperOptions {
  readonly fs: Fs;
  readonly clock: Clock;
  readonly paths: DataPaths;
  readonly blobs: Blobs;
  /** Bytes of blocks on this machine: beyond it shipped ones are evicted, and nothing is taken when that does not help. */
  readonly maxLocalBytes: number;
  readonly log: (line: string) => void;
}

/** Reads of small objects at once. */
const MAX_READS = 16;

/**
 * Ships the blocks of a data directory to a bucket, and which applications are deleted from them, and deletes there what
 * is deleted here. The data directory stays the truth and works without the bucket for as long as it has room.
 *
 * What is to be done is done in order: a block that replaces others is in the bucket before they leave it, and a deletion
 * is forgotten there after them. All of it is found again after a crash: a block that is shipped has a mark beside its
 * `meta.json`, what is gone here and not yet there has a file in {@link DataPaths.removals}.
 */
export class BlockShipper implements BlockBucket, DeletionBucket {
  readonly #options: BlockShipperOptions;
  readonly #cache: BlockCache;
  readonly #queue: ShipQueue;
  readonly #shipped = new Set<string>();
  /** Bytes of blocks that are not in the bucket yet, by path. */
  readonly #unshipped = new Map<string, number>();

  constructor(options: BlockShipperOptions) {
    this.#options = options;
    const { fs, clock, paths, blobs, maxLocalBytes, log } = options;
    this.#queue = new ShipQueue({ clock, log });
    this.#cache = new BlockCache({
      ...{ fs, paths, blobs, log },
      maxBytes: maxLocalBytes,
      isShipped: ({ path }) => this.#shipped.has(path),
    });
  }

  get unshippedBlockCount(): number {
    return this.#unshipped.size;
  }

  /** Uploads that failed since the start. */
  get failedUploadCount(): number {
    return this.#queue.failedUploadCount;
  }

  /** Bytes of blocks on this machine. */
  get localBytes(): number {
    return this.#cache.bytes;
  }

  /** Why nothing more may be written to the data directory, or undefined. */
  get refusal(): string | undefined {
    let bytes = 0;
    for (const more of this.#unshipped.values()) bytes += more;
    const { maxLocalBytes, blobs } = this.#options;
    if (bytes <= maxLocalBytes) return undefined;
    return `${bytes} bytes of blocks wait for ${blobs.name}, limit ${maxLocalBytes}: ${this.#queue.failure ?? "it is slow"}`;
  }

  /**
   * Finds what there is to do, and goes on with it. A data directory that never was in step with this bucket first
   * learns which blocks are there, so that an empty one answers like the one that was lost.
   *
   * @param deletions - Those that this machine knows; it learns others with the blocks.
   * @throws `ReceiverError` STORAGE_UNAVAILABLE when that bucket cannot be read.
   */
  async open(deletions: Pick<Deletions, "pending" | "adopt">): Promise<void> {
    const { fs, paths, blobs } = this.#options;
    await fs.makeDirectory(paths.removals);
    const removals: string[] = [];
    for (const { name } of await fs.list(paths.removals)) {
      removals.push((await fs.readFile(join(paths.removals, name))).toString("utf8"));
    }
    if ((await readText(fs, paths.bucket)) !== blobs.name) await this.#learn(new Set(removals), deletions);
    for (const path of removals) this.#enqueueRemoval(path);
    // The same object again where it is there already.
    for (const deletion of deletions.pending) this.#enqueueDeletion(deletion);
    for (const path of await listBlockPaths(fs, paths.blocks)) await this.#enqueueUnlessShipped(path);
  }

  async committed(meta: BlockMeta): Promise<void> {
    const path = blockPath(meta.tenant, meta.level, meta.minUnixNanos, meta.id);
    this.#unshipped.set(path, blockBytes(meta));
    this.#enqueueBlock(path);
  }

  async discarding(path: string): Promise<void> {
    await this.#markRemoval(path);
    this.#cache.forget(path);
    this.#shipped.delete(path);
    this.#unshipped.delete(path);
    this.#enqueueRemoval(path);
  }

  async addDeletion(deletion: Deletion): Promise<void> {
    try {
      await this.#uploadDeletion(deletion);
    } catch {
      // What fails again says so.
      this.#enqueueDeletion(deletion);
    }
  }

  async settleDeletion(deletion: Deletion): Promise<void> {
    const key = deletionKey(deletion);
    await this.#markRemoval(key);
    this.#enqueueRemoval(key);
  }

  async note(block: Block): Promise<void> {
    await this.#cache.note(block);
    this.#cache.evict();
  }

  touch(block: Block): void {
    this.#cache.touch(block);
  }

  async fetch(block: Block, table: TableName): Promise<string | undefined> {
    if (!this.#shipped.has(block.path))
      return `${tables[table].file} is not in ${this.#options.blobs.name} yet`;
    return await this.#cache.fetch(block, table);
  }

  /** Ships what is left, for a while; the next start does the rest. */
  async close(): Promise<void> {
    await this.#queue.close();
    this.#options.blobs.close();
  }

  #enqueueBlock(path: string): void {
    this.#queue.add({ kind: "upload", what: `block ${path}`, run: () => this.#upload(path) });
  }

  #enqueueDeletion(deletion: Deletion): void {
    const what = deletionKey(deletion);
    this.#queue.add({ kind: "upload", what, run: () => this.#uploadDeletion(deletion) });
  }

  /** @param path - Of a block, or the key of a deletion. */
  #enqueueRemoval(path: string): void {
    const what = isDeletionKey(path) ? path : `block ${path}`;
    this.#queue.add({ kind: "remove", what, run: () => this.#remove(path) });
  }

  async #uploadDeletion(deletion: Deletion): Promise<void> {
    const { fs, clock, paths, blobs } = this.#options;
    const draft = join(paths.building, `${createBlockId(clock.nowUnixMillis())}.json`);
    const key = deletionKey(deletion);
    await fs.writeFile(draft, formatDeletions([deletion]));
    try {
      await blobs.upload(draft, key).catch(async (error: unknown) => {
        if (!(error instanceof ReceiverError) || error.code !== "CONFLICT") throw error;
        // The key is made of the content: what is there is damaged, and would keep an empty disk from learning.
        await blobs.remove([key]);
        await blobs.upload(draft, key);
      });
    } finally {
      await fs.remove(draft).catch(() => undefined);
    }
  }

  async #upload(path: string): Promise<void> {
    const { paths, blobs } = this.#options;
    const directory = join(paths.blocks, path);
    const send = (file: string): Promise<void> => blobs.upload(join(directory, file), blockKey(path, file));
    try {
      const sent = await Promise.allSettled(TABLE_NAMES.map((table) => send(tables[table].file)));
      for (const result of sent) if (result.status === "rejected") throw result.reason;
      // The commit, there as here.
      await send(META_FILE);
      await this.#markShipped(directory);
    } catch (error) {
      // Merged, deleted or set aside meanwhile: whatever of it arrived is deleted there, too, if it is deleted here.
      if (await this.#isThere(path)) throw error;
      this.#unshipped.delete(path);
      return;
    }
    if (!this.#unshipped.delete(path)) return;
    this.#shipped.add(path);
    this.#cache.evict();
  }

  async #markShipped(directory: string): Promise<void> {
    const { fs } = this.#options;
    await fs.remove(join(directory, SHIPPED_FILE));
    await fs.writeFile(join(directory, SHIPPED_FILE), Buffer.alloc(0));
    await fs.syncDirectory(directory);
  }

  async #remove(path: string): Promise<void> {
    const { fs, blobs } = this.#options;
    await blobs.remove(isDeletionKey(path) ? [path] : blockKeys(path));
    await fs.remove(this.#removalMark(path));
  }

  async #markRemoval(path: string): Promise<void> {
    const { fs, paths } = this.#options;
    const mark = this.#removalMark(path);
    // Left behind by an attempt that failed after this.
    await fs.remove(mark);
    await fs.writeFile(mark, Buffer.from(path));
    await fs.syncDirectory(paths.removals);
  }

  async #enqueueUnlessShipped(path: string): Promise<void> {
    const { fs, paths } = this.#options;
    const directory = join(paths.blocks, path);
    if ((await fs.list(directory)).some(({ name }) => name === SHIPPED_FILE)) {
      this.#shipped.add(path);
      return;
    }
    const text = await readText(fs, join(directory, META_FILE));
    // What is wrong with one that has none is the catalog's to say.
    if (text === undefined) return;
    this.#unshipped.set(path, bytesOf(text, path));
    this.#enqueueBlock(path);
  }

  async #learn(removed: ReadonlySet<string>, deletions: Pick<Deletions, "adopt">): Promise<void> {
    const { fs, paths, blobs, log } = this.#options;
    const suffix = `/${META_FILE}`;
    const there = (await blobs.list(BLOCK_KEYS))
      .filter((key) => key.endsWith(suffix))
      .map((key) => key.slice(BLOCK_KEYS.length, -suffix.length));
    const here = new Set(await listBlockPaths(fs, paths.blocks));
    const inBucket = new Set(there);
    for (const path of here) {
      if (!inBucket.has(path)) await fs.remove(join(paths.blocks, path, SHIPPED_FILE));
    }
    const aside = new Set(await listBlockPaths(fs, join(paths.quarantine, "blocks")));
    const unknown = there.filter((path) => !here.has(path) && !removed.has(path) && !aside.has(path));
    for (let from = 0; from < unknown.length; from += MAX_READS) {
      await Promise.all(unknown.slice(from, from + MAX_READS).map((path) => this.#learnBlock(path)));
    }
    const known = await findDeletions(blobs);
    await deletions.adopt(known.filter((deletion) => !removed.has(deletionKey(deletion))));
    await fs.remove(paths.bucket);
    await fs.writeFile(paths.bucket, Buffer.from(blobs.name));
    await fs.syncDirectory(paths.root);
    log(`${blobs.name} has ${there.length} blocks, ${unknown.length} of them new here`);
  }

  async #learnBlock(path: string): Promise<void> {
    const { fs, paths, blobs } = this.#options;
    const bytes = await blobs.read(blockKey(path, META_FILE));
    if (bytes === undefined) return;
    const draft = join(paths.building, path.slice(path.lastIndexOf("/") + 1));
    const target = join(paths.blocks, path);
    await fs.makeDirectory(draft);
    await fs.writeFile(join(draft, META_FILE), bytes);
    await this.#markShipped(draft);
    await fs.makeDirectory(dirname(target));
    await fs.rename(draft, target);
    await fs.syncDirectory(dirname(target));
  }

  async #isThere(path: string): Promise<boolean> {
    const { fs, paths } = this.#options;
    const siblings = await fs.list(dirname(join(paths.blocks, path)));
    return siblings.some(({ name }) => path.endsWith(`/${name}`));
  }

  #removalMark(path: string): string {
    return join(this.#options.paths.removals, path.slice(path.lastIndexOf("/") + 1));
  }
}

/** The path of a block has four parts. */
function isDeletionKey(path: string): boolean {
  return path.startsWith(DELETION_KEYS) && path.split("/").length === 2;
}

async function readText(fs: Fs, path: string): Promise<string | undefined> {
  try {
    return (await fs.readFile(path)).toString("utf8");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function bytesOf(meta: string, path: string): number {
  try {
    return blockBytes(parseBlockMeta(meta, path));
  } catch {
    return 0;
  }
}
