import type { Profile } from "@pyroscope-ts/protocol";
import { Conversions } from "./conversions.ts";
import { CostMeter } from "./cost-meter.ts";
import { Delivery } from "./delivery.ts";
import { describeError } from "./errors.ts";
import { adaptExporter, isCustomExporter } from "./exporters/custom-exporter.ts";
import type { Helper } from "./exporters/exporter.ts";
import { Governor, type OverheadStatus } from "./governor.ts";
import { createHeapLimitWatch } from "./heap-limit/create-heap-limit-watch.ts";
import type { HeapLimitWatch } from "./heap-limit/heap-limit-watch.ts";
import type { CallObserver } from "./labels/call-observer.ts";
import type { Label } from "./labels/label.ts";
import type { LabelContext } from "./labels/label-context.ts";
import { LabelSets } from "./labels/label-set.ts";
import type { ProfileTypeName } from "./options.ts";
import type { AllocationWindows, CaptureResult } from "./profilers/allocation-windows.ts";
import { createAllocationWindows, type ProfilerParts } from "./profilers/create-profilers.ts";
import type { Recording } from "./profilers/profiler.ts";
import type { ProfilerGroup } from "./profilers/profiler-set.ts";
import { ProfilerSet } from "./profilers/profiler-set.ts";
import { RemoteCaptures } from "./remote-captures.ts";
import type { Resource } from "./resource.ts";
import { Scheduler } from "./scheduler.ts";
import type { SourceMapStatus } from "./source-maps/source-maps.ts";
import { SourceMaps } from "./source-maps/source-maps.ts";
import type { ExporterStatus, FlushResult, UploadStatus } from "./status.ts";
import { joinProfiles } from "./transform/join-profiles.ts";
import { WindowConversion } from "./window-conversion.ts";

// Retries wait at most this long, so that data flows soon after a long outage has ended.
const MAX_RETRY_DELAY_MS = 30_000;
const MIN_RETRY_DELAY_MS = 1000;

/** What an agent is built from. */
export interface AgentParts extends Omit<ProfilerParts, "meter"> {
  readonly helper: Helper;
  readonly resource: Resource;
}

/**
 * One run, from `start` to `stop`: profilers that record without pause, a scheduler that cuts their recordings
 * into windows, and a queue that sends each window as one upload.
 */
export class Agent {
  readonly labelSets: LabelSets;
  readonly #parts: AgentParts;
  readonly #heapLimit: HeapLimitWatch | undefined;
  readonly #profilers: ProfilerSet;
  readonly #orders: RemoteCaptures;
  readonly #allocations: AllocationWindows;
  readonly #scheduler: Scheduler;
  readonly #delivery: Delivery;
  readonly #sources: SourceMaps | undefined;
  readonly #meter: CostMeter;
  readonly #governor: Governor;
  readonly #conversions: Conversions;
  #stopping: Promise<FlushResult> | undefined;

