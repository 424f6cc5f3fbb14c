import type { Context, ContextManager } from "@opentelemetry/api";
import { TraceFlags, trace } from "@opentelemetry/api";
import type { ContextMaker, LabelMechanism, ProfiledSpan } from "@pyroscope-ts/sdk-node/spans";
import { PROFILE_ID_ATTRIBUTE } from "./attributes.ts";
import { ContextManagerPatch } from "./context-manager-patch.ts";
import type { ResolvedOptions } from "./options.ts";
import type { NamedSpan } from "./profiled-otel-span.ts";
import { ProfiledOtelSpan } from "./profiled-otel-span.ts";

/** What is used of the profiler. */
export interface SpanProfiler {
  isProfiling(): boolean;
  labelMechanism(): LabelMechanism;
  isSpanActive(span: ProfiledSpan | undefined): boolean;
  runInSpan<V, T>(span: ProfiledSpan | undefined, maker: ContextMaker<V>, value: V, fn: () => T): T;
  warnOnce(key: string, message: string): void;
}

/** What {@link SpanProfiles} is built from. */
export interface SpanProfilesParts {
  readonly options: ResolvedOptions;
  readonly profiler: SpanProfiler;
  /** By default what is registered with the API. */
  readonly contextManager?: () => ContextManager | undefined;
}

interface MarkedSpan {
  [key: symbol]: ProfiledOtelSpan | undefined;
}

/**
 * Ties spans to the samples that are taken while they are active. Nothing here throws into the tracer.
 *
 * Which span is active is OpenTelemetry's own context and nothing else: whenever its context manager makes a context
 * active, the span of that context (or its local root) becomes the one of the samples.
 */
export class SpanProfiles {
  readonly #options: ResolvedOptions;
  readonly #profiler: SpanProfiler;
  readonly #patch: ContextManagerPatch;
  // On each span that the tracer made: which span the samples under it belong to. Not a WeakMap: with thousands of
  // short-lived keys that costs several times what the tracer itself does for a span, most of it in the garbage collector.
  readonly #key = Symbol("pyroscope.span");
  #isWithoutManager = false;
  #isClosed = false;

  constructor({ options, profiler, contextManager }: SpanProfilesParts) {
    this.#options = options;
    this.#profiler = profiler;
    // Named as in context-manager-patch.ts: both are left out of stacks.
    const runInSpanOf = (maker: ContextMaker<Context>, context: Context, fn: () => unknown): unknown =>
      profiler.runInSpan(this.#spanOf(context), maker, context, fn);
    const isIdle = (context: Context): boolean => profiler.isSpanActive(this.#spanOf(context));
    this.#patch = new ContextManagerPatch({ isIdle, run: runInSpanOf }, contextManager);
  }

  /** The tracer started `span` under `parent`. */
  start(span: NamedSpan, parent: Context): void {
    // No closures here and in `end`: they run for every span.
    try {
      const root = this.#options.spanScope === "root" ? this.#spanOf(parent) : undefined;
      // Most spans have one above them, for which the rest was done.
      const profiled = root ?? (this.#canLabel() ? this.#profile(span) : undefined);
      if (profiled !== undefined) this.#write(span, profiled);
    } catch (error) {
      this.#fail("starting a span", error);
    }
  }

  /** The tracer ended `span`: no sample from now on belongs to it, wherever its context still is. */
  end(span: object): void {
    try {
      // The tracer SDKs hand out at the end what they did at the start.
      const profiled = this.#read(span);
      if (profiled?.isOf(span)) profiled.end();
      // Not at the start: the first spans may be older than the context manager.
      if (this.#isWithoutManager && !this.#patch.apply())
        this.#warn("no context manager is registered with OpenTelemetry");
    } catch (error) {
      this.#fail("ending a span", error);
    }
  }

  /** The context manager is as it was; nothing is labelled any more. */
  close(): void {
    this.#isClosed = true;
    try {
      this.#patch.remove();
    } catch (error) {
      this.#fail("shutting down", error);
    }
  }

  #profile(span: NamedSpan): ProfiledOtelSpan | undefined {
    const { spanId, traceFlags } = span.spanContext();
    const isSampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
    if (!isSampled && !this.#options.unsampledSpans) return undefined;
    span.setAttribute(PROFILE_ID_ATTRIBUTE, spanId);
    return new ProfiledOtelSpan(span, this.#options);
  }

  #spanOf(context: Context): ProfiledOtelSpan | undefined {
    try {
      const span = trace.getSpan(context);
      return span === undefined ? undefined : this.#read(span);
    } catch {
      // What was given to `with` is no context: that is between the program and its context manager.
      return undefined;
    }
  }

  #read(span: object): ProfiledOtelSpan | undefined {
    return (span as MarkedSpan)[this.#key];
  }

  #write(span: object, profiled: ProfiledOtelSpan): void {
    (span as MarkedSpan)[this.#key] = profiled;
  }

  /** True when samples of the code that runs from now on can carry ids. */
  #canLabel(): boolean {
    if (this.#isClosed) return false;
    if (this.#profiler.labelMechanism() === "none") {
      if (this.#profiler.isProfiling())
        this.#warn("neither cpu nor wall is profiled, or this platform cannot label their samples");
      return false;
    }
    this.#isWithoutManager = !this.#patch.apply();
    return !this.#isWithoutManager;
  }

  #warn(reason: string): void {
    this.#profiler.warnOnce(`spans:${reason}`, `samples carry no span ids: ${reason}`);
  }

  #fail(what: string, error: unknown): void {
    this.#warn(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
