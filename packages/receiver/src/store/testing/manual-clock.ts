import type { Clock, Timer } from "../../clock.ts";

interface PendingTimer {
  readonly at: number;
  readonly fn: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #unixMillis: number;
  #monotonicMillis = 0;
  readonly #timers = new Set<PendingTimer>();

  constructor(unixMillis: number) {
    this.#unixMillis = unixMillis;
  }

  nowUnixMillis(): number {
    return this.#unixMillis;
  }

  monotonicMillis(): number {
    return this.#monotonicMillis;
  }

  setTimer(fn: () => void, delayMillis: number): Timer {
    const timer = { at: this.#monotonicMillis + delayMillis, fn };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Lets time pass; timers that are due fire. */
  advance(millis: number): void {
    this.#unixMillis += millis;
    this.#monotonicMillis += millis;
    for (const timer of [...this.#timers].sort((left, right) => left.at - right.at)) {
      if (timer.at > this.#monotonicMillis || !this.#timers.delete(timer)) continue;
      timer.fn();
    }
  }

  /** Moves the wall time only, as someone who sets it does. */
  jump(millis: number): void {
    this.#unixMillis += millis;
  }
}
