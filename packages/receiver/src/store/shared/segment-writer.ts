import { join } from "node:path";
import type { Timer } from "../../clock.ts";
import { ReceiverError } from "../../errors.ts";
import type { Admission } from "../admission.ts";
import type { Blobs } from "../blobs.ts";
import { Block } from "../block.ts";
import { type BlockMeta, blockBytes, formatBlockMeta } from "../block-meta.ts";
import { writeBlock } from "../block-writer.ts";
import type { BlockPlace } from "../commit-block.ts";
import { discardBlock } from "../discard-block.ts";
import type { Duckdb } from "../duckdb.ts";
import { createBlockId } from "../filenames.ts";
import { type FlushObserver, snapshotOfBlock } from "../flushed-profiles.ts";
import { HeadGeneration } from "../head-generation.ts";
import type { ProfileRows } from "../profile-rows.ts";
import { TABLE_NAMES } from "../schema.ts";
import type { BlockRow } from "./block-row.ts";

/** Before the keys of all segments. */
export const SEGMENT_KEYS = "segments/";

export interface SegmentWriterOptions extends BlockPlace {
  readonly database: Duckdb;
  readonly blobs: Blobs;
  /** Makes blocks of a segment that is whole in the bucket part of all answers, in one step. */
  readonly commit: (rows: readonly BlockRow[]) => Promise<void>;
  /** Called with blocks that were committed: their files are on this machine still. */
  readonly settle: (metas: readonly BlockMeta[]) => Promise<void>;
  readonly observer: FlushObserver | undefined;
  readonly log: (line: string) => void;
}

/** Longest time that a profile waits for others to share its segment. */
const INTERVAL_MS = 1000;
const MAX_RECORD_BYTES = 4 * 1024 * 1024;
/** Segments on their way at once; when there are more, bucket or catalog are too slow. */
const MAX_PENDING = 3;
/** After a failure this long nothing is promised: others may do better. */
const DOUBT_MS = 5000;
/** Ends a segment, after the length of its list of blocks. */
export const END_MARK = "PYRSEG\x01\n";

/** Profiles that will be one segment. */
interface Batch {
  readonly generation: HeadGeneration;
  recordBytes: number;
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  timer: Timer | undefined;
}

