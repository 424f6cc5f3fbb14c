import { isMainThread } from "node:worker_threads";
import { Agent } from "./agent.ts";
import type { Cancel, Clock } from "./clock.ts";
import type { SdkConfig } from "./config.ts";
import { describeMissing } from "./describe-missing.ts";
import { Diagnostics, standardErrorLogger } from "./diagnostics.ts";
import { describeError } from "./errors.ts";
import { isCustomExporter } from "./exporters/custom-exporter.ts";
import type { Helper } from "./exporters/exporter.ts";
import { callMethod, readLabels } from "./labels/handler-call.ts";
import type { ContextMaker, LabelContext, LabelMechanism } from "./labels/label-context.ts";
import type { ProfiledSpan, SampleContext } from "./labels/sample-context.ts";
import { addLabels, toContext, toRecord, withSpan } from "./labels/sample-context.ts";
import type { LabelValues, PyroscopeOptions } from "./options.ts";
import type { ProcessFacts } from "./process-facts.ts";
import { createProcessResource } from "./process-resource.ts";
import type { CaptureResult } from "./profilers/allocation-windows.ts";
import type { BackendLoaders } from "./profilers/load-backend.ts";
import { loadBackend } from "./profilers/load-backend.ts";
import type { NativeBindings } from "./profilers/native.ts";
import type { ProfilerGroup } from "./profilers/profiler-set.ts";
import { PullSource } from "./pull-source.ts";
import type { Environment } from "./resolve-config.ts";
import { checkProblems, isSameConfig, resolveConfig } from "./resolve-config.ts";
import type { FlushResult, PyroscopeStatus } from "./status.ts";
import { checkTimeout } from "./timeout.ts";
import type { WatchedProcess } from "./watch-process.ts";
import { watchExit, watchProcess } from "./watch-process.ts";

/** What the SDK uses of the process it runs in. */
export interface Host extends BackendLoaders {
  readonly environment: () => Environment;
  /** Has worker threads profiled from now on. */
  readonly profileWorkers: (config: SdkConfig, diagnostics: Diagnostics) => Cancel;
  readonly createHelper: (config: SdkConfig, diagnostics: Diagnostics) => Helper;
  readonly process: WatchedProcess;
  readonly readFacts: () => ProcessFacts;
  /** What a start without options has in a worker thread: those of the thread that started it. */
  readonly inheritOptions: () => PyroscopeOptions | undefined;
  readonly shareOptions: (options: PyroscopeOptions) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly platform: NodeJS.Platform;
}

interface Run {
  readonly agent: Agent;
  readonly config: SdkConfig;
  readonly diagnostics: Diagnostics;
  readonly backend: NonNullable<PyroscopeStatus["backend"]>;
  /** Leaves signals and the natural end to the program. */
  readonly release: Cancel;
  /** Leaves the `exit` event alone too: there is nothing left to send. */
  readonly releaseExit: Cancel;
}

// V8 keeps 100 bytes for each sampled object for as long as a window lasts.
const MAX_CAPTURE_MS = 300_000;

const NOTHING_TO_SEND: FlushResult = { ok: true, waitingCount: 0, error: undefined };

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});

/**
 * The SDK of one thread: at most one run at a time. This is the outer boundary: whatever goes wrong inside is
 * reported here and does not reach the caller, unless `strict` asks for it.
 */
export class Sdk {
  readonly #host: Host;
  #run: Run | undefined;
  #stoppingRun: Run | undefined;
  #lastRun: Run | undefined;
  /** True while a run goes on that the program did not ask for. */
  #isInherited = false;
  /** True where every thread of the process loads the SDK by itself. */
  #isPreloaded = false;
  /** Those of the latest start. */
  #options: PyroscopeOptions = {};
  #diagnostics: Diagnostics = new Diagnostics(standardErrorLogger, "warn");

  /** Profiles for those who ask for them. */
  readonly pulls: PullSource;

  constructor(host: Host) {
    this.#host = host;
    this.pulls = new PullSource({
      clock: host.clock,
      current: () => this.#run?.agent,
    });
  }

