import type { Clock } from "./clock.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { describeError } from "./errors.ts";
import type { Helper, NamedExporter, ProfileUpload, UploadBatch } from "./exporters/exporter.ts";
import type { ExporterStatus, UploadStatus } from "./status.ts";
import { UploadQueue } from "./upload-queue.ts";

/** What a delivery needs. */
export interface DeliveryOptions {
  readonly helper: Helper;
  /** Those that run in this thread. */
  readonly exporters: readonly NamedExporter[];
  readonly capacityBytes: number;
  readonly timeoutMs: number;
  readonly maxDelayMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly diagnostics: Diagnostics;
  /** Told what a server asks to have recorded. Must not throw. */
  readonly onOrder?: ((order: string) => void) | undefined;
}

interface Route {
  readonly exporter: NamedExporter;
  readonly queue: UploadQueue;
}

/**
 * Gives each upload to every exporter. Each has a queue and counts of its own, so that one that fails, hangs or is slow takes
 * nothing from the others; what waits for several of them is in memory once.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #routes: readonly Route[];

  constructor(options: DeliveryOptions) {
    this.#options = options;
    const { helper, exporters, diagnostics, ...limits } = options;
    const all = [...helper.exporters, ...exporters];
    const name = all.length === 1 ? () => undefined : (exporter: NamedExporter) => exporter.name;
    this.#routes = all.map((exporter) => ({
      exporter,
      queue: new UploadQueue({ ...limits, exporter, name: name(exporter), diagnostics }),
    }));
  }

  /** False where profiles are only pulled. */
  get isPushing(): boolean {
    return this.#routes.length > 0;
  }

  /** Of all exporters together. */
  get status(): UploadStatus {
    const each = this.exporters;
    const sum = (read: (status: UploadStatus) => number): number =>
      each.reduce((total, status) => total + read(status), 0);
    const sentTimes = each.flatMap(({ lastSentUnixMs }) => lastSentUnixMs ?? []);
    return {
      sentCount: sum(({ sentCount }) => sentCount),
      retryCount: sum(({ retryCount }) => retryCount),
      droppedCount: sum(({ droppedCount }) => droppedCount),
      rejectedCount: sum(({ rejectedCount }) => rejectedCount),
      waitingCount: sum(({ waitingCount }) => waitingCount),
      waitingBytes: sum(({ waitingBytes }) => waitingBytes),
      lastError: each.find(({ lastError }) => lastError !== undefined)?.lastError,
      lastSentUnixMs: sentTimes.length === 0 ? undefined : Math.max(...sentTimes),
    };
  }

  get exporters(): readonly ExporterStatus[] {
    return this.#routes.map(({ exporter: { name }, queue }) => ({
      name,
      ...queue.counts,
      lastError: queue.lastError,
      lastSentUnixMs: queue.lastSentUnixMs,
    }));
  }

  add(upload: ProfileUpload): void {
    for (const { queue } of this.#routes) queue.add(upload);
  }

  /** Sends what waits, now; see {@link UploadQueue.drain}. True when nothing waits any more. */
  async drain(signal: AbortSignal): Promise<boolean> {
    const drained = await Promise.all(this.#routes.map(({ queue }) => queue.drain(signal)));
    return !drained.includes(false);
  }

  /** Ends what runs. What waits is counted as dropped. Never rejects. */
  async close(): Promise<void> {
    const { helper, diagnostics } = this.#options;
    for (const { queue } of this.#routes) queue.close();
    const endings = [...this.#routes.map(({ exporter }) => exporter), helper].map(async (exporter) => {
      try {
        await exporter.shutdown();
      } catch (error) {
        diagnostics.debug(`closing an exporter: ${describeError(error)}`);
      }
    });
    await Promise.all(endings);
  }

  /**
   * Sends what waits, and the uploads of the last windows, before it returns: no later than after `timeoutMs`, for what is
   * asynchronous. An exporter of this thread takes what it can at once.
   *
   * @returns how many uploads there were, and how many arrived.
   */
  finish(
    last: readonly ProfileUpload[],
    timeoutMs: number,
  ): { readonly count: number; readonly sentCount: number } {
    const { helper } = this.#options;
    const batches: UploadBatch[] = [];
    let count = 0;
    let sentCount = 0;
    for (const [index, { exporter, queue }] of this.#routes.entries()) {
      const { waiting, sendingCount } = queue.takeAll();
      const uploads = [...waiting, ...last];
      count += uploads.length + sendingCount;
      if (index < helper.exporters.length) batches.push({ exporterIndex: index, uploads });
      else sentCount += this.#exportAtExit(exporter, uploads);
    }
    if (count > 0 && batches.length > 0) sentCount += helper.finish?.(batches, timeoutMs) ?? 0;
    return { count, sentCount };
  }

  #exportAtExit({ name, exportAtExit }: NamedExporter, uploads: readonly ProfileUpload[]): number {
    let sentCount = 0;
    try {
      for (const upload of exportAtExit === undefined ? [] : uploads) {
        exportAtExit?.(upload);
        sentCount++;
      }
    } catch (error) {
      this.#options.diagnostics.warn(`exporter ${name} at exit: ${describeError(error)}`);
    }
    return sentCount;
  }
}
