import type { Cancel, Clock } from "./clock.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { describeError, SdkError } from "./errors.ts";
import type { ExportResult, NamedExporter, ProfileUpload } from "./exporters/exporter.ts";
import { rawUploadBytes, uploadBytes } from "./exporters/exporter.ts";
import { retryDelayMs } from "./exporters/retry.ts";

/** What an upload queue needs. */
export interface UploadQueueOptions {
  readonly exporter: Pick<NamedExporter, "export" | "pace">;
  /** How messages call the exporter, where there are several. */
  readonly name?: string | undefined;
  /** Bytes of the uploads that wait; the one that is being sent is apart. */
  readonly capacityBytes: number;
  /** Time that one attempt may take. */
  readonly timeoutMs: number;
  /** Longest wait between two attempts, unless the server asks for more. */
  readonly maxDelayMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly diagnostics: Diagnostics;
  /** Told what a server asks to have recorded. Must not throw. */
  readonly onOrder?: ((order: string) => void) | undefined;
}

/** What became of the uploads of one run. */
export interface UploadCounts {
  readonly sentCount: number;
  /** Attempts after a failed one. */
  readonly retryCount: number;
  /** Left out for want of room. */
  readonly droppedCount: number;
  /** Not wanted by the server, or given up after too many failures. */
  readonly rejectedCount: number;
  readonly waitingCount: number;
  readonly waitingBytes: number;
}

interface Entry {
  readonly upload: ProfileUpload;
  readonly bytes: number;
  /** Failures that may be the upload's own fault. */
  suspectCount: number;
}

// The Java agent's number of tries.
const MAX_SUSPECT_FAILURES = 8;

/**
 * Sends uploads one at a time, in order, again where that makes sense.
 *
 * Bounded: when a new upload finds no room, the oldest that wait are dropped for it, because the latest windows
 * are what somebody looks for after an outage. Each loss is counted; it is said once when dropping begins and
 * once, with the number, when an upload arrives again.
 */
export class UploadQueue {
  readonly #options: UploadQueueOptions;
  readonly #waiting: Entry[] = [];
  #waitingBytes = 0;
  #attempt: Promise<boolean> | undefined;
  #abort: AbortController | undefined;
  #cancelRetry: Cancel | undefined;
  #endPause: (() => void) | undefined;
  #failureCount = 0;
  #droppedSinceSaid = 0;
  #isClosed = false;
  #sentCount = 0;
  #retryCount = 0;
  #droppedCount = 0;
  #rejectedCount = 0;
  #lastError: string | undefined;
  #lastSentUnixMs: number | undefined;

  constructor(options: UploadQueueOptions) {
    this.#options = options;
  }

  get counts(): UploadCounts {
    return {
      sentCount: this.#sentCount,
      retryCount: this.#retryCount,
      droppedCount: this.#droppedCount,
      rejectedCount: this.#rejectedCount,
      waitingCount: this.#waiting.length,
      waitingBytes: this.#waitingBytes,
    };
  }