  /**
   * @param only - starts nothing else; in a run that is on, `options` then do not count.
   * @throws {@link SdkError} only with `strict`: `CONFIG_INVALID`, `NATIVE_UNAVAILABLE` or `PROFILER_FAILED`.
   */
  start(options: PyroscopeOptions | undefined, only?: ProfilerGroup): void {
    let isStrict = this.#run?.config.strict ?? false;
    try {
      if (only !== undefined && this.#run !== undefined) {
        this.#run.agent.start(only);
        return;
      }
      this.#options = options ?? (only === undefined ? (this.#host.inheritOptions() ?? {}) : this.#options);
      const { config, problems } = resolveConfig(this.#options, this.#host.environment());
      isStrict = config.strict;
      if (isStrict) checkProblems(problems);
      const diagnostics = new Diagnostics(config.logger, config.logLevel);
      this.#diagnostics = diagnostics;
      for (const problem of problems) diagnostics.warn(problem);
      this.#start(config, diagnostics, only);
    } catch (error) {
      if (isStrict) throw error;
      this.#diagnostics.warn(`profiling is off: ${describeError(error)}`);
    }
  }

  /** Starts in a process all of whose threads do so. */
  startPreloaded(): void {
    this.#isPreloaded = true;
    this.start(undefined);
  }

  /** Starts with the options of the thread that started this one, until the program of this one starts it with its own. */
  startInherited(): void {
    try {
      // What is wrong with them that thread has said.
      this.start({ ...this.#host.inheritOptions(), logger: null });
      this.#isInherited = this.#run !== undefined;
    } catch (error) {
      // The program is strict about its own call, not about a thread that knows nothing of it.
      this.#diagnostics.warn(`profiling is off in a worker thread: ${describeError(error)}`);
    }
  }

  /**
   * Stops profiling at once and sends what is left. Never rejects.
   *
   * @param isHolding - keeps the process alive until then.
   */
  async stop(timeoutMs: number | undefined, isHolding = true): Promise<FlushResult> {
    const run = this.#run ?? this.#stoppingRun;
    if (run === undefined) return NOTHING_TO_SEND;
    // A thread that never started it shall not be held for long by a server that hangs.
    const { exitTimeoutMs, uploadTimeoutMs } = run.config;
    const ownTimeoutMs = this.#isInherited ? Math.min(exitTimeoutMs, uploadTimeoutMs) : uploadTimeoutMs;
    this.#isInherited = false;
    run.release();
    this.#run = undefined;
    this.#stoppingRun = run;
    try {
      return await run.agent.stop(checkTimeout(timeoutMs) ?? ownTimeoutMs, isHolding);
    } catch (error) {
      return this.#reportFailure(run, "stop", error);
    } finally {
      run.releaseExit();
      if (this.#stoppingRun === run) this.#stoppingRun = undefined;
    }
  }

  /** Stops one group at once and sends what it recorded; the run ends with the last one. Never rejects. */
  async stopGroup(group: ProfilerGroup, timeoutMs: number | undefined): Promise<FlushResult> {
    const run = this.#run;
    if (run === undefined) return NOTHING_TO_SEND;
    try {
      const result = run.agent.stopGroup(group, checkTimeout(timeoutMs) ?? run.config.uploadTimeoutMs);
      return run.agent.profileTypes.length === 0 ? await this.stop(timeoutMs) : await result;
    } catch (error) {
      return this.#reportFailure(run, `stopping ${group}`, error);
    }
  }

  /** Sends the window so far and what waits. Never rejects. */
  async flush(timeoutMs: number | undefined): Promise<FlushResult> {
    const run = this.#run;
    if (run === undefined) return NOTHING_TO_SEND;
    try {
      return await run.agent.flush(checkTimeout(timeoutMs) ?? run.config.uploadTimeoutMs);
    } catch (error) {
      return this.#reportFailure(run, "flush", error);
    }
  }

  /** Counts an exception that was caught. Never throws. */
  recordException(error: unknown): void {
    this.#run?.agent.recordException(error);
  }

  /** Samples every allocation for a time. Never rejects. */
  async captureAllocations(durationMs: unknown): Promise<CaptureResult> {
    const run = this.#run;
    if (run === undefined) return { ok: false, error: "nothing is profiled" };
    if (typeof durationMs !== "number" || !(durationMs >= 1 && durationMs <= MAX_CAPTURE_MS)) {
      return { ok: false, error: `durationMs=${String(durationMs)}: expected 1 to ${MAX_CAPTURE_MS}` };
    }
    try {
      return await run.agent.captureAllocations(durationMs);
    } catch (error) {
      const { error: message } = this.#reportFailure(run, "captureAllocations", error);
      return { ok: false, error: message };
    }
  }

  /** Runs `fn` in any case; only what `fn` itself throws is thrown. */
  runWithLabels<A extends readonly unknown[], T>(labels: LabelValues, fn: (...args: A) => T, args: A): T {
    const run = this.#run;
    if (run === undefined) return fn(...args);
    const context = run.agent.labels;
    const next = this.#addLabels(run, context, labels);
    if (next === undefined) return fn(...args);
    const { calls } = run.agent;
    return calls === undefined ? context.run(next, fn, args) : calls.observeCall(context, next, fn, args);
  }

  /** Runs `handler` in any case, as a method of `self`, with the labels that `labelsOf` makes from its arguments. */
  runHandler<S, A extends readonly unknown[], T>(
    labelsOf: (this: S, ...args: A) => LabelValues,
    handler: (this: S, ...args: A) => T,
    self: S,
    args: A,
  ): T {
    const run = this.#run;
    if (run === undefined) return Reflect.apply(handler, self, args);
    const context = run.agent.labels;
    const labels = readLabels(run.diagnostics, labelsOf, self, args);
    const next = labels === undefined ? undefined : this.#addLabels(run, context, labels);
    if (next === undefined) return Reflect.apply(handler, self, args);
    const { calls } = run.agent;
    return calls === undefined
      ? context.run(next, callMethod<S, A, T>, [handler, self, args])
      : calls.observeCall(context, next, callMethod<S, A, T>, [handler, self, args]);
  }

  /** True where `span` is the one that is active, and while nothing runs. */
  isSpanActive(span: ProfiledSpan | undefined): boolean {
    const run = this.#run;
    return run === undefined || run.agent.labels.current()?.span === span;
  }

  /** Has `maker` run `fn` with `value` in any case, and with `span` in place of the one that is active. */
  runInSpan<V, T>(span: ProfiledSpan | undefined, maker: ContextMaker<V>, value: V, fn: () => T): T {
    const run = this.#run;
    if (run === undefined) return maker.run(value, fn);
    const context = run.agent.labels;
    const current = context.current();
    if (current?.span === span) return maker.run(value, fn);
    const labels = current === undefined ? run.agent.labelSets.empty : current.labels;
    return context.runWithin({ labels, ids: current?.ids, span }, maker, value, fn);
  }

  /** How samples are labelled now; `none` also while nothing runs. */
  get labelMechanism(): LabelMechanism {
    return this.#run?.agent.labels.mechanism ?? "none";
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** Says `message` once in a run, through the user's logger. */
  warnOnce(key: string, message: string): void {
    this.#diagnostics.warnOnce(key, message);
  }

  /** The labels of the code that runs now. */
  getLabels(): Readonly<Record<string, string>> {
    const context = this.#run?.agent.labels.current();
    return context === undefined ? NO_LABELS : toRecord(context);
  }

  /** Gives the rest of the current asynchronous context `labels`, in place of its own or on top of them. */
  enterLabels(labels: LabelValues, isAdded: boolean): void {
    const run = this.#run;
    if (run === undefined) return;
    try {
      const context = run.agent.labels;
      const sets = run.agent.labelSets;
      const empty = toContext(sets.empty);
      const current = context.current() ?? empty;
      const parent = isAdded ? current : withSpan(empty, current.span);
      run.agent.noteLabels();
      context.enter(addLabels(sets, parent, labels));
    } catch (error) {
      run.diagnostics.warnOnce("labels", `labels not set: ${describeError(error)}`);
    }
  }

  status(): PyroscopeStatus {
    const run = this.#run ?? this.#stoppingRun;
    let state: PyroscopeStatus["state"] = "off";
    if (run !== undefined) state = run === this.#run ? "running" : "stopping";
    return {
      state,
      applicationName: this.#lastRun?.agent.applicationName,
      serverAddress: this.#lastRun?.config.serverAddress,
      backend: this.#run?.backend,
      profileTypes: this.#run?.agent.profileTypes ?? [],
      labelMechanism: this.labelMechanism,
      uploads: this.#lastRun?.agent.uploads,
      exporters: this.#lastRun?.agent.exporters ?? [],
      overhead: this.#lastRun?.agent.overhead,
      sourceMaps: this.#lastRun?.agent.sourceMaps,
      warnings: this.#diagnostics.warnings,
    };
  }

  #start(config: SdkConfig, diagnostics: Diagnostics, only: ProfilerGroup | undefined): void {
    const running = this.#run;
    if (running !== undefined && isSameConfig(running.config, config)) {
      diagnostics.debug("start() called again with the same options");
      // What was switched off is on again.
      running.agent.start();
      return;
    }
    if (running !== undefined) {
      const message = "start() called again: profiling goes on with the new options";
      if (this.#isInherited) diagnostics.debug(message);
      else diagnostics.warn(message);
      // Stops the profilers at once; what they recorded is sent beside the new run, or in the `exit` event. Never rejects.
      void this.stop(undefined, false);
    }
    this.#isInherited = false;
    if (!config.enabled) {
      diagnostics.info("profiling is off: enabled=false");
      return;
    }
    const helper = this.#host.createHelper(config, diagnostics);
    const { native, problem } = loadBackend(this.#host, config.strict);
    const agent = this.#createAgent(config, diagnostics, helper, native);
    agent.start(only);
    const missing = describeMissing(agent.profileTypes, problem, helper.problem);
    if (missing !== undefined) diagnostics.warn(missing);
    this.#run = {
      agent,
      config,
      diagnostics,
      backend: native === undefined ? "inspector" : "native",
      release: this.#watch(agent, config, diagnostics),
      releaseExit: watchExit(this.#host.process, agent, config),
    };
    this.#lastRun = this.#run;
    this.#shareOptions(diagnostics);
    diagnostics.info(
      `profiling ${agent.applicationName}: ${agent.profileTypes.join(", ")} to ${config.serverAddress}`,
    );
  }

  #watch(agent: Agent, config: SdkConfig, diagnostics: Diagnostics): Cancel {
    const unwatch = watchProcess(this.#host.process, agent, config, () => this.stop(config.exitTimeoutMs));
    // Exporters that are objects of the program stay in this thread.
    const hasExporters =
      !this.#isPreloaded &&
      agent.isPushing &&
      config.exporters.some((exporter) => !isCustomExporter(exporter));
    const leaveWorkers = hasExporters ? this.#host.profileWorkers(config, diagnostics) : undefined;
    return () => {
      unwatch();
      leaveWorkers?.();
    };
  }

  #shareOptions(diagnostics: Diagnostics): void {
    try {
      this.#host.shareOptions(this.#options);
    } catch (error) {
      // What stands in them beside ours may be no data: a circle.
      diagnostics.warn(`worker threads do not inherit these options: ${describeError(error)}`);
    }
  }

  #createAgent(
    config: SdkConfig,
    diagnostics: Diagnostics,
    helper: Helper,
    native: NativeBindings | undefined,
  ): Agent {
    const { clock, random, platform, loadInspector } = this.#host;
    return new Agent({
      config,
      native,
      loadInspector,
      helper,
      resource: createProcessResource(config, this.#host.readFacts(), diagnostics),
      clock,
      random,
      diagnostics,
      isMainThread,
      platform,
    });
  }

  #addLabels(run: Run, context: LabelContext, labels: LabelValues): SampleContext | undefined {
    try {
      const sets = run.agent.labelSets;
      return addLabels(sets, context.current() ?? toContext(sets.empty), labels);
    } catch (error) {
      // A getter or proxy of the caller's labels threw.
      run.diagnostics.warnOnce("labels", `labels not set: ${describeError(error)}`);
      return undefined;
    }
  }

  #reportFailure(run: Run, what: string, error: unknown): FlushResult {
    const message = `${what}: ${describeError(error)}`;
    run.diagnostics.error(message);
    return { ok: false, waitingCount: run.agent.uploads.waitingCount, error: message };
  }
}
