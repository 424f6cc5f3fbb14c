/** A timer that can be taken back. */
export interface Timer {
  /** Stops the timer; nothing happens when it has fired. */
  cancel(): void;
}

/** The one source of time: everything that reads or waits for time gets one, so that tests own the time. */
export interface Clock {
  /** Wall time, milliseconds since the epoch. It jumps when someone sets it. */
  nowUnixMillis(): number;
  /** Milliseconds since some fixed moment; never goes back, whatever happens to the wall time. */
  monotonicMillis(): number;
  /** Calls `fn` once, after `delayMillis` of monotonic time. The timer does not keep the process alive. */
  setTimer(fn: () => void, delayMillis: number): Timer;
}

/** The time of this machine. */
export const systemClock: Clock = {
  nowUnixMillis: () => Date.now(),
  monotonicMillis: () => performance.now(),
  setTimer: (fn, delayMillis) => {
    const timer = setTimeout(fn, delayMillis);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
