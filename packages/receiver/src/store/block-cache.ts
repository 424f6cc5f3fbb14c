import { dirname, join } from "node:path";
import { ulid } from "ulid";
import type { BlobRange, Blobs } from "./blobs.ts";
import type { Block } from "./block.ts";
import { blockKey } from "./block-keys.ts";
import type { DataPaths } from "./filenames.ts";
import type { Fs } from "./fs.ts";
import { TABLE_NAMES, type TableName, tables } from "./schema.ts";

/** Where a file lies in the bucket. */
export interface BlobPlace {
  readonly key: string;
  /** undefined: the whole object. */
  readonly range?: BlobRange | undefined;
}

export interface BlockCacheOptions {
  readonly fs: Fs;
  readonly paths: DataPaths;
  readonly blobs: Blobs;
  /** Bytes of files of blocks on this machine above which those that were not used for longest are evicted. */
  readonly maxBytes: number;
  /** Whether the bucket has all files of the block, so that they may go from here. */
  readonly isShipped: (block: Block) => boolean;
  /** Where a file is that is no object of its own name. */
  readonly locate?: (block: Block, table: TableName) => BlobPlace;
  readonly log: (line: string) => void;
}

interface Entry {
  readonly block: Block;
  /** Whose files are on this machine. */
  readonly tables: Set<TableName>;
  /** Fetches and evictions of one block come one after the other. */
  work: Promise<unknown>;
}

/** Downloads at once. */
const MAX_DOWNLOADS = 8;
/** A download that arrives damaged is tried this often before the object itself is taken for damaged. */
const ATTEMPTS = 2;

/** The files of blocks that are on this machine, of those that are in the bucket. */
export class BlockCache {
  readonly #options: BlockCacheOptions;
  /** By path; the one used last at the end. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  #downloadCount = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: BlockCacheOptions) {
    this.#options = options;
  }

  /** Of the files of all blocks on this machine. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Looks which files of a block are there. */
  async note(block: Block): Promise<void> {
    const { fs } = this.#options;
    const entry = this.#entryOf(block);
    for (const directory of new Set(TABLE_NAMES.map((table) => dirname(block.file(table))))) {
      const names = new Set((await fs.list(directory)).map(({ name }) => join(directory, name)));
      for (const table of TABLE_NAMES) if (names.has(block.file(table))) this.#addTable(entry, table);
    }
  }

  touch(block: Block): void {
    const entry = this.#entries.get(block.path);
    if (entry === undefined) return;
    this.#entries.delete(block.path);
    this.#entries.set(block.path, entry);
  }

  /** Lets go of a block that is deleted. */
  forget(path: string): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    for (const table of entry.tables) this.#bytes -= bytesOf(entry.block, table);
    this.#entries.delete(path);
  }

  /** As {@link BlockBucket.fetch}. */
  async fetch(block: Block, table: TableName): Promise<string | undefined> {
    const entry = this.#entryOf(block);
    const fetched = entry.work.then(async () => {
      // Who asked at the same time has brought it.
      if (block.isVerified([table])) return undefined;
      return await this.#download(block, table);
    });
    entry.work = fetched.catch(() => undefined);
    const damage = await fetched;
    if (damage === undefined) {
      this.#addTable(entry, table);
      this.touch(block);
      // Whoever asked holds it: it can go when he is done.
      void block.unused().then(() => this.evict());
    }
    return damage;
  }

  /** Removes files of blocks that nobody reads, the longest unused first, until there is no more than there may be. */
  evict(): void {
    for (const entry of this.#entries.values()) {
      if (this.#bytes <= this.#options.maxBytes) return;
      const { block, tables: present } = entry;
      if (present.size === 0 || block.isInUse || !this.#options.isShipped(block)) continue;
      block.forget();
      const files = [...present].map((table) => block.file(table));
      for (const table of present) this.#bytes -= bytesOf(block, table);
      present.clear();
      entry.work = entry.work.then(() => this.#removeFiles(files));
    }
  }

  async #removeFiles(files: readonly string[]): Promise<void> {
    for (const file of files) {
      await this.#options.fs.remove(file).catch((error: unknown) => {
        this.#options.log(`cached ${file} stays: ${String(error)}`);
      });
    }
  }

  async #download(block: Block, table: TableName): Promise<string | undefined> {
    await this.#beginDownload();
    try {
      let damage: string | undefined;
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        damage = await this.#tryDownload(block, table);
        if (damage === undefined) break;
      }
      return damage;
    } finally {
      this.#endDownload();
    }
  }

  async #tryDownload(block: Block, table: TableName): Promise<string | undefined> {
    const { fs, paths, blobs } = this.#options;
    const { file } = tables[table];
    const { key, range } = this.#options.locate?.(block, table) ?? { key: blockKey(block.path, file) };
    const draft = join(paths.building, `${ulid()}.download`);
    try {
      if (!(await blobs.download(key, draft, range))) return `${file} is not in ${blobs.name}`;
      const { bytes, crc32 } = await fs.checksum(draft);
      const expected = block.meta.files.get(file)!;
      if (bytes !== expected.bytes || crc32 !== expected.crc32)
        return `the checksum of ${file} in ${blobs.name} does not hold`;
      const target = block.file(table);
      await fs.makeDirectory(dirname(target));
      await fs.rename(draft, target);
      block.accept(table);
      return undefined;
    } finally {
      await fs.remove(draft).catch(() => undefined);
    }
  }

  #entryOf(block: Block): Entry {
    const known = this.#entries.get(block.path);
    if (known?.block === block) return known;
    const entry: Entry = { block, tables: new Set(known?.tables), work: known?.work ?? Promise.resolve() };
    this.#entries.delete(block.path);
    this.#entries.set(block.path, entry);
    return entry;
  }

  #addTable({ block, tables: present }: Entry, table: TableName): void {
    // One that was deleted while its file came is not counted.
    if (present.has(table) || this.#entries.get(block.path)?.block !== block) return;
    present.add(table);
    this.#bytes += bytesOf(block, table);
  }

  async #beginDownload(): Promise<void> {
    if (this.#downloadCount < MAX_DOWNLOADS) this.#downloadCount++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #endDownload(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#downloadCount--;
    else next();
  }
}

function bytesOf(block: Block, table: TableName): number {
  return block.meta.files.get(tables[table].file)?.bytes ?? 0;
}
