import { dirname, join } from "node:path";
import type { Clock, Timer } from "../clock.ts";
import { ReceiverError } from "../errors.ts";
import type { Blobs } from "./blobs.ts";
import type { Block } from "./block.ts";
import type { BlockBucket } from "./block-bucket.ts";
import { BlockCache } from "./block-cache.ts";
import { BLOCK_KEYS, blockKey, blockKeys } from "./block-keys.ts";
import { type BlockMeta, blockBytes, parseBlockMeta } from "./block-meta.ts";
import { blockPath, type DataPaths, META_FILE, SHIPPED_FILE } from "./filenames.ts";
import { type Fs, hasErrorCode } from "./fs.ts";
import { listBlockPaths } from "./quarantine.ts";
import { TABLE_NAMES, type TableName, tables } from "./schema.ts";

export interface BlockShipperOptions {
  readonly fs: Fs;
  readonly clock: Clock;
  readonly paths: DataPaths;
  readonly blobs: Blobs;
  /** Bytes of blocks on this machine: beyond it shipped ones are evicted, and nothing is taken when that does not help. */
  readonly maxLocalBytes: number;
  readonly log: (line: string) => void;
}

interface Job {
  readonly kind: "upload" | "remove";
  /** {@link Block.path}. */
  readonly path: string;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
/** How long a store that closes waits for what is on its way. */
const CLOSE_TIMEOUT_MS = 10_000;
/** Reads of small objects at once. */
const MAX_READS = 16;

/**
 * Ships the blocks of a data directory to a bucket, and deletes there what is deleted here. The data directory stays
 * the truth and works without the bucket for as long as it has room.
 *
 * What is to be done is done in order: a block that replaces others is in the bucket before they leave it. All of it
 * is found again after a crash: a block that is shipped has a mark beside its `meta.json`, one that is deleted here and
 * not yet there has a file in {@link DataPaths.removals}.
 */
export class BlockShipper implements BlockBucket {
  readonly #options: BlockShipperOptions;
  readonly #cache: BlockCache;
  readonly #jobs: Job[] = [];
  readonly #shipped = new Set<string>();
  /** Bytes of blocks that are not in the bucket yet, by path. */
  readonly #unshipped = new Map<string, number>();
  #failure: string | undefined;
  #failedUploadCount = 0;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(options: BlockShipperOptions) {
    this.#options = options;
    const { fs, paths, blobs, maxLocalBytes, log } = options;
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
    return this.#failedUploadCount;
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
    return `${bytes} bytes of blocks wait for ${blobs.name}, limit ${maxLocalBytes}: ${this.#failure ?? "it is slow"}`;
  }

  /**
   * Finds what there is to do, and goes on with it. A data directory that never was in step with this bucket first
   * learns which blocks are there, so that an empty one answers like the one that was lost.
   *
   * @throws `ReceiverError` STORAGE_UNAVAILABLE when that bucket cannot be read.
   */
  async open(): Promise<void> {
    const { fs, paths, blobs } = this.#options;
    await fs.makeDirectory(paths.removals);
    const removals: string[] = [];
    for (const { name } of await fs.list(paths.removals)) {
      removals.push((await fs.readFile(join(paths.removals, name))).toString("utf8"));
    }
    this.#jobs.push(...removals.map((path): Job => ({ kind: "remove", path })));
    if ((await readText(fs, paths.bucket)) !== blobs.name) await this.#learn(new Set(removals));
    for (const path of await listBlockPaths(fs, paths.blocks)) await this.#enqueueUnlessShipped(path);
    this.#start();
  }

  async committed(meta: BlockMeta): Promise<void> {
    const path = blockPath(meta.tenant, meta.level, meta.minUnixNanos, meta.id);
    this.#unshipped.set(path, blockBytes(meta));
    this.#jobs.push({ kind: "upload", path });
    this.#start();
  }

  async discarding(path: string): Promise<void> {
    const { fs, paths } = this.#options;
    const mark = this.#removalMark(path);
    // Left behind by an attempt that failed after this.
    await fs.remove(mark);
    await fs.writeFile(mark, Buffer.from(path));
    await fs.syncDirectory(paths.removals);
    this.#cache.forget(path);
    this.#shipped.delete(path);
    this.#unshipped.delete(path);
    this.#jobs.push({ kind: "remove", path });
    this.#start();
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
    if (this.#failure === undefined) {
      let timer: Timer | undefined;
      const late = new Promise<void>((resolve) => {
        timer = this.#options.clock.setTimer(resolve, CLOSE_TIMEOUT_MS);
      });
      await Promise.race([this.#running, late]);
      timer?.cancel();
    }
    this.#isClosed = true;
    this.#wake();
    await this.#running;
    this.#options.blobs.close();
  }

  #start(): void {
    if (this.#isRunning || this.#isClosed) return;
    this.#isRunning = true;
    this.#running = this.#run().finally(() => {
      this.#isRunning = false;
    });
  }

  async #run(): Promise<void> {
    let delay = FIRST_RETRY_MS;
    for (let job = this.#jobs[0]; job !== undefined && !this.#isClosed; job = this.#jobs[0]) {
      this.#failure = await this.#try(job);
      if (this.#failure === undefined) {
        this.#jobs.shift();
        delay = FIRST_RETRY_MS;
      } else {
        await this.#wait(delay);
        delay = Math.min(2 * delay, LAST_RETRY_MS);
      }
    }
  }

  /** Returns why the job must be tried again, or undefined. */
  async #try({ kind, path }: Job): Promise<string | undefined> {
    try {
      await (kind === "upload" ? this.#upload(path) : this.#remove(path));
      return undefined;
    } catch (error) {
      if (kind === "upload") this.#failedUploadCount++;
      const reason = error instanceof Error ? error.message : String(error);
      // Once for each reason: a bucket that is away for a night is no news each time.
      if (reason !== this.#failure) this.#options.log(`${kind} of block ${path}: ${reason}`);
      // Trying again does not help against another object in the block's place.
      return error instanceof ReceiverError && error.code === "CONFLICT" ? undefined : reason;
    }
  }

  async #wait(delayMillis: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(resolve, delayMillis);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
      if (this.#isClosed) this.#wake();
    });
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
    await blobs.remove(blockKeys(path));
    await fs.remove(this.#removalMark(path));
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
    this.#jobs.push({ kind: "upload", path });
  }

  async #learn(removed: ReadonlySet<string>): Promise<void> {
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
