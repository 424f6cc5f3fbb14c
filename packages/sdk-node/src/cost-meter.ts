import { type CpuClock, findCpuClock } from "./profilers/cpu-clock.ts";

/** CPU time of work of this thread. */
export class CostMeter {
  readonly #cpuMicros: CpuClock | undefined;
  #spentMs = 0;

  constructor(isMainThread: boolean) {
    this.#cpuMicros = findCpuClock(isMainThread);
  }

  /** Runs `work` and counts what it took: no more than its time, where the CPU clock is that of all threads. */
  measure<T>(work: () => T): T {
    const startMs = performance.now();
    const startMicros = this.#cpuMicros?.();
    try {
      return work();
    } finally {
      const elapsedMs = performance.now() - startMs;
      const cpuMs = ((this.#cpuMicros?.() ?? Number.POSITIVE_INFINITY) - (startMicros ?? 0)) / 1000;
      this.#spentMs += Math.min(elapsedMs, cpuMs);
    }
  }

  /** Milliseconds since the last call. */
  take(): number {
    const spentMs = this.#spentMs;
    this.#spentMs = 0;
    return spentMs;
  }
}