  /** The message of the latest failure since an upload last arrived, or undefined. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  get lastSentUnixMs(): number | undefined {
    return this.#lastSentUnixMs;
  }

  add(upload: ProfileUpload): void {
    if (this.#isClosed) {
      // A window that was still being converted when the time of stop() was up.
      this.#droppedCount++;
      return;
    }
    const bytes = uploadBytes(upload);
    this.#makeRoom(bytes);
    if (bytes > this.#options.capacityBytes) {
      this.#countDropped();
      return;
    }
    this.#waiting.push({ upload, bytes, suspectCount: 0 });
    this.#waitingBytes += bytes;
    this.#pump();
  }

  /**
   * Sends what waits, now, without the pause that a failure asks for. Ends at the first failure or when `signal`
   * is aborted; what is left goes on waiting.
   *
   * @returns true when nothing waits any more.
   */
  async drain(signal: AbortSignal): Promise<boolean> {
    const aborted = new Promise<false>((resolve) => {
      if (signal.aborted) resolve(false);
      else signal.addEventListener("abort", () => resolve(false), { once: true });
    });
    while (this.#waiting.length > 0 && !signal.aborted && !this.#isClosed) {
      const isSent = await Promise.race([this.#sendFirst(), aborted]);
      if (!isSent) break;
    }
    return this.#waiting.length === 0;
  }

  /** Ends the attempt that runs and takes nothing more. What waits is counted as dropped. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#endPause?.();
    this.#abort?.abort(new Error("the SDK was stopped"));
    this.#droppedCount += this.#waiting.length;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }

  /**
   * Takes what waits off the queue, oldest first, and closes it. An attempt that runs goes on: its upload is
   * counted in `sendingCount` only.
   */
  takeAll(): { readonly waiting: readonly ProfileUpload[]; readonly sendingCount: number } {
    this.#isClosed = true;
    this.#cancelRetry?.();
    // What only waits for its turn is not on its way.
    const isSending = this.#attempt !== undefined && this.#endPause === undefined;
    this.#endPause?.();
    const sendingCount = !isSending ? 0 : Math.min(1, this.#waiting.length);
    const waiting = this.#waiting.splice(0).slice(sendingCount);
    this.#waitingBytes = 0;
    return { waiting: waiting.map(({ upload }) => upload), sendingCount };
  }

  #makeRoom(bytes: number): void {
    const first = this.#attempt === undefined ? 0 : 1;
    const sendingBytes = first === 0 ? 0 : (this.#waiting[0]?.bytes ?? 0);
    while (
      this.#waiting.length > first &&
      this.#waitingBytes - sendingBytes + bytes > this.#options.capacityBytes
    ) {
      const [oldest] = this.#waiting.splice(first, 1);
      this.#waitingBytes -= oldest?.bytes ?? 0;
      this.#countDropped();
    }
  }

  #countDropped(): void {
    this.#droppedCount++;
    this.#droppedSinceSaid++;
    this.#warnOnce(
      "queue-full",
      `upload queue is full (uploadQueueSize=${this.#options.capacityBytes} bytes): the oldest windows are dropped`,
    );
  }

  #pump(): void {
    if (this.#cancelRetry !== undefined || this.#isClosed || this.#waiting.length === 0) return;
    // #sendFirst never rejects.
    void this.#sendFirst();
  }

  /** True when the upload at the front is off the queue. One attempt at a time, also for two callers. */
  #sendFirst(): Promise<boolean> {
    this.#attempt ??= this.#sendEntry().finally(() => {
      this.#attempt = undefined;
      this.#pump();
    });
    return this.#attempt;
  }

  async #sendEntry(): Promise<boolean> {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    const entry = this.#waiting[0];
    if (entry === undefined) return true;
    const { pace } = this.#options.exporter;
    const bytes = rawUploadBytes(entry.upload);
    const pauseMs = pace?.delayMs(bytes) ?? 0;
    // Without a pause the export begins at once: what takeAll() leaves as being sent must be on its way.
    if (pauseMs > 0) await this.#pause(pauseMs);
    if (this.#isClosed) return false;
    pace?.spend(bytes);
    if (this.#failureCount > 0) this.#retryCount++;
    const result = await this.#exportOnce(entry.upload);
    if (this.#isClosed) {
      // close() has counted it as dropped; an answer that came in time still counts.
      if (result.ok) {
        this.#sentCount++;
        this.#droppedCount--;
      }
      return result.ok;
    }
    return this.#settle(entry, result);
  }

  /** As long as the server takes no more bytes. */
  async #pause(pauseMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(pauseMs, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
    this.#endPause = undefined;
  }

  async #exportOnce(upload: ProfileUpload): Promise<ExportResult> {
    const { exporter, clock, timeoutMs } = this.#options;
    const abort = new AbortController();
    this.#abort = abort;
    const cancel = clock.after(timeoutMs, () => abort.abort(new Error(`no answer within ${timeoutMs} ms`)));
    try {
      return await exporter.export(upload, abort.signal);
    } catch (cause) {
      // An exporter of the user's own may break the contract.
      const error = new SdkError(`exporter: ${describeError(cause)}`, { code: "EXPORT_UNREACHABLE", cause });
      return { ok: false, error, retry: { kind: "limited", afterMs: undefined } };
    } finally {
      cancel();
    }
  }

  #settle(entry: Entry, result: ExportResult): boolean {
    const { clock } = this.#options;
    if (result.ok) {
      this.#remove(entry);
      this.#sentCount++;
      this.#sayRecovered();
      this.#failureCount = 0;
      this.#lastError = undefined;
      this.#lastSentUnixMs = clock.nowUnixMs();
      if (result.order !== undefined) this.#options.onOrder?.(result.order);
      return true;
    }
    this.#lastError = this.#label(result.error.message);
    if (result.retry.kind === "limited") entry.suspectCount++;
    if (result.retry.kind === "never" || entry.suspectCount >= MAX_SUSPECT_FAILURES) {
      this.#remove(entry);
      this.#rejectedCount++;
      this.#failureCount = 0;
      this.#warnOnce("export-rejected", `${result.error.message} (the window is lost)`);
      return true;
    }
    this.#failureCount++;
    this.#warnOnce(
      "export-unreachable",
      `${result.error.message} (tried again until it arrives or the queue is full)`,
    );
    this.#armRetry(result.retry.afterMs);
    return false;
  }

  #armRetry(afterMs: number | undefined): void {
    const { clock, maxDelayMs, random } = this.#options;
    const delayMs = retryDelayMs(this.#failureCount, afterMs, maxDelayMs, random);
    this.#cancelRetry = clock.after(delayMs, () => {
      this.#cancelRetry = undefined;
      this.#pump();
    });
  }

  #sayRecovered(): void {
    const { diagnostics } = this.#options;
    const wasRejected = diagnostics.forget(this.#label("export-rejected"));
    const wasUnreachable = diagnostics.forget(this.#label("export-unreachable"));
    if (wasRejected || wasUnreachable) diagnostics.info(this.#label("uploads arrive again"));
    if (diagnostics.forget(this.#label("queue-full"))) {
      const message = `upload queue has room again: ${this.#droppedSinceSaid} windows were dropped`;
      diagnostics.warn(this.#label(message));
      this.#droppedSinceSaid = 0;
    }
  }

  /** Said once for each exporter. */
  #warnOnce(key: string, message: string): void {
    this.#options.diagnostics.warnOnce(this.#label(key), this.#label(message));
  }

  #label(text: string): string {
    const { name } = this.#options;
    return name === undefined ? text : `exporter ${name}: ${text}`;
  }

  #remove(entry: Entry): void {
    const index = this.#waiting.indexOf(entry);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    this.#waitingBytes -= entry.bytes;
  }
}
