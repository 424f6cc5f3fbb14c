import process from "node:process";
import type { Cancel } from "./clock.ts";

/** What of `process` the signal watch uses. */
export interface SignalTarget {
  readonly pid: number;
  once(event: "beforeExit", listener: () => void): unknown;
  prependListener(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  removeListener(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  listenerCount(signal: NodeJS.Signals): number;
  kill(pid: number, signal: NodeJS.Signals): unknown;
}

const SIGNALS: readonly NodeJS.Signals[] = ["SIGTERM", "SIGINT"];

/**
 * Runs `flush` when a signal is about to end the process, and then lets it end by that very signal, so that the
 * parent sees the status that it would have seen without us.
 *
 * Where the program, or a library such as signal-exit, listens too, the signal is theirs. Such libraries end
 * the process only when they find no listener but their own; ours therefore goes first and takes itself off
 * the list before they look.
 *
 * @param flush - bounded in time; never rejects.
 * @returns takes the listeners off.
 */
export function watchSignals(target: SignalTarget, flush: () => Promise<unknown>): Cancel {
  let isFlushing = false;
  let isWatching = true;
  let isTurnComing = false;

  const reraise = (signal: NodeJS.Signals): void => {
    cancel();
    target.kill(target.pid, signal);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    // Asked twice: the user does not want to wait for the flush.
    if (isFlushing) {
      reraise(signal);
      return;
    }
    target.removeListener(signal, onSignal);
    if (target.listenerCount(signal) > 0) {
      // Before what they await goes on: NestJS ends what it runs in a few promises, and then sends itself the signal again.
      process.nextTick(() => {
        if (isWatching) target.prependListener(signal, onSignal);
      });
      // A signal that a program without anything else to do sends itself waits for a turn that would not come.
      if (!isTurnComing) target.once("beforeExit", () => setImmediate(() => undefined));
      isTurnComing = true;
      return;
    }
    isFlushing = true;
    target.prependListener(signal, onSignal);
    void flush().finally(() => reraise(signal));
  };
  const cancel = (): void => {
    isWatching = false;
    for (const signal of SIGNALS) target.removeListener(signal, onSignal);
  };

  for (const signal of SIGNALS) target.prependListener(signal, onSignal);
  return cancel;
}
