import process from "node:process";
import * as workerThreads from "node:worker_threads";
import type { Profile } from "@pyroscope-ts/protocol";
import type { Clock } from "../clock.ts";
import type { SdkConfig } from "../config.ts";
import { CostMeter } from "../cost-meter.ts";
import type { Diagnostics } from "../diagnostics.ts";
import { describeError, SdkError } from "../errors.ts";
import { findOwnFile } from "../own-files.ts";
import { encodeMeasured } from "./encode-profile.ts";
import type {
  Encoding,
  ExportResult,
  FinishUploads,
  Helper,
  NamedExporter,
  ProfileExporter,
  ProfileUpload,
  UploadBatch,
} from "./exporter.ts";
import { createTargets, type ExporterTarget, loadExporter, nameOfTarget } from "./exporter-target.ts";
import type { HelperAnswer, HelperRequest, SentResult } from "./helper-messages.ts";
import { OUTCOME_DONE, OUTCOME_LENGTH, OUTCOME_SENT_COUNT } from "./helper-messages.ts";
import type { HelperPool } from "./helper-pool.ts";
import { createServerPace } from "./upload-pace.ts";
import { closeZlibGate, createZlibGate } from "./zlib-gate.ts";

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
  readonly targets: readonly ExporterTarget[];
  readonly startWorker: (targets: readonly ExporterTarget[]) => HelperPort;
  /** Undefined where source maps cannot be read in another thread. */
  readonly openSourceMaps: Helper["openSourceMaps"];
  /** Why there can be no thread, where that is known. */
  readonly problem: string | undefined;
  /** An exporter of this thread, for where there is no helper: worker threads forbidden, files of a bundle missing. */
  readonly loadExporter: (target: ExporterTarget) => Promise<ProfileExporter>;
  readonly clock: Clock;
  readonly diagnostics: Diagnostics;
}

// That of Node: what programs have is replaced where their threads are profiled.
const { Worker } = workerThreads;

const HELPER_FILE = "exporters/helper-worker";

/** Why there can be no helper thread here, where that is known beforehand. */
function findHelperProblem(): string | undefined {
  // Only where the permission model of Node is on.
  const { permission } = process as { readonly permission?: { has(scope: string): boolean } };
  if (permission?.has("worker") === false) return "worker threads need --allow-worker";
  try {
    findOwnFile(HELPER_FILE);
    return undefined;
  } catch (error) {
    return `${describeError(error)}; leave @pyroscope-ts/sdk-node external`;
  }
}

/**
 * Starts the thread. It gets neither the program's environment nor its flags: `--import` and NODE_OPTIONS of the
 * program would load tracers and this very SDK into it.
 */
export function startHelperWorker(): workerThreads.Worker {
  const gate = createZlibGate();
  const worker = new Worker(findOwnFile(HELPER_FILE).url, {
    name: "pyroscope",
    workerData: gate,
    env: {},
    execArgv: [],
    resourceLimits: {
      // What is new here is mostly buffers, which lie elsewhere: 16 MB for short-lived objects would only be resident.
      maxYoungGenerationSizeMb: 2,
      // A source map that needs more ends the thread, and does not take the memory of the program.
      maxOldGenerationSizeMb: 512,
    },
  });
  const close = (): void => closeZlibGate(gate);
  process.on("exit", close);
  worker.once("exit", () => process.removeListener("exit", close));
  return worker;
}

// A thread that ends twice would end again.
const MAX_RESTARTS = 1;

const SHUT_DOWN: ExportResult = {
  ok: false,
  error: new SdkError("upload: the SDK was stopped", { code: "EXPORT_UNREACHABLE" }),
  retry: { kind: "patient", afterMs: undefined },
};

/** The helper thread, seen from the one that is profiled. Where it cannot run, this thread does its work. */
export class HelperThread implements Helper {
  readonly exporters: readonly NamedExporter[];
  readonly #options: HelperThreadOptions;
  readonly #meter = new CostMeter(false);
  readonly #waiting = new Map<number, (answer: HelperAnswer | undefined) => void>();
  #port: HelperPort | undefined;
  readonly #ownExporters = new Map<number, Promise<ProfileExporter>>();
  #isStarted = false;
  #restartCount = 0;
  #isShutDown = false;
  #nextId = 1;

  constructor(options: HelperThreadOptions) {
    this.#options = options;
    this.exporters = options.targets.map((target, exporterIndex) => ({
      name: nameOfTarget(target),
      pace: target.kind === "push" || target.kind === "ingest" ? createServerPace(options.clock) : undefined,
      export: (upload, signal) => this.#export(exporterIndex, upload, signal),
      // The connections are the thread's, and end with it.
      shutdown: async () => {},
    }));
  }

