import type { Clock } from "../clock.ts";
import type { Diagnostics } from "../diagnostics.ts";
import { describeError, SdkError } from "../errors.ts";
import type { HeapTypeName } from "../transform/convert-heap-tree.ts";
import { convertHeapTree } from "../transform/convert-heap-tree.ts";
import { collectPositions } from "../transform/script-positions.ts";
import type { HeapNode, HeapSampler } from "./native.ts";
import type { Profiler, Recording } from "./profiler.ts";

/** What a heap profiler needs. */
export interface HeapProfilerOptions {
  readonly sampler: HeapSampler;
  readonly types: readonly HeapTypeName[];
  readonly intervalBytes: number;
  readonly stackDepth: number;
  readonly clock: Clock;
  readonly diagnostics: Diagnostics;
}

/** Objects alive in V8's heap, by who allocated them, since the sampler was started. */
export class HeapProfiler implements Profiler {
  readonly types: readonly HeapTypeName[];
  readonly #options: HeapProfilerOptions;
  #isRunning = false;
  #isPaused = false;
  #windowStartUnixMs = 0;

  constructor(options: HeapProfilerOptions) {
    this.#options = options;
    this.types = options.types;
  }

  start(): void {
    if (this.#isRunning) return;
    const { sampler, intervalBytes, stackDepth, clock } = this.#options;
    try {
      if (!this.#isPaused) sampler.startHeapSampler(intervalBytes, stackDepth);
    } catch (cause) {
      throw new SdkError(`starting the heap profiler: ${describeError(cause)}`, {
        code: "PROFILER_FAILED",
        cause,
      });
    }
    this.#isRunning = true;
    this.#windowStartUnixMs = clock.nowUnixMs();
  }

  /**
   * Lets another sampler have the heap, also when this one is started meanwhile. The next windows are of what is
   * allocated after {@link HeapProfiler.resume}.
   */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    if (this.#isRunning) this.#options.sampler.stopHeapSampler();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (!this.#isRunning) return;
    this.#options.sampler.startHeapSampler(this.#options.intervalBytes, this.#options.stackDepth);
    this.#windowStartUnixMs = this.#options.clock.nowUnixMs();
  }

  /** Undefined while it is paused. */
  collect(): Recording | undefined {
    if (this.#isPaused) return undefined;
    if (!this.#isRunning) throw new SdkError("the heap profiler does not run", { code: "PROFILER_FAILED" });
    const startUnixMs = this.#windowStartUnixMs;
    this.#windowStartUnixMs = this.#options.clock.nowUnixMs();
    return this.#record(this.#read(), startUnixMs);
  }

  /** What is alive now, beside the windows; undefined when the profiler does not run. */
  snapshot(): Recording | undefined {
    return this.#isRunning && !this.#isPaused
      ? this.#record(this.#read(), this.#options.clock.nowUnixMs())
      : undefined;
  }

  stop(): Recording | undefined {
    if (!this.#isRunning) return undefined;
    try {
      return this.collect();
    } finally {
      this.#isRunning = false;
      // Paused, it is not ours to stop.
      if (!this.#isPaused) this.#options.sampler.stopHeapSampler();
    }
  }

  /** V8 has one sampler for each isolate, so another profiler that stops its own stops this one too. */
  #read(): HeapNode {
    const { sampler, diagnostics, intervalBytes, stackDepth } = this.#options;
    try {
      return sampler.readHeapSampler();
    } catch (cause) {
      sampler.startHeapSampler(intervalBytes, stackDepth);
      diagnostics.warnOnce(
        "heap-stopped",
        "another profiler in this process stopped the heap sampler: it was started again, without what was allocated before",
      );
      throw new SdkError(`reading the heap sampler: ${describeError(cause)}`, {
        code: "PROFILER_FAILED",
        cause,
      });
    }
  }

  #record(root: HeapNode, startUnixMs: number): Recording {
    const { types, intervalBytes, clock } = this.#options;
    const startUnixNanos = BigInt(Math.round(startUnixMs)) * 1_000_000n;
    const durationNanos = BigInt(Math.max(0, Math.round(clock.nowUnixMs() - startUnixMs))) * 1_000_000n;
    const externalBytes = process.memoryUsage().external;
    return {
      startUnixNanos,
      durationNanos,
      positions: () => collectPositions(root),
      convert: (sources) =>
        convertHeapTree(root, {
          types,
          intervalBytes,
          startUnixNanos,
          durationNanos,
          externalBytes,
          sources,
        }),
    };
  }
}