  constructor(parts: AgentParts) {
    const { config, clock, random, diagnostics, helper, resource } = parts;
    this.#parts = parts;
    this.labelSets = new LabelSets(
      { maxValues: config.maxLabelValues, maxSets: config.maxLabelSets, maxLabels: resource.maxSampleLabels },
      (key, message) => diagnostics.warnOnce(key, message),
    );
    this.#meter = new CostMeter(parts.isMainThread);
    this.#heapLimit = createHeapLimitWatch(parts, resource.labels);
    const profilerParts = { ...parts, meter: this.#meter, heapLimit: this.#heapLimit };
    const profilers = new ProfilerSet(profilerParts, this.labelSets);
    this.#profilers = profilers;
    this.#governor = new Governor({
      sampleRateHz: config.sampleRateHz,
      budgetPercent: config.overheadBudgetPercent,
      setSampleRate: (hz) => profilers.setSampleRate(hz),
      diagnostics,
    });
    this.#allocations = createAllocationWindows(profilerParts, profilers, (recording) =>
      this.#convert([recording], this.#orders.markOf("allocations")),
    );
    this.#orders = new RemoteCaptures({
      setSampleRate: (hz) => profilers.setSampleRate(hz ?? this.#governor.status.sampleRateHz),
      cutWindow: (mark) => this.#cutTimeWindow(mark),
      captureAllocations: (durationMs) => this.#allocations.capture(durationMs),
      clock,
      diagnostics,
    });
    this.#sources = config.sourceMaps
      ? new SourceMaps({ startThread: helper.openSourceMaps, clock, diagnostics })
      : undefined;
    this.#delivery = new Delivery({
      helper,
      exporters: config.exporters.filter(isCustomExporter).map(adaptExporter),
      capacityBytes: config.uploadQueueBytes,
      timeoutMs: config.uploadTimeoutMs,
      maxDelayMs: Math.max(MIN_RETRY_DELAY_MS, Math.min(config.uploadRateMs, MAX_RETRY_DELAY_MS)),
      clock,
      random,
      diagnostics,
      onOrder: config.remoteCapture ? (order) => this.#orders.take(order) : undefined,
    });
    this.#conversions = new Conversions({
      ...parts,
      sources: this.#sources,
      delivery: this.#delivery,
      meter: this.#meter,
      governor: this.#governor,
    });
    this.#scheduler = new Scheduler({
      periodMs: config.uploadRateMs,
      clock,
      random,
      tick: () => this.#tick(),
    });
  }

  /** How labels reach samples now. */
  get labels(): LabelContext {
    return this.#profilers.labels;
  }

  /** How labelled calls are run where their end matters to a profile; undefined where it does not. */
  get calls(): CallObserver | undefined {
    return this.#profilers.calls;
  }

  /** Counts an exception in the profile of those, where there is one. */
  recordException(error: unknown): void {
    this.#profilers.recordException(error);
  }

  /** Labels are being set: from then on more can be profiled on some lines of Node. */
  noteLabels(): void {
    this.#profilers.noteLabels();
  }

  /** Under which name profiles appear. */
  get applicationName(): string {
    const { labels } = this.#parts.resource;
    return labels.find(({ name }) => name === "service_name")?.value ?? "";
  }

  /** What is profiled now. */
  get profileTypes(): readonly ProfileTypeName[] {
    return [...this.#profilers.types, ...this.#allocations.scheduledTypes];
  }

  /** False where profiles are only pulled. */
  get isPushing(): boolean {
    return this.#delivery.isPushing;
  }

  get sourceMaps(): SourceMapStatus | undefined {
    return this.#sources?.status;
  }

  get uploads(): UploadStatus {
    return this.#delivery.status;
  }

  get exporters(): readonly ExporterStatus[] {
    return this.#delivery.exporters;
  }

  get overhead(): OverheadStatus {
    return this.#governor.status;
  }

  /**
   * Starts every profiler that can run, or those of one group; what is on already stays as it is.
   *
   * @throws what the first one threw when none can.
   */
  start(only?: ProfilerGroup): void {
    if (only === undefined) this.#startAll();
    else this.#profilers.startGroup(only);
    this.#scheduler.start();
  }

  #startAll(): void {
    const { native, diagnostics } = this.#parts;
    const failures = this.#profilers.start();
    for (const failure of failures) {
      // That the inspector cannot do all is said once, with what it does.
      if (native === undefined) diagnostics.debug(describeError(failure));
      else diagnostics.warn(describeError(failure));
    }
    const { scheduledTypes } = this.#allocations;
    if (this.#profilers.isEmpty && scheduledTypes.length === 0) {
      this.#heapLimit?.close();
      throw failures[0];
    }
    this.#allocations.start();
  }

  /** Switches one group off and sends what it recorded. Never rejects. */
  async stopGroup(group: ProfilerGroup, timeoutMs: number): Promise<FlushResult> {
    if (this.#stopping !== undefined) return await this.#stopping;
    this.#convert(this.#profilers.stopGroup(group));
    return await this.#sendAll(timeoutMs);
  }

  /** Samples every allocation for a time. Never rejects. */
  captureAllocations(durationMs: number): Promise<CaptureResult> {
    return this.#allocations.capture(durationMs);
  }

  /** Ends the window, begins the next, and sends all that waits. Never rejects. */
  async flush(timeoutMs: number): Promise<FlushResult> {
    this.#cutWindow();
    return await this.#sendAll(timeoutMs);
  }

  /**
   * Stops the profilers at once, and then sends the last window and all that waits. Never rejects; a second call
   * returns the first call's promise.
   *
   * @param isHolding - keeps the process alive until all is sent or the time is up.
   */
  stop(timeoutMs: number, isHolding = true): Promise<FlushResult> {
    this.#stopping ??= this.#stop(timeoutMs, isHolding);
    return this.#stopping;
  }

  /**
   * What is pushed of one type from now until `until` resolves, as one profile of its own; undefined without a sample.
   * The window that is on ends at both moments, and what it holds is pushed as ever.
   */
  capture(type: "cpu" | "wall", until: Promise<void>): Promise<Profile | undefined> {
    return this.#conversions.capture(type, until, () => this.#cutTimeWindow());
  }

  /** What is alive in the heap now; undefined where that is not profiled. The windows that are pushed do not change. */
  async captureHeap(): Promise<Profile | undefined> {
    const recording = this.#profilers.heap?.snapshot();
    if (recording === undefined) return undefined;
    const profiles = await new WindowConversion([recording], this.#sources).convert();
    return profiles.length === 0 ? undefined : joinProfiles(profiles.map(({ profile }) => profile));
  }

  /** True where {@link Agent.finish} can send: whoever cannot must flush before the `exit` event. */
  get canFinish(): boolean {
    return this.#parts.helper.finish !== undefined;
  }

  /**
   * Stops the profilers and sends all that is left before it returns, for the `exit` event: no further turn of the
   * event loop comes. Takes `timeoutMs` at most, and the time to convert the last window. Never throws.
   */
  finish(timeoutMs: number): void {
    const { clock, diagnostics } = this.#parts;
    const deadlineMs = clock.nowMonotonicMs() + timeoutMs;
    this.#scheduler.stop();
    this.#heapLimit?.close();
    this.#orders.stop();
    this.#allocations.stop();
    const recordings = this.#profilers.stop();
    if (!this.isPushing || timeoutMs === 0 || !this.canFinish) return;
    try {
      const last = this.#conversions.finish(recordings);
      const { count, sentCount } = this.#delivery.finish(
        last,
        Math.max(0, deadlineMs - clock.nowMonotonicMs()),
      );
      if (sentCount < count) {
        diagnostics.warn(`exited with ${count - sentCount} windows not sent within ${timeoutMs} ms`);
      }
    } catch (error) {
      diagnostics.warn(`sending the last window: ${describeError(error)}`);
    }
  }

  async #stop(timeoutMs: number, isHolding: boolean): Promise<FlushResult> {
    this.#scheduler.stop();
    this.#orders.stop();
    this.#allocations.stop();
    this.#convert(this.#profilers.stop(), undefined, true);
    const result = await this.#sendAll(timeoutMs, isHolding);
    if (!result.ok) {
      this.#parts.diagnostics.warn(
        `stopped with ${result.waitingCount} windows not sent: ${result.error ?? "time is up"}`,
      );
    }
    this.#sources?.close();
    this.#heapLimit?.close();
    await this.#delivery.close();
    return result;
  }

  #tick(): void {
    // Conversion that takes longer than a window makes the next window longer instead of piling up.
    if (this.#conversions.isEmpty) this.#cutWindow();
  }

  #cutWindow(): void {
    if (this.#stopping === undefined) this.#convert(this.#meter.measure(() => this.#profilers.collect()));
  }

  #cutTimeWindow(mark?: readonly Label[]): void {
    if (this.#stopping !== undefined) return;
    this.#convert(
      this.#meter.measure(() => this.#profilers.collectTime()),
      mark,
    );
  }

  /** @param mark - labels of these profiles beside those of all. */
  #convert(recordings: readonly Recording[], mark = this.#orders.markOf("cpu"), isLast = false): void {
    this.#conversions.add(recordings, mark, isLast);
  }

  /** Holds the process while it waits, where it is asked to: sockets and timers of the SDK do not. */
  async #sendAll(timeoutMs: number, isHolding = true): Promise<FlushResult> {
    const deadline = new AbortController();
    const expired = new Promise<void>((resolve) =>
      deadline.signal.addEventListener("abort", () => resolve()),
    );
    const { clock } = this.#parts;
    const expire = (): void => deadline.abort();
    const cancel = isHolding ? clock.afterHolding(timeoutMs, expire) : clock.after(timeoutMs, expire);
    // Sending needs its part of the time.
    const cancelExpiry = clock.after(timeoutMs / 2, () => this.#sources?.expire());
    try {
      await Promise.race([this.#conversions.done, expired]);
      const isEmpty = await this.#delivery.drain(deadline.signal);
      const ok = isEmpty && this.#conversions.isEmpty;
      const { waitingCount, lastError } = this.#delivery.status;
      return {
        ok,
        waitingCount,
        error: ok ? undefined : (lastError ?? `no answer within ${timeoutMs} ms`),
      };
    } finally {
      cancel();
      cancelExpiry();
    }
  }
}
