import { AsyncLocalStorage } from "node:async_hooks";
import { SdkError } from "../errors.ts";
import type {
  HeapNode,
  NativeBindings,
  NativeTimeOptions,
  NativeTimeProfiler,
  TimeNode,
  TimeTree,
} from "../profilers/native.ts";

const emptyNode = { scriptName: "", scriptId: 0, lineNumber: 0, columnNumber: 0, hitCount: 0, children: [] };

/** A native profiler that records what is done with it; `tick` takes a sample. */
export class FakeTimeProfiler implements NativeTimeProfiler {
  readonly calls: string[] = [];
  readonly state: Uint32Array = new Uint32Array(1);
  readonly options: NativeTimeOptions;
  stuck = 0;
  /** What `start` throws, as when another copy is active in the thread. */
  startError: Error | undefined;
  #context: object | undefined;
  #ticks: { readonly name: string; readonly context: object | undefined }[] = [];

  constructor(options: NativeTimeOptions) {
    this.options = options;
  }

  get context(): object | undefined {
    return this.#context;
  }

  /** With `useCPED`, it is in the asynchronous context that runs, in a holder. */
  set context(context: object | undefined) {
    const { CPEDKey: key } = this.options;
    if (!(key instanceof AsyncLocalStorage)) this.#context = context;
    else key.enterWith(context && this.createContextHolder(context));
  }

  start(): void {
    this.calls.push("start");
    if (this.startError !== undefined) throw this.startError;
  }

  stop(restart: boolean): TimeTree {
    this.calls.push(restart ? "restart" : "stop");
    const children = this.#ticks.map(
      ({ name, context }): TimeNode => ({
        ...emptyNode,
        name,
        hitCount: 1,
        contexts: [{ cpuTime: 1_000_000, ...(context === undefined ? {} : { context }) }],
      }),
    );
    this.#ticks = [];
    this.state[0] = 0;
    return {
      topDownRoot: { ...emptyNode, name: "(root)", children },
      startTime: 0,
      endTime: 10_000,
      hasCpuTime: true,
    };
  }

  dispose(): void {
    this.calls.push("dispose");
  }

  v8ProfilerStuckEventLoopDetected(): number {
    return this.stuck;
  }

  createContextHolder(context: object): object {
    this.calls.push("holder");
    return { 0: context };
  }

  /** One sample in `name`, with the context that is set. */
  tick(name: string): void {
    this.#ticks.push({ name, context: this.context });
    this.state[0] = (this.state[0] ?? 0) + 1;
  }
}

/** Bindings without a native profiler behind them. */
export interface FakeNative extends NativeBindings {
  createTimeProfiler: NativeBindings["createTimeProfiler"];
  readHeapSampler: NativeBindings["readHeapSampler"];
  /** Every profiler made so far. */
  readonly profilers: FakeTimeProfiler[];
  readonly heapCalls: string[];
  /** Makes the next reading of the heap sampler throw. */
  stopHeapFromElsewhere(): void;
}

/** @param hasFrames - whether AsyncLocalStorage lives in V8's context slot. */
export function createFakeNative(hasFrames = false): FakeNative {
  const profilers: FakeTimeProfiler[] = [];
  const heapCalls: string[] = [];
  let isHeapStopped = false;
  const heapRoot: HeapNode = { ...emptyNode, name: "(root)", allocations: [], children: [] };
  return {
    profilers,
    heapCalls,
    sampleCountIndex: 0,
    isAsyncContextFrameActive: () => hasFrames,
    createTimeProfiler(options) {
      const profiler = new FakeTimeProfiler(options);
      profilers.push(profiler);
      return profiler;
    },
    startHeapSampler(intervalBytes, stackDepth) {
      heapCalls.push(`start ${intervalBytes} ${stackDepth}`);
      isHeapStopped = false;
    },
    readHeapSampler() {
      heapCalls.push("read");
      if (isHeapStopped) throw new Error("Heap profiler is not enabled.");
      return heapRoot;
    },
    stopHeapSampler: () => void heapCalls.push("stop"),
    watchHeapLimit: (command) => void heapCalls.push(`watch ${command.at(-2)}`),
    stopHeapFromElsewhere() {
      isHeapStopped = true;
    },
  };
}

/** The inspector of a Node that was built without one. */
export function noInspector(): never {
  throw new SdkError("no inspector", { code: "NATIVE_UNAVAILABLE" });
}
