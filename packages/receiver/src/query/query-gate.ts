import type { Clock } from "../clock.ts";
import { ReceiverError } from "../errors.ts";
import { FairQueue } from "./fair-queue.ts";
import type { QueryLimits } from "./query-service.ts";

type GateLimits = Pick<QueryLimits, "maxConcurrentQueries" | "maxWaitingQueries" | "queryTimeoutMs">;

/** Lets a bounded number of queries run at once, each for a bounded time. */
export interface QueryGate {
  /**
   * Runs `work` when it is its turn: owners take turns, and queries of one owner come oldest first. The signal it gets
   * fires when `signal` does and when the time is up; waiting counts towards that time.
   *
   * @param owner - who asks: its tenants.
   * @throws {@link ReceiverError} UNAVAILABLE when too many wait, those of the owner with the most first; CANCELLED when
   * `signal` fired, DEADLINE_EXCEEDED when the time was up.
   */
  run<Result>(
    work: (signal: AbortSignal) => Promise<Result>,
    owner: string,
    signal: AbortSignal | undefined,
  ): Promise<Result>;
}

// Pyroscope's words: Grafana shows them as they are.
const CANCELLED_TEXT = "the request was cancelled by the client";
const DEADLINE_TEXT =
  "request timed out, decrease the duration of the request or add more label matchers (prefer exact match over " +
  "regex match) to reduce the amount of data processed";

/** What a client that went away is told. */
export function toCancelled(cause: unknown): ReceiverError {
  return new ReceiverError(CANCELLED_TEXT, { code: "CANCELLED", cause });
}

/** What one is told whose query took longer than it may, or than they wait for it. */
export function toLate(cause: unknown): ReceiverError {
  return new ReceiverError(DEADLINE_TEXT, { code: "DEADLINE_EXCEEDED", cause });
}

/** A query in line. */
interface Waiter {
  enter(): void;
  refuse(error: ReceiverError): void;
}

/** Makes a gate. */
export function createQueryGate(limits: GateLimits, clock: Pick<Clock, "setTimer">): QueryGate {
  const waiting = new FairQueue<Waiter>();
  let runningCount = 0;

  const refusal = (): ReceiverError =>
    new ReceiverError(`${waiting.length} queries wait already: limit ${limits.maxWaitingQueries}`, {
      code: "UNAVAILABLE",
    });

  async function enter(owner: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (runningCount < limits.maxConcurrentQueries) {
      runningCount += 1;
      return;
    }
    if (waiting.length >= limits.maxWaitingQueries) {
      const error = refusal();
      // One tenant that asks without end fills the line; it must not keep the others out of it.
      const loser = waiting.takeForRoom(owner);
      if (loser === undefined) throw error;
      loser.refuse(error);
    }
    await new Promise<void>((resolve, reject) => {
      const end = (): void => signal.removeEventListener("abort", onAbort);
      const waiter: Waiter = {
        enter: () => {
          end();
          resolve();
        },
        refuse: (error) => {
          end();
          reject(error);
        },
      };
      const onAbort = (): void => {
        waiting.remove(owner, waiter);
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      waiting.add(owner, waiter);
    });
  }

  // The place goes to the next in line; it is never free in between, so that a newcomer cannot overtake.
  function leave(): void {
    const next = waiting.takeNext();
    if (next === undefined) runningCount -= 1;
    else next.enter();
  }

  return {
    async run(work, owner, clientSignal) {
      const deadline = new AbortController();
      const timer =
        limits.queryTimeoutMs > 0 ? clock.setTimer(() => deadline.abort(), limits.queryTimeoutMs) : undefined;
      const signal =
        clientSignal === undefined ? deadline.signal : AbortSignal.any([clientSignal, deadline.signal]);
      try {
        await enter(owner, signal);
        try {
          signal.throwIfAborted();
          return await work(signal);
        } finally {
          leave();
        }
      } catch (cause) {
        if (clientSignal?.aborted) throw toCancelled(cause);
        if (deadline.signal.aborted) throw toLate(cause);
        throw cause;
      } finally {
        timer?.cancel();
      }
    },
  };
}
