import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { ReceiverError } from "../errors.ts";
import { createSegmentName } from "./filenames.ts";
import type { AppendFile, Fs } from "./fs.ts";
import { encodeFrame, SEGMENT_HEADER, seedOfSegment, type WalRecord } from "./wal-frame.ts";

// A segment is read as a whole at replay; one batch more than this fits.
const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;
// What one group commit writes at most, so that the first of a crowd is not held up by the last.
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

interface Waiter {
  readonly record: WalRecord;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface OpenSegment {
  readonly file: AppendFile;
  readonly seed: number;
  /** Bytes that are known to be durable. */
  length: number;
}

export interface WalWriterOptions {
  readonly fs: Fs;
  readonly clock: Clock;
  /** Where the segments go. */
  readonly directory: string;
}

/**
 * The log of one head generation: what makes an acknowledgement true. Records that come while a sync runs share the
 * next one (group commit).
 *
 * A segment that a write or a sync failed on is never written again, and that sync is never repeated: Linux
 * forgets dirty pages after a failed fsync, so that a second one would succeed without the data. What was waiting is
 * refused, and the next record begins a new segment.
 */
export class WalWriter {
  readonly #options: WalWriterOptions;
  readonly #waiting: Waiter[] = [];
  readonly #segments: string[] = [];
  #open: OpenSegment | undefined;
  #running: Promise<void> | undefined;
  #bytes = 0;

  constructor(options: WalWriterOptions) {
    this.#options = options;
  }

  /** Names of all segments so far, in order. */
  get segments(): readonly string[] {
    return this.#segments;
  }

  /** Bytes in all segments. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Resolves when the record is durable.
   *
   * @throws {@link ReceiverError} STORAGE_UNAVAILABLE when the disk did not take it. It may be in the log all the same.
   */
  append(record: WalRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Closes the open segment. Nothing may wait, and nothing may be appended after it. */
  async close(): Promise<void> {
    await this.#running;
    const segment = this.#open;
    this.#open = undefined;
    await segment?.file.close();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      try {
        await this.#commit(batch);
        for (const waiter of batch) waiter.resolve();
      } catch (cause) {
        await this.#abandonSegment();
        const error = new ReceiverError(`append to the log in ${this.#options.directory}: ${String(cause)}`, {
          code: "STORAGE_UNAVAILABLE",
          cause,
        });
        for (const waiter of batch) waiter.reject(error);
      }
    }
    this.#running = undefined;
  }

  #takeBatch(): readonly Waiter[] {
    let count = 0;
    let bytes = 0;
    while (count < this.#waiting.length && (count === 0 || bytes < MAX_BATCH_BYTES)) {
      bytes += this.#waiting[count++]!.record.record.length;
    }
    return this.#waiting.splice(0, count);
  }

  async #commit(batch: readonly Waiter[]): Promise<void> {
    if (this.#open !== undefined && this.#open.length > MAX_SEGMENT_BYTES) {
      const full = this.#open;
      this.#open = undefined;
      await full.file.close();
    }
    this.#open ??= await this.#createSegment();
    const segment = this.#open;
    const buffers = batch.flatMap(({ record }) => encodeFrame(record, segment.seed));
    await segment.file.append(buffers);
    await segment.file.sync();
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    segment.length += bytes;
    this.#bytes += bytes;
  }

  async #createSegment(): Promise<OpenSegment> {
    const { fs, clock, directory } = this.#options;
    const name = createSegmentName(clock.nowUnixMillis());
    const path = join(directory, name);
    const file = await fs.createFile(path);
    // Named at once: whatever happens next, a block that replaces this log also replaces this file.
    this.#segments.push(name);
    try {
      await file.append([SEGMENT_HEADER]);
      await fs.syncDirectory(directory);
      return { file, seed: seedOfSegment(name), length: SEGMENT_HEADER.length };
    } catch (error) {
      await file.close().catch(() => undefined);
      await fs.remove(path).catch(() => undefined);
      throw error;
    }
  }

  /** Leaves a segment whose end is not known, cut back to what is durable if the disk allows that. */
  async #abandonSegment(): Promise<void> {
    const segment = this.#open;
    this.#open = undefined;
    if (segment === undefined) return;
    await segment.file.truncate(segment.length).catch(() => undefined);
    await segment.file.close().catch(() => undefined);
  }
}
