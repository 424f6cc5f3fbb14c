import type { Clock } from "../clock.ts";
import { ReceiverError } from "../errors.ts";
import type { QueryLimits } from "./query-service.ts";

type GateLimits = Pick<QueryLimits, "maxConcurrentQueries" | "maxWaitingQueries" | "queryTimeoutMs">;

/** Lets a bounded number of queries run at once, each for a bounded time. */
export interface QueryGate {
  /**
   * Runs `work` when it is its turn, oldest first. The signal it gets fires when `signal` does and when the time is up;
   * waiting counts towards that time.
   *
   * @throws {@link ReceiverError} UNAVAILABLE when too many wait, CANCELLED when `signal` fired, DEADLINE_EXCEEDED
   * when the time was up.
   */
  run<Result>(
    work: (signal: AbortSignal) => Promise<Result>,
    signal: AbortSignal | undefined,
  ): Promise<Result>;
}

// Pyroscope's words: Grafana shows them as they are.
const CANCELLED_TEXT = "the request was cancelled by the client";
const DEADLINE_TEXT =
  "request timed out, decrease the duration of the request or add more label matchers (prefer exact match over " +
  "regex match) to reduce the amount of data processed";

/** Makes a gate. */
export function createQueryGate(limits: GateLimits, clock: Pick<Clock, "setTimer">): QueryGate {
  const waiting: (() => void)[] = [];
  let runningCount = 0;

  async function enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (runningCount < limits.maxConcurrentQueries) {
      runningCount += 1;
      return;
    }
    if (waiting.length >= limits.maxWaitingQueries) {
      throw new ReceiverError(`${waiting.length} queries wait already: limit ${limits.maxWaitingQueries}`, {
        code: "UNAVAILABLE",
      });
    }
    await new Promise<void>((resolve, reject) => {
      const onTurn = (): void => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = (): void => {
        waiting.splice(waiting.indexOf(onTurn), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      waiting.push(onTurn);
    });
  }

  // The place goes to the next in line; it is never free in between, so that a newcomer cannot overtake.
  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) runningCount -= 1;
    else next();
  }

  return {
    async run(work, clientSignal) {
      const deadline = new AbortController();
      const timer =
        limits.queryTimeoutMs > 0 ? clock.setTimer(() => deadline.abort(), limits.queryTimeoutMs) : undefined;
      const signal =
        clientSignal === undefined ? deadline.signal : AbortSignal.any([clientSignal, deadline.signal]);
      try {
        await enter(signal);
        try {
          signal.throwIfAborted();
          return await work(signal);
        } finally {
          leave();
        }
      } catch (cause) {
        if (clientSignal?.aborted) throw new ReceiverError(CANCELLED_TEXT, { code: "CANCELLED", cause });
        if (deadline.signal.aborted)
          throw new ReceiverError(DEADLINE_TEXT, { code: "DEADLINE_EXCEEDED", cause });
        throw cause;
      } finally {
        timer?.cancel();
      }
    },
  };
}
