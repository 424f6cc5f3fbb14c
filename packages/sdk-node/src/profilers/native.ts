import { describeError, SdkError } from "../errors.ts";
import { createOwnRequire } from "../own-files.ts";

// The only file that knows @datadog/pprof, pinned to one exact version because two things need its insides:
// its serialiser drops the time that V8 calls (program), and its runWithContext makes a native object for every
// call where one for every label set is enough (3 times cheaper). Both are avoided by using the native classes.

/** One node of the call tree that V8's CPU profiler gives; children are callees. */
export interface TimeNode {
  readonly name: string;
  readonly scriptName: string;
  readonly scriptId: number;
  /** Line where the function begins, 1-based; 0 when not known. */
  readonly lineNumber: number;
  readonly columnNumber: number;
  /** Ticks that found this node on top. */
  readonly hitCount: number;
  readonly contexts?: readonly TimeNodeContext[];
  readonly children: readonly TimeNode[];
}

/** One tick on a node. */
export interface TimeNodeContext {
  readonly context?: object;
  /** Microseconds since the epoch, by the system clock as it is when the window ends. */
  readonly timestamp?: bigint;
  /** CPU nanoseconds of the thread since the tick before. */
  readonly cpuTime?: number;
}

/** What one window of the native profiler gives. */
export interface TimeTree {
  readonly topDownRoot: TimeNode;
  /** Microseconds of a monotonic clock. */
  readonly startTime: number;
  readonly endTime: number;
  readonly hasCpuTime?: boolean;
  /** CPU nanoseconds of the threads that run no JavaScript; 0 outside the main thread. */
  readonly nonJSThreadsCpuTime?: number;
}

/** One node of the tree that V8's heap sampler gives. */
export interface HeapNode {
  readonly name: string;
  readonly scriptName: string;
  readonly scriptId: number;
  readonly lineNumber: number;
  readonly columnNumber: number;
  readonly allocations: readonly { readonly sizeBytes: number; readonly count: number }[];
  readonly children: readonly HeapNode[];
}

/** The native CPU and wall profiler of one thread. At most one may run in a thread. */
export interface NativeTimeProfiler {
  start(): void;
  stop(restart: boolean): TimeTree;
  /** Must be called before the object is collected, or the process aborts. Its context holders are dead then. */
  dispose(): void;
  /** 2 when V8's sampling thread is stuck for certain, 1 when it may be. */
  v8ProfilerStuckEventLoopDetected(): number;
  /** Only with `useCPED`. */
  createContextHolder(context: object): object;
  /** The context of samples from now on; with `useCPED` in the map of the asynchronous context that runs, in place. */
  context: object | undefined;
  /** At index {@link NativeBindings.sampleCountIndex} the number of samples that took the context. */
  readonly state: Uint32Array;
}

/** Arguments of the native profiler, named as it names them. */
export interface NativeTimeOptions {
  readonly intervalMicros: number;
  /** Sizes the sample buffer for twice this time; samples beyond are lost. */
  readonly durationMillis: number;
  readonly lineNumbers: boolean;
  readonly withContexts: boolean;
  readonly workaroundV8Bug: boolean;
  readonly collectCpuTime: boolean;
  readonly collectAsyncId: boolean;
  readonly useCPED: boolean;
  readonly CPEDKey: object | undefined;
  readonly isMainThread: boolean;
}

/** V8's one sampler of live objects. */
export interface HeapSampler {
  readonly startHeapSampler: (intervalBytes: number, stackDepth: number) => void;
  /** @throws when another copy of the profiler in this thread stopped the sampler. */
  readonly readHeapSampler: () => HeapNode;
  readonly stopHeapSampler: () => void;
}

/** What this package uses of the native profiler. */
export interface NativeBindings extends HeapSampler {
  readonly createTimeProfiler: (options: NativeTimeOptions) => NativeTimeProfiler;
  readonly sampleCountIndex: number;
  /** True when AsyncLocalStorage lives in V8's context slot, which the native profiler reads by itself. */
  readonly isAsyncContextFrameActive: () => boolean;
  /**
   * Has `command` run, with the path of the sampled heap as one more argument, when the heap reaches its limit. As long as
   * the heap sampler, which must be started, is not stopped.
   */
  readonly watchHeapLimit: (command: readonly string[]) => void;
}