  /** Only once there is work: a start() does not wait for it. The thread does not keep the process alive. */
  #start(): void {
    if (this.#isStarted || this.#isShutDown) return;
    this.#isStarted = true;
    try {
      const port = this.#options.startWorker(this.#options.targets);
      this.#port = port;
      port.on("message", (answer) => this.#waiting.get(answer.id)?.(answer));
      port.on("error", (error) => this.#restart(describeError(error)));
      port.on("exit", (exitCode) => this.#restart(`exit code ${exitCode}`));
      port.unref();
    } catch (error) {
      this.#abandon(describeError(error));
    }
  }

  async encode(profile: Profile): Promise<Encoding> {
    const answer = await this.#ask({ kind: "encode", id: this.#nextId++, profile });
    return answer?.kind === "encoded" ? answer.encoding : encodeMeasured(profile, this.#meter);
  }

  get openSourceMaps(): Helper["openSourceMaps"] {
    return this.#options.openSourceMaps;
  }

  get problem(): string | undefined {
    return this.#options.problem;
  }

  async #export(exporterIndex: number, upload: ProfileUpload, signal: AbortSignal): Promise<ExportResult> {
    const request = { kind: "export", id: this.#nextId++, exporterIndex, upload } as const;
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
    return await (await this.#ownExporter(exporterIndex)).export(upload, signal);
  }

  async #ownExporter(exporterIndex: number): Promise<ProfileExporter> {
    const target = this.#options.targets[exporterIndex];
    if (target === undefined) throw new RangeError(`no exporter ${exporterIndex}`);
    const known = this.#ownExporters.get(exporterIndex);
    if (known !== undefined) return await known;
    const loading = this.#options.loadExporter(target);
    this.#ownExporters.set(exporterIndex, loading);
    return await loading;
  }

  /** Undefined where there is no helper thread: this one cannot send anything while it waits. */
  get finish(): FinishUploads | undefined {
    this.#start();
    const port = this.#port;
    return port && ((batches, timeoutMs) => finish(port, batches, timeoutMs));
  }

  async shutdown(): Promise<void> {
    const port = this.#port;
    this.#isShutDown = true;
    this.#port = undefined;
    this.#answerNothing();
    await port?.terminate();
    for (const exporter of this.#ownExporters.values()) await (await exporter).shutdown();
  }

  /** The answer, or undefined where the helper cannot give one. */
  async #ask(
    request: Extract<HelperRequest, { readonly kind: "encode" | "export" }>,
  ): Promise<HelperAnswer | undefined> {
    this.#start();
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

  /** A thread that ended, by a source map that was too large for it, is started once more. */
  #restart(reason: string): void {
    if (this.#isShutDown || this.#restartCount >= MAX_RESTARTS) {
      this.#abandon(reason);
      return;
    }
    this.#restartCount++;
    this.#port = undefined;
    this.#isStarted = false;
    this.#options.diagnostics.debug(`the helper thread ended and is started again: ${reason}`);
    this.#answerNothing();
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

function finish(port: HelperPort, batches: readonly UploadBatch[], timeoutMs: number): number {
  const outcome = new Int32Array(new SharedArrayBuffer(OUTCOME_LENGTH * Int32Array.BYTES_PER_ELEMENT));
  port.postMessage({ kind: "finish", batches, outcome });
  Atomics.wait(outcome, OUTCOME_DONE, 0, timeoutMs);
  return Atomics.load(outcome, OUTCOME_SENT_COUNT);
}

function toExportResult(result: SentResult): ExportResult {
  if (result.ok) return result;
  const code = result.isRejected ? "EXPORT_REJECTED" : "EXPORT_UNREACHABLE";
  return { ok: false, error: new SdkError(result.message, { code }), retry: result.retry };
}

/** The helper thread of one run. */
export function createHelperThread(
  config: SdkConfig,
  pool: HelperPool,
  clock: Clock,
  diagnostics: Diagnostics,
): HelperThread {
  const problem = findHelperProblem();
  return new HelperThread({
    targets: createTargets(config),
    startWorker: (targets) => pool.open(targets),
    openSourceMaps: problem === undefined ? (listener) => pool.openSourceMaps(listener) : undefined,
    problem,
    loadExporter: (target) => loadExporter(target, clock),
    clock,
    diagnostics,
  });
}
