import { clearTimeout, setTimeout } from "node:timers";

/** Cancels what it was returned for; a second call does nothing. */
export type Cancel = () => void;

/** Time and timers, passed to everything that waits so that tests decide when time passes. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowUnixMs(): number;
  /** Milliseconds since some fixed moment; never goes back. */
  nowMonotonicMs(): number;
  /** Calls `callback` once after `delayMs`. Does not keep the process alive. */
  after(delayMs: number, callback: () => void): Cancel;
  /** As {@link Clock.after}, but keeps the process alive until it is cancelled or called. */
  afterHolding(delayMs: number, callback: () => void): Cancel;
}

// As they are when the SDK is loaded: programs fake the global ones, in tests and for replays.
const { now } = Date;
const monotonicNow = performance.now.bind(performance);

/** The real time. */
export const systemClock: Clock = {
  // Not timeOrigin + now(): that never follows a correction of the system clock.
  nowUnixMs: () => now(),
  nowMonotonicMs: () => monotonicNow(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  afterHolding(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
