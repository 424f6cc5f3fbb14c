import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { gzip } from "node:zlib";
import type { Clock } from "../clock.ts";
import type { SdkConfig } from "../config.ts";
import type { Diagnostics } from "../diagnostics.ts";
import { describeError, SdkError } from "../errors.ts";
import type {
  CompressingExporter,
  ExportResult,
  FinishUploads,
  ProfileExporter,
  ProfileUpload,
} from "./exporter.ts";
import type { HelperAnswer, HelperRequest, SentResult } from "./helper-messages.ts";
import { OUTCOME_DONE, OUTCOME_LENGTH, OUTCOME_SENT_COUNT } from "./helper-messages.ts";
import type { HttpTarget } from "./http-target.ts";
import { createHttpTarget } from "./http-target.ts";

const compressInPool = promisify(gzip);

/** What of a worker thread the helper uses. */
export interface HelperPort {
  postMessage(request: HelperRequest): void;
  on(event: "message", listener: (answer: HelperAnswer) => void): unknown;
  on(event: "error", listener: (error: unknown) => void): unknown;
  on(event: "exit", listener: (exitCode: number) => void): unknown;
  unref(): void;
  terminate(): Promise<unknown>;
}

/** What a helper thread needs. */
interface HelperThreadOptions {
  readonly target: HttpTarget;
  readonly startWorker: (target: HttpTarget) => HelperPort;
  /** The exporter of this thread, for where there is no helper: worker threads forbidden, files of a bundle missing. */
  readonly loadExporter: (target: HttpTarget) => Promise<ProfileExporter>;
  readonly diagnostics: Diagnostics;
}

// tsc rewrites the extension of imports, not of strings: the worker has the extension that this file has.
const extension: string = import.meta.url.endsWith(".ts") ? "ts" : "js";

/**
 * Starts the thread. It gets neither the program's environment nor its flags: `--import` and NODE_OPTIONS of the
 * program would load tracers and this very SDK into it.
 */
function startHelperWorker(target: HttpTarget): HelperPort {
  return new Worker(new URL(`helper-worker.${extension}`, import.meta.url), {
    name: "pyroscope",
    workerData: target,
    env: {},
    execArgv: [],
  });
}

const SHUT_DOWN: ExportResult = {
  ok: false,
  error: new SdkError("upload: the SDK was stopped", { code: "EXPORT_UNREACHABLE" }),
  retry: { kind: "patient", afterMs: undefined },
};

/** A thread that compresses and sends, seen from the one that is profiled. Where it cannot run, this thread does it. */
export class HelperThread implements CompressingExporter {
  readonly #options: HelperThreadOptions;
  readonly #waiting = new Map<number, (answer: HelperAnswer | undefined) => void>();
  #port: HelperPort | undefined;
  #ownExporter: Promise<ProfileExporter> | undefined;
  #isStarted = false;
  #isShutDown = false;
  #nextId = 1;

  constructor(options: HelperThreadOptions) {
    this.#options = options;
  }

  /** The thread does not keep the process alive. */
  start(): void {
    if (this.#isStarted || this.#isShutDown) return;
    this.#isStarted = true;
    try {
      const port = this.#options.startWorker(this.#options.target);
      this.#port = port;
      port.on("message", (answer) => this.#waiting.get(answer.id)?.(answer));
      port.on("error", (error) => this.#abandon(describeError(error)));
      port.on("exit", (exitCode) => this.#abandon(`exit code ${exitCode}`));
      port.unref();
    } catch (error) {
      this.#abandon(describeError(error));
    }
  }

  async compress(bytes: Uint8Array): Promise<Uint8Array> {
    const answer = await this.#ask({ kind: "compress", id: this.#nextId++, bytes });
    return answer?.kind === "compressed" ? answer.bytes : await compressInPool(bytes);
  }

  async export(upload: ProfileUpload, signal: AbortSignal): Promise<ExportResult> {
    const request = { kind: "export", id: this.#nextId++, upload } as const;
    const abort = (): void =>
      this.#port?.postMessage({ kind: "abort", id: request.id, reason: describeError(signal.reason) });
    signal.addEventListener("abort", abort, { once: true });
    try {
      const answer = await this.#ask(request);
      if (answer?.kind === "exported") return toExportResult(answer.result);
    } finally {
      signal.removeEventListener("abort", abort);
    }
    if (this.#isShutDown) return SHUT_DOWN;
    this.#ownExporter ??= this.#options.loadExporter(this.#options.target);
    return await (await this.#ownExporter).export(upload, signal);
  }

  /** Undefined where there is no helper thread: this one cannot send anything while it waits. */
  get finish(): FinishUploads | undefined {
    const port = this.#port;
    return port && ((uploads, timeoutMs) => finish(port, uploads, timeoutMs));
  }

  async shutdown(): Promise<void> {
    const port = this.#port;
    this.#isShutDown = true;
    this.#port = undefined;
    this.#answerNothing();
    await port?.terminate();
    await (await this.#ownExporter)?.shutdown();
  }

  /** The answer, or undefined where the helper cannot give one. */
  async #ask(
    request: Extract<HelperRequest, { readonly kind: "compress" | "export" }>,
  ): Promise<HelperAnswer | undefined> {
    this.start();
    const port = this.#port;
    if (port === undefined) return undefined;
    try {
      return await new Promise((resolve) => {
        this.#waiting.set(request.id, resolve);
        port.postMessage(request);
      });
    } finally {
      this.#waiting.delete(request.id);
    }
  }

  #abandon(reason: string): void {
    if (this.#isShutDown) return;
    this.#port = undefined;
    this.#options.diagnostics.debug(`no helper thread, uploads run in this one: ${reason}`);
    this.#answerNothing();
  }

  #answerNothing(): void {
    for (const resolve of this.#waiting.values()) resolve(undefined);
  }
}

function finish(port: HelperPort, uploads: readonly ProfileUpload[], timeoutMs: number): number {
  const outcome = new Int32Array(new SharedArrayBuffer(OUTCOME_LENGTH * Int32Array.BYTES_PER_ELEMENT));
  port.postMessage({ kind: "finish", uploads, outcome });
  Atomics.wait(outcome, OUTCOME_DONE, 0, timeoutMs);
  return Atomics.load(outcome, OUTCOME_SENT_COUNT);
}

function toExportResult(result: SentResult): ExportResult {
  if (result.ok) return result;
  const code = result.isRejected ? "EXPORT_REJECTED" : "EXPORT_UNREACHABLE";
  return { ok: false, error: new SdkError(result.message, { code }), retry: result.retry };
}

/** The helper thread of one run. */
export function createHelperThread(config: SdkConfig, clock: Clock, diagnostics: Diagnostics): HelperThread {
  return new HelperThread({
    target: createHttpTarget(config),
    startWorker: startHelperWorker,
    // Not before it is needed: the HTTP client and the messages of the push API take 30 ms to load.
    async loadExporter(target) {
      const { createHttpExporter } = await import("./http-exporter.ts");
      return createHttpExporter(target, clock);
    },
    diagnostics,
  });
}
