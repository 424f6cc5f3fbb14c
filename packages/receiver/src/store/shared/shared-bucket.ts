import { join } from "node:path";
import type { Blobs } from "../blobs.ts";
import type { Block } from "../block.ts";
import type { BlockBucket } from "../block-bucket.ts";
import { type BlobPlace, BlockCache } from "../block-cache.ts";
import { blockKey, blockKeys } from "../block-keys.ts";
import type { BlockMeta } from "../block-meta.ts";
import { discardBlock } from "../discard-block.ts";
import { blockPath, type DataPaths, META_FILE } from "../filenames.ts";
import type { Fs } from "../fs.ts";
import { TABLE_NAMES, type TableName, tables } from "../schema.ts";
import type { SegmentPlace } from "./block-row.ts";

export interface SharedBucketOptions {
  readonly fs: Fs;
  /** Of the cache. */
  readonly paths: DataPaths;
  readonly blobs: Blobs;
  readonly maxLocalBytes: number;
  readonly log: (line: string) => void;
}

/** The bucket that several processes share. It has every block that the catalog has; files on this machine are a cache. */
export class SharedBucket implements BlockBucket {
  readonly #options: SharedBucketOptions;
  readonly #cache: BlockCache;
  /** Of blocks that lie in segments, by id. */
  readonly #places = new Map<string, SegmentPlace>();

  constructor(options: SharedBucketOptions) {
    this.#options = options;
    const { fs, paths, blobs, maxLocalBytes, log } = options;
    this.#cache = new BlockCache({
      ...{ fs, paths, blobs, log },
      maxBytes: maxLocalBytes,
      isShipped: () => true,
      locate: (block, table) => this.#locate(block, table),
    });
  }

  /** Tells where a block lies that is in a segment. */
  place(id: string, place: SegmentPlace): void {
    this.#places.set(id, place);
  }

  /** Whether each file of a block is an object of its own. */
  isWhole({ meta }: Block): boolean {
    return !this.#places.has(meta.id);
  }

  /** A block is whole in the bucket before the catalog names it. */
  async committed(meta: BlockMeta): Promise<void> {
    const { paths, blobs } = this.#options;
    const path = blockPath(meta.tenant, meta.level, meta.minUnixNanos, meta.id);
    const send = (file: string): Promise<void> =>
      blobs.upload(join(paths.blocks, path, file), blockKey(path, file));
    const sent = await Promise.allSettled(TABLE_NAMES.map((table) => send(tables[table].file)));
    for (const result of sent) if (result.status === "rejected") throw result.reason;
    await send(META_FILE);
  }

  /** From here only: others may read it still. */
  async discarding(path: string): Promise<void> {
    this.#cache.forget(path);
    this.#places.delete(path.slice(path.lastIndexOf("/") + 1));
  }

  /** Takes a block back that the catalog did not take. */
  async withdraw({ tenant, level, minUnixNanos, id }: BlockMeta): Promise<void> {
    const path = blockPath(tenant, level, minUnixNanos, id);
    await discardBlock({ ...this.#options, bucket: this }, path);
    await this.#options.blobs.remove(blockKeys(path));
  }

  async note(block: Block): Promise<void> {
    await this.#cache.note(block);
    this.#cache.evict();
  }

  touch(block: Block): void {
    this.#cache.touch(block);
  }

  async fetch(block: Block, table: TableName): Promise<string | undefined> {
    return await this.#cache.fetch(block, table);
  }

  #locate({ meta, path }: Block, table: TableName): BlobPlace {
    const place = this.#places.get(meta.id);
    if (place === undefined) return { key: blockKey(path, tables[table].file) };
    const bytesOf = (name: TableName): number => meta.files.get(tables[name].file)?.bytes ?? 0;
    const before = TABLE_NAMES.slice(0, TABLE_NAMES.indexOf(table));
    const from = before.reduce((sum, name) => sum + bytesOf(name), place.offset);
    return { key: place.segment, range: { from, bytes: bytesOf(table) } };
  }
}