/**
 * Gathers profiles of all tenants for about a second, writes a block for each tenant, and puts them into the bucket as one
 * object: the segment. What the catalog names then is durable and in every answer, and only then an append resolves.
 * Nothing of it lies on this machine: a process that dies loses what was not acknowledged.
 */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  /** The batch that appends go to; undefined: the next one begins it. */
  #current: Promise<Batch> | undefined;
  readonly #pending = new Set<Promise<void>>();
  #batchCount = 0;
  #failedAtMillis: number | undefined;
  #isClosed = false;
  /** Segments that bucket or catalog did not take, since the start. */
  failedSegmentCount = 0;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
  }

  /** Profiles and their bytes that wait for their segment. */
  get pendingSegmentCount(): number {
    return this.#pending.size;
  }

  /** Whether the last segment was taken, or failed so long ago that it is worth a try. */
  get takesWrites(): boolean {
    if (this.#isClosed || this.#pending.size > MAX_PENDING) return false;
    const now = this.#options.clock.monotonicMillis();
    return this.#failedAtMillis === undefined || now - this.#failedAtMillis > DOUBT_MS;
  }

  /** @throws `ReceiverError` STORAGE_UNAVAILABLE when bucket or catalog do not take it: nothing is acknowledged. */
  async append(
    { tenant, record, profiles }: Admission,
    rowsOf: (profile: Admission["profiles"][number]) => ProfileRows,
  ): Promise<void> {
    if (this.#isClosed) throw new ReceiverError("the store is closed", { code: "UNAVAILABLE" });
    if (this.#pending.size > MAX_PENDING) {
      throw new ReceiverError(
        `${this.#pending.size} segments are on their way, limit ${MAX_PENDING}: ${this.#options.blobs.name} or the catalog is slow`,
        { code: "STORAGE_UNAVAILABLE" },
      );
    }
    this.#current ??= this.#begin();
    const current = this.#current;
    const batch = await current;
    // It left while this waited for it.
    if (this.#current !== current) return await this.append({ tenant, record, profiles }, rowsOf);
    const identities = batch.generation.tenants.get(tenant)?.identities;
    const seen = new Set<string>();
    const fresh = profiles.filter(({ identity }) => {
      const key = `${identity.hi} ${identity.lo}`;
      const isFresh = !seen.has(key) && identities?.has(identity) !== true;
      seen.add(key);
      return isFresh;
    });
    // All or none: what cannot be counted is refused before anything of it is in the segment.
    const rows = fresh.map(rowsOf);
    try {
      for (const profile of rows) batch.generation.insert(tenant, profile);
      batch.recordBytes += record.length;
      if (batch.recordBytes >= MAX_RECORD_BYTES) this.#send(batch);
    } catch (cause) {
      // Part of a profile may be in the tables, and under its identity the whole one would never count: nothing of them is sent.
      this.#end(batch, async () => {
        await this.#drop(batch);
        throw cause;
      });
    }
    await batch.done;
  }

  /** Sends what has gathered; resolves when all that was appended so far is settled. */
  async flush(): Promise<void> {
    const batch = await this.#current?.catch(() => undefined);
    if (batch !== undefined) this.#send(batch);
    await Promise.all(this.#pending);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
  }

  async #begin(): Promise<Batch> {
    const { database, clock } = this.#options;
    try {
      const generation = await HeadGeneration.create(database, this.#batchCount++);
      let resolve: () => void = () => undefined;
      let reject: (error: unknown) => void = () => undefined;
      const done = new Promise<void>((onResolve, onReject) => {
        resolve = onResolve;
        reject = onReject;
      });
      // Whoever appended hears of it.
      done.catch(() => undefined);
      const batch: Batch = { generation, recordBytes: 0, done, resolve, reject, timer: undefined };
      batch.timer = clock.setTimer(() => this.#send(batch), INTERVAL_MS);
      return batch;
    } catch (error) {
      this.#current = undefined;
      throw toUnavailable(error);
    }
  }

  #send(batch: Batch): void {
    this.#end(batch, () => this.#write(batch));
  }

  /** Lets nothing more into a batch, and tells all that wait for it what came of it. */
  #end(batch: Batch, act: () => Promise<void>): void {
    if (batch.timer === undefined) return;
    batch.timer.cancel();
    batch.timer = undefined;
    this.#current = undefined;
    const sending = act().then(
      () => {
        this.#failedAtMillis = undefined;
        batch.resolve();
      },
      (error: unknown) => {
        if (this.#failedAtMillis === undefined) this.#options.log(`segment: ${String(error)}`);
        this.failedSegmentCount++;
        this.#failedAtMillis = this.#options.clock.monotonicMillis();
        batch.reject(toUnavailable(error));
      },
    );
    this.#pending.add(sending);
    void sending.then(() => this.#pending.delete(sending));
  }

  async #drop({ generation }: Batch): Promise<void> {
    await generation
      .drop()
      .catch((error: unknown) => this.#options.log(`drop ${generation.prefix}: ${String(error)}`));
  }

  async #write(batch: Batch): Promise<void> {
    const { generation, resolve } = batch;
    const { blobs, clock, database, fs, observer, paths, commit, settle, log } = this.#options;
    const key = `${SEGMENT_KEYS}${createBlockId(clock.nowUnixMillis())}`;
    const draft = join(paths.building, `${key.slice(SEGMENT_KEYS.length)}.segment`);
    const metas: BlockMeta[] = [];
    try {
      generation.publish();
      for (const tenant of generation.tenants.values()) {
        metas.push(await writeBlock({ ...this.#options, bucket: undefined }, generation, tenant, []));
      }
      const rows = await this.#gather(draft, key, metas);
      await blobs.upload(draft, key);
      await commit(rows);
      // Who pushed need not wait for what follows.
      resolve();
      settle(metas).catch((error: unknown) => log(`cached blocks of ${key} stay: ${String(error)}`));
      const { prefix, totalCount, tenants } = generation;
      const seen = metas.map((meta) => {
        const selection = { prefix, totalCount, tenants: [tenants.get(meta.tenant)!.number] };
        return { meta, snapshot: snapshotOfBlock(database, () => ({ heads: [selection], files: [] })) };
      });
      await observer?.flushed(seen);
    } catch (error) {
      // Whether or not the catalog has them after all, their files can be brought again.
      for (const meta of metas)
        await discardBlock(this.#options, new Block(meta, paths.blocks).path).catch(() => undefined);
      throw error;
    } finally {
      await fs.remove(draft).catch(() => undefined);
      await this.#drop(batch);
    }
  }

  /** Writes the files of blocks one after the other, then all `meta.json` as a list and its length, so that the segment explains itself. */
  async #gather(draft: string, segment: string, metas: readonly BlockMeta[]): Promise<readonly BlockRow[]> {
    const { fs, paths } = this.#options;
    const file = await fs.createFile(draft);
    const rows: BlockRow[] = [];
    try {
      let offset = 0;
      for (const meta of metas) {
        const block = new Block(meta, paths.blocks);
        for (const table of TABLE_NAMES) {
          for await (const chunk of fs.readChunks(block.file(table))) await file.append([chunk]);
        }
        rows.push({ meta, place: { segment, offset } });
        offset += blockBytes(meta);
      }
      const index = rows.map(({ meta, place }) => ({
        offset: place?.offset,
        meta: JSON.parse(formatBlockMeta(meta)),
      }));
      const text = Buffer.from(JSON.stringify(index));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      await file.append([text, length, Buffer.from(END_MARK, "latin1")]);
    } finally {
      await file.close();
    }
    return rows;
  }
}

function toUnavailable(error: unknown): ReceiverError {
  if (error instanceof ReceiverError && error.httpStatus === 503) return error;
  return new ReceiverError(`segment: ${String(error)}`, { code: "STORAGE_UNAVAILABLE", cause: error });
}