interface TimeModule {
  readonly TimeProfiler: new (options: NativeTimeOptions) => NativeTimeProfiler;
  readonly constants: { readonly kSampleCount: number };
}

interface HeapModule {
  readonly startSamplingHeapProfiler: (intervalBytes: number, depth: number, allocations: boolean) => void;
  readonly getAllocationProfile: () => HeapNode;
  readonly stopSamplingHeapProfiler: () => void;
  readonly monitorOutOfMemory: (
    extensionBytes: number,
    maxExtensionCount: number,
    isDumpedToStderr: boolean,
    command: readonly string[],
    callback: undefined,
    callbackMode: number,
    isMainThread: boolean,
    isExtensionAutomatic: boolean,
  ) => void;
}

interface FrameModule {
  readonly isAsyncContextFrameActive: () => boolean;
}

const TIME_BINDINGS = "@datadog/pprof/out/src/time-profiler-bindings.js";

/**
 * Never called. Tools that copy what a program needs (Next.js standalone, Nitro) follow what stands in an `import()`, and
 * bundlers leave it as it is.
 *
 * @public
 */
export const tracedBindings = (): readonly Promise<unknown>[] => [
  import(/* webpackIgnore: true */ /* @vite-ignore */ "@datadog/pprof/out/src/time-profiler-bindings.js"),
  import(/* webpackIgnore: true */ /* @vite-ignore */ "@datadog/pprof/out/src/heap-profiler-bindings.js"),
  import(/* webpackIgnore: true */ /* @vite-ignore */ "@datadog/pprof/out/src/async-context-frame.js"),
];

/** The file that loads the native time profiler in whichever process requires it. */
export function findTimeBindings(): string {
  return createOwnRequire(TIME_BINDINGS).resolve(TIME_BINDINGS);
}

/**
 * Loads the native profiler. The first call takes some milliseconds and happens in `start()`, never at import.
 *
 * @throws {@link SdkError} `NATIVE_UNAVAILABLE` on other runtimes and where there is no binding.
 */
export function loadNativeBindings(): NativeBindings {
  const foreign = foreignRuntime();
  if (foreign !== undefined) {
    // Bun loads the binding and dies at the first profile; Deno refuses it.
    throw new SdkError(`${foreign} has no V8 profiler that this SDK can use`, { code: "NATIVE_UNAVAILABLE" });
  }
  try {
    const requireOwn = createOwnRequire(TIME_BINDINGS);
    const time: TimeModule = requireOwn(TIME_BINDINGS);
    const heap: HeapModule = requireOwn("@datadog/pprof/out/src/heap-profiler-bindings.js");
    const frame: FrameModule = requireOwn("@datadog/pprof/out/src/async-context-frame.js");
    return {
      createTimeProfiler: (options) => new time.TimeProfiler(options),
      sampleCountIndex: time.constants.kSampleCount,
      isAsyncContextFrameActive: frame.isAsyncContextFrameActive,
      startHeapSampler: (intervalBytes, stackDepth) =>
        heap.startSamplingHeapProfiler(intervalBytes, stackDepth, false),
      readHeapSampler: heap.getAllocationProfile,
      stopHeapSampler: heap.stopSamplingHeapProfiler,
      // The limit is raised once, by one young generation: what V8 needs to finish the collection that it is in.
      watchHeapLimit: (command) => heap.monitorOutOfMemory(0, 1, false, command, undefined, 1, true, true),
    };
  } catch (cause) {
    throw new SdkError(
      `native profiler on ${process.platform} ${process.arch}, Node ${process.version}: ${describeError(cause)}`,
      { code: "NATIVE_UNAVAILABLE", cause },
    );
  }
}

function foreignRuntime(): string | undefined {
  if (process.versions.bun !== undefined) return `Bun ${process.versions.bun}`;
  return "Deno" in globalThis ? "Deno" : undefined;
}
