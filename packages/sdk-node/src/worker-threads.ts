import { fileURLToPath } from "node:url";
import type * as WorkerThreads from "node:worker_threads";
import type { Cancel, Clock } from "./clock.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { describeError } from "./errors.ts";
import { findOwnFile } from "./own-files.ts";
import { markThreads } from "./thread-options.ts";

/** What profiling worker threads needs. */
export interface WorkerThreadsOptions {
  /** How many are profiled at once. */
  readonly maxThreads: number;
  readonly clock: Clock;
  readonly diagnostics: Diagnostics;
}

type WorkerConstructor = typeof WorkerThreads.Worker;

// What a thread costs when it begins is 0.1 s of CPU time: a program with a thread for each task shall not pay it each time.
const MIN_PLACE_MS = 60_000;

// The profiler is some megabytes of the heap of the thread, which ends when that is full.
const MIN_HEAP_MB = 64;

// The SDK is ECMAScript modules, which a thread with this flag cannot load.
const NO_REQUIRE = "--no-experimental-require-module";

/**
 * Has the worker threads that this thread starts from now on profiled, until the result is called: each loads the SDK before
 * its own code and has the options of this thread. Whatever fails, the thread starts as it would have.
 *
 * There is no event before a thread begins, so `Worker` itself is replaced, also for those that have imported it already.
 */
export function profileWorkerThreads(options: WorkerThreadsOptions): Cancel {
  const { diagnostics, maxThreads } = options;
  if (maxThreads === 0 || process.versions.bun !== undefined || !process.features.require_module)
    return () => {};
  try {
    const preload = fileURLToPath(findOwnFile("thread-register").url);
    const module = process.getBuiltinModule("node:worker_threads");
    const original = module.Worker;
    const replacement = createReplacement(original, preload, new Places(options));
    replaceWorker(module, replacement);
    return () => {
      // Somebody else may have replaced it since.
      if (module.Worker === replacement) replaceWorker(module, original);
    };
  } catch (error) {
    diagnostics.debug(`worker threads are not profiled: ${describeError(error)}`);
    return () => {};
  }
}

function replaceWorker(module: { Worker: WorkerConstructor }, worker: WorkerConstructor): void {
  module.Worker = worker;
  process.getBuiltinModule("node:module").syncBuiltinESMExports();
}

function createReplacement(original: WorkerConstructor, preload: string, places: Places): WorkerConstructor {
  const construct = (args: unknown[], newTarget: unknown): WorkerThreads.Worker =>
    Reflect.construct(original, args, newTarget as WorkerConstructor);
  return new Proxy(original, {
    construct(_target, args, newTarget) {
      const place = canBeProfiled(args[1]) ? places.take() : undefined;
      if (place === undefined) return construct(args, newTarget);
      let worker: WorkerThreads.Worker | undefined;
      try {
        worker = constructWith(preload, args, (changed) => construct(changed, newTarget));
      } finally {
        markThreads(undefined);
        if (worker === undefined) places.release(place);
      }
      worker.once("exit", () => places.release(place));
      return worker;
    },
  });
}

function canBeProfiled(options: unknown): boolean {
  if (typeof options !== "object" || options === null) return options === undefined || options === null;
  const { execArgv, resourceLimits } = options as WorkerThreads.WorkerOptions;
  const heapMb = resourceLimits?.maxOldGenerationSizeMb ?? MIN_HEAP_MB;
  if (execArgv === undefined) return heapMb >= MIN_HEAP_MB;
  return Array.isArray(execArgv) && !execArgv.includes(NO_REQUIRE) && heapMb >= MIN_HEAP_MB;
}

/** Tries with the flags of the program, then with those of them that a thread may have, then as the program says. */
function constructWith(
  preload: string,
  [file, options]: readonly unknown[],
  construct: (args: unknown[]) => WorkerThreads.Worker,
): WorkerThreads.Worker {
  const own = (options as WorkerThreads.WorkerOptions | undefined)?.execArgv;
  const flags = own ?? process.execArgv;
  markThreads({ isProfiled: true, execArgv: [...flags] });
  const withFlags = (given: readonly string[]): unknown[] => [
    file,
    // Not a copy: it may be an object of a class, with getters.
    Object.create((options ?? null) as object | null, {
      // Not --import, which Node does not load before code that is given as text.
      execArgv: { value: ["--require", preload, ...given], enumerable: true },
    }),
  ];
  try {
    return construct(withFlags(flags));
  } catch (error) {
    const refused = readRefusedFlags(error);
    if (refused === undefined) throw error;
    try {
      if (own !== undefined) throw error;
      return construct(withFlags(flags.filter((flag) => !refused.includes(flag))));
    } catch {
      return construct([file, options]);
    }
  }
}

/** Flags of V8 and of the whole process, which a thread has in any case and may not be given. */
function readRefusedFlags(error: unknown): readonly string[] | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  if (error.code !== "ERR_WORKER_INVALID_EXEC_ARGV") return undefined;
  return error.message.slice(error.message.indexOf(": ") + 2).split(", ");
}

/** How many threads are profiled; one that ends early keeps its place for a while. */
class Places {
  readonly #options: WorkerThreadsOptions;
  #takenCount = 0;

  constructor(options: WorkerThreadsOptions) {
    this.#options = options;
  }

  /** When it was taken; undefined where there is none. */
  take(): number | undefined {
    const { clock, diagnostics, maxThreads } = this.#options;
    if (this.#takenCount >= maxThreads) {
      diagnostics.warnOnce(
        "worker-threads",
        `more than ${maxThreads} worker threads (maxWorkerThreads) at once or within a minute: the others are profiled only where they start the SDK themselves`,
      );
      return undefined;
    }
    this.#takenCount++;
    return clock.nowMonotonicMs();
  }

  release(takenMs: number): void {
    const { clock } = this.#options;
    const free = (): void => void this.#takenCount--;
    const restMs = takenMs + MIN_PLACE_MS - clock.nowMonotonicMs();
    if (restMs <= 0) free();
    else clock.after(restMs, free);
  }
}
