import { gzipSync } from "node:zlib";
import type { ExportResult, ProfileExporter, ProfileUpload } from "./exporter.ts";
import type { HelperAnswer, HelperRequest } from "./helper-messages.ts";
import { OUTCOME_DONE, OUTCOME_SENT_COUNT, toSentResult } from "./helper-messages.ts";

interface RunningExport {
  readonly abort: AbortController;
  readonly result: Promise<ExportResult>;
}

/** What the helper thread does: compresses and sends, for as long as it is asked to. */
export class HelperTasks {
  readonly #exporter: ProfileExporter;
  readonly #answer: (answer: HelperAnswer) => void;
  readonly #running = new Map<number, RunningExport>();

  constructor(exporter: ProfileExporter, answer: (answer: HelperAnswer) => void) {
    this.#exporter = exporter;
    this.#answer = answer;
  }

  async handle(request: HelperRequest): Promise<void> {
    switch (request.kind) {
      case "compress": {
        // Synchronous: this thread has nothing better to do, and the pool of libuv stays the program's own.
        const bytes = gzipSync(request.bytes);
        this.#answer({ kind: "compressed", id: request.id, bytes });
        return;
      }
      case "export":
        await this.#export(request.id, request.upload);
        return;
      case "abort":
        this.#running.get(request.id)?.abort.abort(new Error(request.reason));
        return;
      case "finish":
        await this.#finish(request.uploads, request.outcome);
    }
  }

  async #export(id: number, upload: ProfileUpload): Promise<void> {
    const abort = new AbortController();
    const result = this.#exporter.export(upload, abort.signal);
    this.#running.set(id, { abort, result });
    const settled = await result;
    this.#running.delete(id);
    this.#answer({ kind: "exported", id, result: toSentResult(settled) });
  }

  async #finish(uploads: readonly ProfileUpload[], outcome: Int32Array): Promise<void> {
    const count = (result: ExportResult): void => {
      if (result.ok) Atomics.add(outcome, OUTCOME_SENT_COUNT, 1);
    };
    try {
      const running = Array.from(this.#running.values(), async ({ result }) => count(await result));
      const { signal } = new AbortController();
      // The latest first: time may not be enough for all, and the last window tells how the program ended.
      for (const upload of uploads.toReversed()) {
        const result = await this.#exporter.export(upload, signal);
        count(result);
        // A server that is away now is away for the rest too.
        if (!result.ok && result.retry.kind === "patient") break;
      }
      await Promise.all(running);
    } finally {
      Atomics.store(outcome, OUTCOME_DONE, 1);
      Atomics.notify(outcome, OUTCOME_DONE);
    }
  }
}
