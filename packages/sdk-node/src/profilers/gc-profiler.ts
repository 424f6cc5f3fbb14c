import { constants, PerformanceObserver } from "node:perf_hooks";
import type { Clock } from "../clock.ts";
import { convertCollections } from "../transform/convert-collections.ts";
import type { Profiler, Recording } from "./profiler.ts";

const SORTS: ReadonlyMap<unknown, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, "minor"],
  [constants.NODE_PERFORMANCE_GC_MAJOR, "major"],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, "incremental marking"],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, "weak callbacks"],
]);

/**
 * Time of this thread in garbage collections, by their sort, from V8's own measurement of each: exact, where the
 * `Garbage Collection` of CPU and wall profiles is sampled.
 */
export class GcProfiler implements Profiler {
  readonly types = ["gc"] as const;
  readonly #clock: Clock;
  readonly #observer = new PerformanceObserver((list) => this.#add(list.getEntries()));
  #isRunning = false;
  #windowStartUnixMs = 0;
  #totals = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#observer.observe({ entryTypes: ["gc"] });
    this.#windowStartUnixMs = this.#clock.nowUnixMs();
  }

  collect(): Recording {
    this.#add(this.#observer.takeRecords());
    const totals = this.#totals;
    const startUnixMs = this.#windowStartUnixMs;
    this.#totals = new Map();
    this.#windowStartUnixMs = this.#clock.nowUnixMs();
    const startUnixNanos = BigInt(Math.round(startUnixMs)) * 1_000_000n;
    const durationMs = Math.max(0, Math.round(this.#windowStartUnixMs - startUnixMs));
    const durationNanos = BigInt(durationMs) * 1_000_000n;
    return {
      startUnixNanos,
      durationNanos,
      convert: () => convertCollections(totals, { startUnixNanos, durationNanos }),
    };
  }

  stop(): Recording | undefined {
    if (!this.#isRunning) return undefined;
    const recording = this.collect();
    this.#isRunning = false;
    this.#observer.disconnect();
    return recording;
  }

  #add(entries: readonly { readonly duration: number; readonly detail?: unknown }[]): void {
    for (const { duration, detail } of entries) {
      const kind =
        typeof detail === "object" && detail !== null && "kind" in detail ? detail.kind : undefined;
      const sort = SORTS.get(kind) ?? "other";
      this.#totals.set(sort, (this.#totals.get(sort) ?? 0) + duration);
    }
  }
}
