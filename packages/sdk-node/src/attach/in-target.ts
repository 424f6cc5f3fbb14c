// Functions whose source text runs in the target. They know nothing but their arguments and what every Node has.
import type { NativeTimeOptions, NativeTimeProfiler, TimeTree } from "../profilers/native.ts";

/** What {@link startInTarget} takes. */
export interface StartArguments {
  /** The file that loads the native profiler. */
  readonly bindingsPath: string;
  readonly options: NativeTimeOptions;
  /** When to stop without being asked: whoever asked is gone. */
  readonly giveUpMs: number;
}

/** What {@link startInTarget} gives. */
export interface StartedTarget {
  readonly pid: number;
  readonly version: string;
  /** Why profiling did not begin. */
  readonly problem?: string;
}

interface Attachment {
  /** Ends profiling; the tree of the first call only. */
  readonly stop: () => TimeTree | undefined;
}

interface AttachedGlobal {
  [key: symbol]: Attachment | undefined;
}

/** Loads the native profiler and starts it. */
export function startInTarget({ bindingsPath, options, giveUpMs }: StartArguments): StartedTarget {
  const { pid, version } = process;
  const target = globalThis as AttachedGlobal;
  const key = Symbol.for("pyroscope.attachment");
  if (target[key] !== undefined) return { pid, version, problem: "somebody is attached already" };
  if (typeof process.getBuiltinModule !== "function") {
    return { pid, version, problem: `its Node is ${version}: 20.16, 22.3 or newer is needed` };
  }
  const { createRequire } = process.getBuiltinModule("node:module");
  const { TimeProfiler } = createRequire(bindingsPath)(bindingsPath) as {
    readonly TimeProfiler: new (options: NativeTimeOptions) => NativeTimeProfiler;
  };
  const profiler = new TimeProfiler(options);
  let isRunning = true;
  const stop = (): TimeTree | undefined => {
    if (!isRunning) return undefined;
    isRunning = false;
    clearTimeout(timer);
    process.removeListener("exit", stop);
    delete target[key];
    const tree = profiler.stop(false);
    profiler.dispose();
    return tree;
  };
  const timer = setTimeout(stop, giveUpMs);
  timer.unref();
  try {
    profiler.start();
  } catch (error) {
    isRunning = false;
    clearTimeout(timer);
    profiler.dispose();
    return { pid, version, problem: String(error) };
  }
  target[key] = { stop };
  process.prependListener("exit", stop);
  return { pid, version };
}

/** Stops it; what it recorded as JSON, undefined when it gave up before. */
export function stopInTarget(): string | undefined {
  const tree = (globalThis as AttachedGlobal)[Symbol.for("pyroscope.attachment")]?.stop();
  // Timestamps are of no use without labels, and no JSON.
  return tree && JSON.stringify(tree, (key, value: unknown) => (key === "timestamp" ? undefined : value));
}

/** What {@link closeInspectorInTarget} takes. */
export interface CloseArguments {
  readonly port: number;
  readonly delayMs: number;
}

/**
 * Closes the inspector as soon as nobody is connected to it, and not before `delayMs`.
 *
 * Node's inspector.close() frees the connections that are open while their last bytes are being written, and the process
 * dies of that in one of ten cases (Node 22 to 26: a segmentation fault in WsHandler::OnCloseFrameWritten). Without a
 * connection it is safe. Somebody else who is connected keeps it open: then it is not ours to close.
 */
export function closeInspectorInTarget({ port, delayMs }: CloseArguments): void {
  const { readFileSync } = process.getBuiltinModule("node:fs");
  const inspector = process.getBuiltinModule("node:inspector");
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const isConnected = (): boolean => {
    try {
      // Local address, remote address, state: 01 is ESTABLISHED.
      return ["tcp", "tcp6"].some((file) =>
        readFileSync(`/proc/self/net/${file}`, "utf8")
          .split("\n")
          .map((line) => line.trim().split(/\s+/))
          .some(([, address = "", , state]) => address.endsWith(local) && state === "01"),
      );
    } catch {
      return false;
    }
  };
  let triesLeft = 40;
  const attempt = (): void => {
    if (!isConnected()) inspector.close();
    else if (triesLeft-- > 0) setTimeout(attempt, delayMs).unref();
  };
  setTimeout(attempt, delayMs).unref();
}
