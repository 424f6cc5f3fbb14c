import type { Clock } from "../clock.ts";
import type { Diagnostics } from "../diagnostics.ts";
import { describeError, SdkError } from "../errors.ts";
import type { LabelContext } from "../labels/label-context.ts";
import { noLabelContext } from "../labels/label-context.ts";
import { convertTimeTree } from "../transform/convert-time-tree.ts";
import type { CpuProfile } from "../transform/cpu-profile-tree.ts";
import { cpuProfileToTree } from "../transform/cpu-profile-tree.ts";
import { collectPositions } from "../transform/script-positions.ts";
import type { CpuClock } from "./cpu-clock.ts";
import type { Inspector, InspectorSession } from "./inspector.ts";
import type { Recording, TimeProfiler } from "./profiler.ts";

/** What the profiler needs. */
export interface InspectorProfilerOptions {
  readonly loadInspector: () => Inspector;
  readonly types: readonly ("cpu" | "wall")[];
  readonly sampleRateHz: number;
  /** Undefined where no clock tells the CPU time of this thread: `types` then has no `cpu`. */
  readonly readCpuMicros: CpuClock | undefined;
  readonly clock: Clock;
  readonly diagnostics: Diagnostics;
}

// A runtime that answers on a later turn of the loop (Bun, Deno) took 3 ms; one that never answers must not hold windows.
const MAX_ANSWER_MS = 1000;

/**
 * CPU and wall time from the profiler of the inspector, for where the native one cannot be loaded: Bun, Deno, programs in
 * one bundle. No port is opened.
 *
 * It knows neither labels nor the CPU time of a tick: the CPU time of a window is shared out evenly among the ticks that
 * found the thread at work. Between two windows it is off for as long as V8 takes to begin anew, 1 to 80 ms.
 */
export class InspectorProfiler implements TimeProfiler {
  readonly labels: LabelContext = noLabelContext;
  readonly types: readonly ("cpu" | "wall")[];
  readonly #options: InspectorProfilerOptions;
  readonly #intervalMicros: number;
  #session: InspectorSession | undefined;
  #startUnixMs = 0;
  #startCpuMicros = 0;

  constructor(options: InspectorProfilerOptions) {
    this.#options = options;
    this.types = options.types;
    this.#intervalMicros = Math.round(1_000_000 / options.sampleRateHz);
  }

  start(): void {
    if (this.#session !== undefined) return;
    try {
      const session = this.#options.loadInspector().createSession();
      session.connect();
      session.post("Profiler.enable");
      session.post("Profiler.setSamplingInterval", { interval: this.#intervalMicros });
      this.#session = session;
    } catch (cause) {
      const message = `starting the profiler of the inspector: ${describeError(cause)}`;
      throw new SdkError(message, { code: "NATIVE_UNAVAILABLE", cause });
    }
    this.#begin(this.#session);
  }

  collect(): Recording {
    const session = this.#session;
    if (session === undefined) {
      throw new SdkError("the profiler of the inspector does not run", { code: "PROFILER_FAILED" });
    }
    const recording = this.#end(session);
    this.#begin(session);
    return recording;
  }

  stop(): Recording | undefined {
    const session = this.#session;
    if (session === undefined) return undefined;
    this.#session = undefined;
    // Not before the answer: a session that is closed gives none.
    return this.#end(session, () => session.disconnect());
  }

  #begin(session: InspectorSession): void {
    const { clock, readCpuMicros } = this.#options;
    session.post("Profiler.start", (error) => this.#check("starting", error));
    this.#startUnixMs = clock.nowUnixMs();
    this.#startCpuMicros = readCpuMicros?.() ?? 0;
  }

  #end(session: InspectorSession, settled: () => void = () => undefined): Recording {
    const { clock, readCpuMicros, types } = this.#options;
    const startUnixNanos = BigInt(this.#startUnixMs) * 1_000_000n;
    const durationNanos = BigInt(clock.nowUnixMs() - this.#startUnixMs) * 1_000_000n;
    const cpuNanos = readCpuMicros && Math.max(0, readCpuMicros() - this.#startCpuMicros) * 1000;
    let tree: ReturnType<typeof cpuProfileToTree> | undefined;
    const ready = this.#readWindow(session, (profile) => {
      if (profile !== undefined) tree = cpuProfileToTree(profile, this.#intervalMicros, cpuNanos);
      settled();
    });
    const options = {
      types,
      intervalMicros: this.#intervalMicros,
      startUnixNanos,
    };
    return {
      startUnixNanos,
      durationNanos,
      ready,
      *positions() {
        return tree === undefined ? [] : yield* collectPositions(tree.topDownRoot);
      },
      *convert(sources) {
        if (tree === undefined) return [];
        return yield* convertTimeTree([{ tree, labelsOf: () => undefined }], { ...options, sources });
      },
    };
  }

  /** Calls `settled` once: with what was recorded, before this returns where the runtime answers at once. */
  #readWindow(session: InspectorSession, settled: (profile: CpuProfile | undefined) => void): Promise<void> {
    const { clock } = this.#options;
    return new Promise<void>((resolve) => {
      let isSettled = false;
      const settle = (profile: CpuProfile | undefined): void => {
        if (isSettled) return;
        isSettled = true;
        cancel();
        settled(profile);
        resolve();
      };
      const cancel = clock.after(MAX_ANSWER_MS, () => settle(undefined));
      session.post("Profiler.stop", (error, result) => {
        this.#check("reading", error);
        settle(error ? undefined : result.profile);
      });
    });
  }

  #check(what: string, error: Error | null | undefined): void {
    if (!error) return;
    this.#options.diagnostics.warnOnce(
      "inspector",
      `${what} the profiler of the inspector: ${describeError(error)}`,
    );
  }
}
