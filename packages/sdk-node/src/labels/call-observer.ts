import { types } from "node:util";
import type { Clock } from "../clock.ts";
import type { CallAccounts } from "./call-accounts.ts";
import type { LabelContext } from "./label-context.ts";
import type { SampleContext } from "./sample-context.ts";

/** What a call observer needs. */
export interface CallObserverOptions {
  readonly clock: Clock;
  /** Where calls are counted; undefined when they are not. */
  readonly accounts: CallAccounts | undefined;
  /** Told before the first labels are set. */
  readonly onLabels: () => void;
  /** Told of what a call throws or rejects with. Must not throw. */
  readonly onError: ((error: unknown, context: SampleContext) => void) | undefined;
}

/**
 * Runs labelled calls and sees how they end.
 *
 * A promise cannot be watched without being handled, which would hide an unhandled rejection. So the caller gets
 * the promise of an async function that awaits it: with the same outcome, and handled by nobody else.
 */
export class CallObserver {
  readonly #options: CallObserverOptions;

  constructor(options: CallObserverOptions) {
    this.#options = options;
  }

  // Named, as the function below, so that their frames can be left out of stacks.
  observeCall<A extends readonly unknown[], T>(
    labels: LabelContext,
    context: SampleContext,
    fn: (...args: A) => T,
    args: A,
  ): T {
    const { clock, accounts, onLabels, onError } = this.#options;
    const parent = labels.current()?.labels;
    const startMs = clock.nowMonotonicMs();
    const end = (): void => accounts?.end(context.labels, parent, startMs, clock.nowMonotonicMs());
    const fail = (error: unknown): void => {
      end();
      onError?.(error, context);
    };
    accounts?.begin(context.labels, startMs);
    onLabels();
    let result: T;
    try {
      result = labels.run(context, fn, args);
    } catch (error) {
      fail(error);
      throw error;
    }
    // T is a promise of something, and so is what takes its place.
    if (isPlainPromise(result)) return awaitCall(result, end, fail) as T;
    end();
    return result;
  }
}

async function awaitCall(
  promise: Promise<unknown>,
  end: () => void,
  fail: (error: unknown) => void,
): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    fail(error);
    throw error;
  }
  end();
  return value;
}

/** Promises of a library may have methods of their own (a query builder's, a child process's), which must stay. */
function isPlainPromise(value: unknown): value is Promise<unknown> {
  return (
    types.isPromise(value) &&
    Object.getPrototypeOf(value) === Promise.prototype &&
    // Hooks of Node mark promises with symbols.
    Object.getOwnPropertyNames(value).length === 0
  );
}
