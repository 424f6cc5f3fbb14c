import { join } from "node:path";
import type { Clock, Timer } from "../clock.ts";
import { ReceiverError } from "../errors.ts";
import type { ProfileIdentity } from "./admission.ts";
import { writeBlock } from "./block-writer.ts";
import type { Catalog } from "./catalog.ts";
import type { Duckdb } from "./duckdb.ts";
import type { DataPaths } from "./filenames.ts";
import { type FlushObserver, snapshotOfBlock } from "./flushed-profiles.ts";
import type { Fs } from "./fs.ts";
import { HeadGeneration } from "./head-generation.ts";
import { HeadSlot } from "./head-slot.ts";
import type { KnownIdentities } from "./known-identities.ts";
import type { ProfileRows } from "./profile-rows.ts";
import type { FlushLimits } from "./store-options.ts";
import type { WalRecord } from "./wal-frame.ts";
import { WalWriter } from "./wal-writer.ts";

export interface HeadOptions {
  readonly database: Duckdb;
  readonly fs: Fs;
  readonly clock: Clock;
  readonly paths: DataPaths;
  readonly catalog: Catalog;
  readonly known: KnownIdentities;
  readonly limits: FlushLimits;
  /** Called when blocks were written. */
  readonly onFlushed: () => Promise<unknown>;
  readonly observer: FlushObserver | undefined;
  readonly log: (line: string) => void;
}

/**
 * Recent profiles, in memory and in the log, until they are blocks.
 *
 * Appends go to the current slot. A flush makes a new slot current and writes the old one out; queries see both, and
 * of each tenant either the old slot's rows or the block made of them.
 */
export class Head {
  readonly #options: HeadOptions;
  #current: HeadSlot;
  /** Slots on their way to blocks, oldest first. */
  readonly #frozen: HeadSlot[] = [];
  #slotCount = 1;
  #flushing: Promise<void> = Promise.resolve();
  #queuedFlush: Promise<void> | undefined;
  /** A flush runs that has not made its new slot yet. */
  #isFreezing = false;
  #timer: Timer | undefined;
  #failure: string | undefined;
  #failedFlushCount = 0;
  readonly #dropping = new Set<Promise<void>>();
  #isClosed = false;

  private constructor(options: HeadOptions, current: HeadSlot) {
    this.#options = options;
    this.#current = current;
  }

  static async create(options: HeadOptions): Promise<Head> {
    return new Head(options, await createSlot(options, 0));
  }

