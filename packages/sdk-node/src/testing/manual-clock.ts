import type { Cancel, Clock } from "../clock.ts";

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
  readonly isHolding: boolean;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #timers = new Set<Timer>();

  constructor(startUnixMs = 1_700_000_000_000) {
    this.#nowMs = startUnixMs;
  }

  /** Timers that wait. */
  get pendingCount(): number {
    return this.#timers.size;
  }

  /** Timers that keep the process alive. */
  get holdingCount(): number {
    return [...this.#timers].filter(({ isHolding }) => isHolding).length;
  }

  nowUnixMs(): number {
    return this.#nowMs;
  }

  nowMonotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): Cancel {
    return this.#add(delayMs, callback, false);
  }

  afterHolding(delayMs: number, callback: () => void): Cancel {
    return this.#add(delayMs, callback, true);
  }

  /** Lets time pass: calls what is due, in order, and lets promises settle after each. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs;
    await settle();
    for (;;) {
      const due = [...this.#timers]
        .filter(({ dueMs }) => dueMs <= endMs)
        .sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.dueMs);
      due.callback();
      await settle();
    }
    this.#nowMs = endMs;
  }

  #add(delayMs: number, callback: () => void, isHolding: boolean): Cancel {
    const timer = { dueMs: this.#nowMs + delayMs, callback, isHolding };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }
}

/** Lets the promises that are ready run their reactions, and theirs. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
