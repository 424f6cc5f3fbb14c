import type { Clock } from "../clock.ts";
import type { LabelContext } from "../labels/label-context.ts";
import type { LabelSets } from "../labels/label-set.ts";
import { type SampleContext, takeContext } from "../labels/sample-context.ts";
import { SampleLabelReader } from "../labels/sample-labels.ts";
import { convertExceptions } from "../transform/convert-exceptions.ts";
import { collectPositions } from "../transform/script-positions.ts";
import { isCaller, SiteTree } from "../transform/site-tree.ts";
import { EventSampler } from "./event-sampler.ts";
import { parseStack } from "./parse-stack.ts";
import type { Profiler, Recording } from "./profiler.ts";

/** What an exception profiler needs. */
export interface ExceptionProfilerOptions {
  /** How labels reach what runs now. */
  readonly labels: () => LabelContext;
  readonly labelSets: LabelSets;
  readonly process: {
    on(event: "uncaughtExceptionMonitor", listener: (error: unknown) => void): unknown;
    removeListener(event: "uncaughtExceptionMonitor", listener: (error: unknown) => void): unknown;
  };
  readonly clock: Clock;
  /** As `Math.random`. */
  readonly random: () => number;
}

// The text of a stack takes 10 to 100 µs to make: 1 % of a core in a program that fails all the time.
const MAX_EXCEPTIONS_PER_SECOND = 100;

/**
 * Exceptions by stack: what nobody caught, what a `tagWrapper` call threw or rejected with, and what is reported.
 *
 * V8 tells of exceptions that are caught within to a debugger only: pausing takes 2 to 5 ms each, and an await costs
 * four to six times as much as long as one is attached. Nothing is replaced to see them.
 */
export class ExceptionProfiler implements Profiler {
  readonly types = ["exceptions"] as const;
  readonly #options: ExceptionProfilerOptions;
  readonly #sampler: EventSampler;
  readonly #onUncaught = (error: unknown): void => this.record(error, this.#options.labels().current());
  // One that goes through several calls counts where it is first seen.
  #seen = new WeakSet<object>();
  #tree = new SiteTree();
  #isRunning = false;
  #windowStartUnixMs = 0;
  #windowStartMs = 0;

  constructor(options: ExceptionProfilerOptions) {
    const { clock, random } = options;
    this.#options = options;
    this.#sampler = new EventSampler({ maxPerSecond: MAX_EXCEPTIONS_PER_SECOND, clock, random });
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    // A monitor changes nothing about what an uncaught exception does. Rejections that nobody handles come here too.
    this.#options.process.on("uncaughtExceptionMonitor", this.#onUncaught);
    this.#beginWindow();
  }

  /** Counts what was thrown, once for each error object. Never throws. */
  record(error: unknown, context: SampleContext | undefined): void {
    if (!this.#isRunning) return;
    if (typeof error === "object" && error !== null) {
      if (this.#seen.has(error)) return;
      this.#seen.add(error);
    }
    const weight = this.#sampler.pick();
    if (weight === undefined) return;
    const { name, stack } = readError(error);
    this.#tree.add(name, parseStack(stack).filter(isCaller), takeContext(context), weight);
  }

  collect(): Recording {
    const { clock, labelSets } = this.#options;
    const tree = this.#tree;
    const startUnixNanos = BigInt(Math.round(this.#windowStartUnixMs)) * 1_000_000n;
    const passedMs = clock.nowMonotonicMs() - this.#windowStartMs;
    const durationNanos = BigInt(Math.round(passedMs * 1000)) * 1000n;
    this.#beginWindow();
    const reader = new SampleLabelReader(labelSets, clock);
    return {
      startUnixNanos,
      durationNanos,
      positions: () => collectPositions(tree.root),
      convert: (sources) =>
        convertExceptions(tree.root, {
          startUnixNanos,
          durationNanos,
          labelsOf: (context) => reader.read(context, undefined),
          sources,
        }),
    };
  }

  stop(): Recording | undefined {
    if (!this.#isRunning) return undefined;
    this.#isRunning = false;
    this.#options.process.removeListener("uncaughtExceptionMonitor", this.#onUncaught);
    return this.collect();
  }

  #beginWindow(): void {
    const { clock } = this.#options;
    this.#tree = new SiteTree();
    this.#windowStartUnixMs = clock.nowUnixMs();
    this.#windowStartMs = clock.nowMonotonicMs();
  }
}

/** What was thrown may be anything, with properties that throw. */
function readError(error: unknown): { readonly name: string; readonly stack: string } {
  if (typeof error !== "object" || error === null) return { name: typeof error, stack: "" };
  try {
    const { name, stack } = error as { readonly name?: unknown; readonly stack?: unknown };
    const className = error.constructor?.name ?? "";
    // Subclasses mostly keep the name `Error`.
    const own = name === "Error" || typeof name !== "string" || name === "" ? className : name;
    return { name: own === "" ? "Error" : own.slice(0, 100), stack: typeof stack === "string" ? stack : "" };
  } catch {
    return { name: "Error", stack: "" };
  }
}
