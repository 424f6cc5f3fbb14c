import { CostMeter } from "../cost-meter.ts";
import { SdkError } from "../errors.ts";
import { encodeMeasured } from "./encode-profile.ts";
import type { ExportResult, ProfileExporter, ProfileUpload, UploadBatch } from "./exporter.ts";
import type { HelperAnswer, HelperRequest } from "./helper-messages.ts";
import { OUTCOME_DONE, OUTCOME_SENT_COUNT, toSentResult } from "./helper-messages.ts";

interface RunningExport {
  readonly abort: AbortController;
  readonly result: Promise<ExportResult>;
}

/** What the helper thread does: encodes, compresses and sends, for as long as it is asked to. */
export class HelperTasks {
  readonly #exporters: readonly Promise<ProfileExporter>[];
  readonly #answer: (answer: HelperAnswer) => void;
  // Of a thread that is not the main one, in the program as in its tests.
  readonly #meter = new CostMeter(false);
  readonly #running = new Map<number, RunningExport>();

  /** @param exporters - loading, while this can encode already. */
  constructor(exporters: readonly Promise<ProfileExporter>[], answer: (answer: HelperAnswer) => void) {
    this.#exporters = exporters;
    this.#answer = answer;
  }

  async handle(request: HelperRequest): Promise<void> {
    switch (request.kind) {
      case "encode":
        this.#answer({
          kind: "encoded",
          id: request.id,
          encoding: encodeMeasured(request.profile, this.#meter),
        });
        return;
      case "export":
        await this.#export(request.id, request.exporterIndex, request.upload);
        return;
      case "abort":
        this.#running.get(request.id)?.abort.abort(new Error(request.reason));
        return;
      case "finish":
        await this.#finish(request.batches, request.outcome);
    }
  }

  async #export(id: number, exporterIndex: number, upload: ProfileUpload): Promise<void> {
    const abort = new AbortController();
    const result = this.#send(exporterIndex, upload, abort.signal);
    this.#running.set(id, { abort, result });
    const settled = await result;
    this.#running.delete(id);
    this.#answer({ kind: "exported", id, result: toSentResult(settled) });
  }

  async #finish(batches: readonly UploadBatch[], outcome: Int32Array): Promise<void> {
    const count = (result: ExportResult): void => {
      if (result.ok) Atomics.add(outcome, OUTCOME_SENT_COUNT, 1);
    };
    try {
      const running = Array.from(this.#running.values(), async ({ result }) => count(await result));
      const sending = batches.map((batch) => this.#sendBatch(batch, count));
      await Promise.all([...running, ...sending]);
    } finally {
      Atomics.store(outcome, OUTCOME_DONE, 1);
      Atomics.notify(outcome, OUTCOME_DONE);
    }
  }

  async #sendBatch(
    { exporterIndex, uploads }: UploadBatch,
    count: (result: ExportResult) => void,
  ): Promise<void> {
    const { signal } = new AbortController();
    // The latest first: time may not be enough for all, and the last window tells how the program ended.
    for (const upload of uploads.toReversed()) {
      const result = await this.#send(exporterIndex, upload, signal);
      count(result);
      // A server that is away now is away for the rest too.
      if (!result.ok && result.retry.kind === "patient") break;
    }
  }

  async #send(exporterIndex: number, upload: ProfileUpload, signal: AbortSignal): Promise<ExportResult> {
    const exporter = await this.#exporters[exporterIndex];
    if (exporter !== undefined) return await exporter.export(upload, signal);
    const error = new SdkError(`exporter ${exporterIndex}: expected one of ${this.#exporters.length}`, {
      code: "EXPORT_REJECTED",
    });
    return { ok: false, error, retry: { kind: "never", afterMs: undefined } };
  }
}
