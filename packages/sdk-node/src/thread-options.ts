import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";
import type { PyroscopeOptions } from "./options.ts";

// Seen by the threads that are started afterwards, and by their threads.
const KEY = "pyroscope.options";

// Seen by a thread that shall be profiled without asking for it.
const MARK = "pyroscope.profiled";

/** Hands the options of a start on to the worker threads of this one; functions, as of a logger, cannot go along. */
export function shareOptions(options: PyroscopeOptions): void {
  setEnvironmentData(
    KEY,
    JSON.stringify(options, (_key, value: unknown) => {
      // In a list null would stand for what is left out: the whole list would count as wrong.
      if (Array.isArray(value)) return value.filter(isPlain);
      return isPlain(value) ? value : undefined;
    }),
  );
}

/** The options of the thread that started this one; undefined in the main thread. */
export function inheritOptions(): PyroscopeOptions | undefined {
  const shared = isMainThread ? undefined : getEnvironmentData(KEY);
  return typeof shared === "string" ? (JSON.parse(shared) as PyroscopeOptions) : undefined;
}

/** What a thread is told that loads the SDK without asking for it. */
export interface ThreadMark {
  /** Not so in the threads that a profiled one starts. */
  readonly isProfiled: boolean;
  /** The flags that it has by the program. */
  readonly execArgv: readonly string[];
}

/** Marks the threads that are started from now on, or no more. */
export function markThreads(mark: ThreadMark | undefined): void {
  setEnvironmentData(MARK, mark);
}

/** The mark of this thread. */
export function takeThreadMark(): ThreadMark | undefined {
  const mark = isMainThread ? undefined : (getEnvironmentData(MARK) as ThreadMark | undefined);
  if (mark !== undefined) markThreads({ ...mark, isProfiled: false });
  return mark;
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null)
    return typeof value !== "function" && typeof value !== "bigint";
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === null) &&
    !Object.values(value).some((member) => typeof member === "function")
  );
}
