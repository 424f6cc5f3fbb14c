import type { Cancel, Clock } from "../clock.ts";
import type { Diagnostics } from "../diagnostics.ts";
import { describeError } from "../errors.ts";
import { Scheduler } from "../scheduler.ts";
import type { HeapTypeName } from "../transform/convert-heap-tree.ts";
import { convertHeapTree } from "../transform/convert-heap-tree.ts";
import { collectPositions } from "../transform/script-positions.ts";
import type { AllocationSampler } from "./allocation-sampler.ts";
import type { HeapNode } from "./native.ts";
import type { Recording } from "./profiler.ts";

/** The types of an allocation profile. */
export type AllocationTypeName = "alloc_objects" | "alloc_space";

/** How a window of allocations ended. */
export interface CaptureResult {
  /** True when its profiles wait to be sent. */
  readonly ok: boolean;
  /** Why, when not `ok`. */
  readonly error: string | undefined;
}

/** What windows of allocations need. */
export interface AllocationWindowsOptions {
  readonly sampler: AllocationSampler;
  /** V8's one heap sampler, which is away while a window is on. */
  readonly live: { readonly heap: { pause(): void; resume(): void } | undefined };
  /** What scheduled windows record; none are scheduled without one. */
  readonly types: readonly AllocationTypeName[];
  readonly windowMs: number;
  readonly periodMs: number;
  readonly intervalBytes: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly diagnostics: Diagnostics;
  /** Takes a window that has ended. */
  readonly record: (recording: Recording) => void;
}

interface OpenWindow {
  readonly startUnixMs: number;
  readonly startMs: number;
  readonly types: readonly HeapTypeName[];
  readonly cancel: Cancel;
  readonly settle: (result: CaptureResult) => void;
  readonly result: Promise<CaptureResult>;
}

const ALL_TYPES: readonly AllocationTypeName[] = ["alloc_objects", "alloc_space"];

/**
 * Windows in which allocations are sampled, on request or by a schedule. Each is a profile with its own start and true
 * length: what is allocated outside of them is not known, and nothing is multiplied to make up for it.
 *
 * V8 has one heap sampler: the one for live objects stops for a window, and knows nothing of what was allocated
 * before the end of it.
 */
export class AllocationWindows {
  readonly #options: AllocationWindowsOptions;
  readonly #scheduler: Scheduler | undefined;
  #open: OpenWindow | undefined;
  #isStopped = true;

  constructor(options: AllocationWindowsOptions) {
    this.#options = options;
    const { types, periodMs, windowMs, clock, random } = options;
    const tick = (): void => void this.#capture(windowMs, types);
    this.#scheduler = types.length === 0 ? undefined : new Scheduler({ periodMs, clock, random, tick });
  }

  /** What scheduled windows record; none without a schedule. */
  get scheduledTypes(): readonly AllocationTypeName[] {
    return this.#options.types;
  }

  start(): void {
    this.#isStopped = false;
    this.#scheduler?.start();
  }

  /** Records `durationMs` of both types, or joins the window that is on. Never rejects. */
  capture(durationMs: number): Promise<CaptureResult> {
    return this.#capture(durationMs, ALL_TYPES);
  }

  /** Ends the window that is on; it is recorded. */
  stop(): void {
    this.#isStopped = true;
    this.#scheduler?.stop();
    this.#end();
  }

  async #capture(durationMs: number, types: readonly AllocationTypeName[]): Promise<CaptureResult> {
    if (this.#isStopped) return { ok: false, error: "nothing is profiled" };
    if (this.#open !== undefined) return await this.#open.result;
    const { sampler, live, clock } = this.#options;
    live.heap?.pause();
    try {
      sampler.start();
    } catch (error) {
      live.heap?.resume();
      return this.#fail(error);
    }
    let settle: (result: CaptureResult) => void = () => undefined;
    const result = new Promise<CaptureResult>((resolve) => {
      settle = resolve;
    });
    const cancel = clock.after(durationMs, () => this.#end());
    const [startUnixMs, startMs] = [clock.nowUnixMs(), clock.nowMonotonicMs()];
    this.#open = { startUnixMs, startMs, types, cancel, settle, result };
    return await result;
  }

  #end(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    open.cancel();
    const { sampler, live, clock, record } = this.#options;
    const durationMs = clock.nowMonotonicMs() - open.startMs;
    try {
      record(this.#toRecording(sampler.stop(), open, durationMs));
      open.settle({ ok: true, error: undefined });
    } catch (error) {
      open.settle(this.#fail(error));
    } finally {
      live.heap?.resume();
    }
  }

  #toRecording(root: HeapNode, { startUnixMs, types }: OpenWindow, durationMs: number): Recording {
    const { intervalBytes } = this.#options;
    const startUnixNanos = BigInt(Math.round(startUnixMs)) * 1_000_000n;
    const durationNanos = BigInt(Math.round(durationMs * 1000)) * 1000n;
    const options = { types, intervalBytes, startUnixNanos, durationNanos, externalBytes: 0 };
    return {
      startUnixNanos,
      durationNanos,
      positions: () => collectPositions(root),
      convert: (sources) => convertHeapTree(root, { ...options, sources }),
    };
  }

  #fail(error: unknown): CaptureResult {
    const message = describeError(error);
    this.#options.diagnostics.warnOnce(`allocations:${message}`, message);
    return { ok: false, error: message };
  }
}