  /** All slots, the current one last. */
  get slots(): readonly HeadSlot[] {
    return [...this.#frozen, this.#current];
  }

  /** Why appends are refused now, or undefined. */
  get refusal(): string | undefined {
    if (this.#failure !== undefined) return this.#failure;
    const bytes = this.slots.reduce((sum, { generation }) => sum + generation.bytes, 0);
    const { maxHeadBytes } = this.#options.limits;
    return bytes > maxHeadBytes
      ? `the head holds ${bytes} bytes that are not flushed yet, limit ${maxHeadBytes}`
      : undefined;
  }

  /** Whether the head holds a profile; then it is durable as well. */
  has(tenant: string, identity: ProfileIdentity): boolean {
    return this.slots.some(({ generation }) => generation.tenants.get(tenant)?.identities.has(identity));
  }

  /**
   * Makes a record durable and adds its rows.
   *
   * @throws {@link ReceiverError} STORAGE_UNAVAILABLE when the disk does not take it.
   */
  async append(record: WalRecord, rows: readonly ProfileRows[]): Promise<void> {
    const slot = this.#current;
    await slot.whilePending(async () => {
      await slot.wal.append(record);
      this.#insert(slot, record.tenant, rows);
    });
    this.#flushWhenDue();
  }

  /** Adds rows of a log record of an earlier run. */
  replay(tenant: string, rows: readonly ProfileRows[]): void {
    this.#insert(this.#current, tenant, rows);
  }

  /** Lets the current slot's blocks replace a segment of an earlier run, and flushes when that was a lot. */
  async endReplayedSegment(segment: string): Promise<void> {
    this.#current.replayedSegments.push(segment);
    if (this.#isDue()) await this.flush();
    else this.#timer ??= this.#setTimer(this.#options.limits.flushIntervalMillis);
  }

  /** Whether the current slot has as much as a block should. */
  #isDue(): boolean {
    const { generation, wal } = this.#current;
    const { maxSampleCount, maxHeadBytes, maxWalBytes } = this.#options.limits;
    return (
      generation.sampleCount >= maxSampleCount ||
      generation.bytes >= maxHeadBytes / 3 ||
      wal.bytes >= maxWalBytes
    );
  }

  /**
   * Writes everything appended so far to blocks and drops its log.
   *
   * @throws {@link ReceiverError} STORAGE_UNAVAILABLE when the disk does not take it: the rows stay, and it is tried again.
   */
  flush(): Promise<void> {
    // One that runs has frozen its rows already; whoever asks now shares the one after it.
    this.#queuedFlush ??= this.#flushing.then(() => {
      this.#queuedFlush = undefined;
      const run = this.#flushAll();
      this.#flushing = run.catch(() => {
        this.#failedFlushCount++;
      });
      return run;
    });
    return this.#queuedFlush;
  }

  /** Flushes that failed since the start. */
  get failedFlushCount(): number {
    return this.#failedFlushCount;
  }

  /** Waits for what runs in the background and leaves the log as it is. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#flushing;
    this.#isClosed = true;
    for (const slot of this.slots) {
      await slot.wal.close().catch((error: unknown) => this.#options.log(`close the log: ${String(error)}`));
    }
    await Promise.all(this.#dropping);
  }

  #insert(slot: HeadSlot, tenant: string, rows: readonly ProfileRows[]): void {
    try {
      for (const profile of rows) slot.generation.insert(tenant, profile);
    } catch (cause) {
      // Part of a profile may be in the tables. The log has all of it: a start with an empty head is right again.
      this.#failure = `the head is broken until the next start: ${String(cause)}`;
      throw new ReceiverError(this.#failure, { code: "STORAGE_UNAVAILABLE", cause });
    }
  }

  #flushWhenDue(): void {
    const isOnItsWay = this.#isFreezing || this.#frozen.length > 0;
    if (this.#isDue() && !isOnItsWay) this.#flushInBackground();
    else this.#timer ??= this.#setTimer(this.#options.limits.flushIntervalMillis);
  }

  #setTimer(delayMillis: number): Timer {
    return this.#options.clock.setTimer(() => this.#flushInBackground(), delayMillis);
  }

  #flushInBackground(): void {
    this.flush().catch((error: unknown) => this.#options.log(`flush: ${String(error)}; it is tried again`));
  }

  async #flushAll(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#failure !== undefined) throw new ReceiverError(this.#failure, { code: "STORAGE_UNAVAILABLE" });
    try {
      if (!this.#current.isEmpty) await this.#freeze();
      for (let slot = this.#frozen[0]; slot !== undefined; slot = this.#frozen[0]) {
        await this.#writeOut(slot);
        this.#frozen.shift();
      }
    } catch (error) {
      this.#timer ??= this.#setTimer(this.#options.limits.retryMillis);
      throw error;
    }
  }

  /** Makes a new slot current. What comes until it is there goes with the old one. */
  async #freeze(): Promise<void> {
    this.#isFreezing = true;
    try {
      const next = await createSlot(this.#options, this.#slotCount++);
      this.#frozen.push(this.#current);
      this.#current = next;
    } finally {
      this.#isFreezing = false;
    }
  }

  async #writeOut(slot: HeadSlot): Promise<void> {
    const { catalog, database, known, observer } = this.#options;
    await slot.drained();
    slot.generation.publish();
    for (const tenant of slot.generation.tenants.values()) {
      if (slot.flushedTenants.has(tenant.name)) continue;
      const meta = await writeBlock(this.#options, slot.generation, tenant, slot.segments);
      // In one step for queries: the block's rows come, the slot's go.
      const noted = catalog.add(meta);
      slot.flushedTenants.add(tenant.name);
      known.add(meta.id, tenant.identities);
      await noted;
      const { prefix, totalCount } = slot.generation;
      const selection = { prefix, totalCount, tenants: [tenant.number] };
      const snapshot = snapshotOfBlock(database, () => ({ heads: [selection], files: [] }));
      await observer?.flushed([{ meta, snapshot }]);
    }
    await slot.wal.close();
    await this.#dropSegments(slot.segments);
    this.#dropTables(slot);
    await this.#options.onFlushed();
  }

  /** Deletes segments that blocks have replaced. One that stays is skipped at the next start and deleted then. */
  async #dropSegments(segments: readonly string[]): Promise<void> {
    const { fs, paths, log } = this.#options;
    for (const segment of segments) {
      await fs.remove(join(paths.wal, segment)).catch((error: unknown) => {
        log(`log segment ${segment} stays: ${String(error)}`);
      });
    }
  }

  #dropTables(slot: HeadSlot): void {
    void slot.unused().then(async () => {
      // A query that outlives the store must not keep it open; its tables go with the process.
      if (this.#isClosed) return;
      const dropping = slot.generation.drop().catch((error: unknown) => {
        this.#options.log(`drop ${slot.generation.prefix}: ${String(error)}`);
      });
      this.#dropping.add(dropping);
      await dropping;
      this.#dropping.delete(dropping);
    });
  }
}

async function createSlot(options: HeadOptions, number: number): Promise<HeadSlot> {
  const { database, fs, clock, paths } = options;
  const generation = await HeadGeneration.create(database, number);
  return new HeadSlot(generation, new WalWriter({ fs, clock, directory: paths.wal }));
}
