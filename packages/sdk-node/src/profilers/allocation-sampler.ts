import { SdkError } from "../errors.ts";
import type { Inspector, InspectorSession } from "./inspector.ts";
import type { HeapNode, NativeBindings } from "./native.ts";

/** What an allocation sampler needs. */
export interface AllocationSamplerOptions {
  readonly native: NativeBindings | undefined;
  readonly loadInspector: () => Inspector;
  readonly intervalBytes: number;
  readonly stackDepth: number;
}

/**
 * Samples every allocation, also of what is garbage by the end.
 *
 * The native profiler can ask V8 for that on Node 26 only; the inspector can on every Node, but gives bytes without
 * objects. So the inspector starts V8's one sampler, and the native profiler, which then finds it running, reads it.
 * The sampler for live objects must not run meanwhile. Reading forces a full garbage collection.
 */
export class AllocationSampler {
  readonly #options: AllocationSamplerOptions;
  #session: InspectorSession | undefined;

  constructor(options: AllocationSamplerOptions) {
    this.#options = options;
  }

  /**
   * @throws {@link SdkError} `PROFILER_FAILED` when another profiler samples the heap, `NATIVE_UNAVAILABLE` without the
   * native profiler.
   */
  start(): void {
    const { loadInspector, intervalBytes, stackDepth } = this.#options;
    const native = this.#native;
    const session = loadInspector().createSession();
    session.connect();
    let failure: Error | null = null;
    session.post(
      "HeapProfiler.startSampling",
      {
        samplingInterval: intervalBytes,
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      },
      (error) => {
        failure = error;
      },
    );
    if (failure !== null) {
      session.disconnect();
      throw new SdkError("starting the allocation profiler", { code: "PROFILER_FAILED", cause: failure });
    }
    this.#session = session;
    native.startHeapSampler(intervalBytes, stackDepth);
  }

  /** What was allocated since the start. @throws when another profiler stopped the sampler. */
  stop(): HeapNode {
    const native = this.#native;
    try {
      return native.readHeapSampler();
    } finally {
      native.stopHeapSampler();
      this.#session?.disconnect();
      this.#session = undefined;
    }
  }

  get #native(): NativeBindings {
    if (this.#options.native !== undefined) return this.#options.native;
    throw new SdkError("allocations need the native profiler", { code: "NATIVE_UNAVAILABLE" });
  }
}
