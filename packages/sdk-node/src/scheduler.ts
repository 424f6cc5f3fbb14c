import type { Cancel, Clock } from "./clock.ts";

/** What a scheduler needs. */
export interface SchedulerOptions {
  readonly periodMs: number;
  readonly clock: Clock;
  /** As `Math.random`. */
  readonly random: () => number;
  /** Ends one window and begins the next. Must not throw. */
  readonly tick: () => void;
}

// Processes that are started together (a deployment) must not upload together for ever: each has its own phase,
// and each upload a small offset of its own, which does not add up, so that the rate stays exact.
const PHASE_SHARE = 0.5;
const JITTER_SHARE = 0.05;

/** Calls `tick` once in every period, at a random phase, from unref'd timers. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  #cancel: Cancel | undefined;
  #nextMs = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#cancel !== undefined) return;
    const { clock, periodMs, random } = this.#options;
    this.#nextMs = clock.nowMonotonicMs() + periodMs * (1 - PHASE_SHARE * random());
    this.#arm();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    const { clock, periodMs, random, tick } = this.#options;
    const jitterMs = periodMs * JITTER_SHARE * (random() - 0.5);
    const delayMs = Math.max(0, this.#nextMs + jitterMs - clock.nowMonotonicMs());
    this.#cancel = clock.after(delayMs, () => {
      // A blocked event loop or a suspended machine makes one long window, not many empty ones after it.
      const lateMs = clock.nowMonotonicMs() - this.#nextMs;
      this.#nextMs += periodMs * Math.max(1, Math.floor(lateMs / periodMs) + 1);
      this.#arm();
      tick();
    });
  }
}
