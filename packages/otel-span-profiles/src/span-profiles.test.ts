import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "@opentelemetry/api";
import { context, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import * as sdk2 from "@opentelemetry/sdk-trace-node";
import * as sdk1 from "@opentelemetry/sdk-trace-node-1";
import type { ProfiledSpan } from "@pyroscope-ts/sdk-node/spans";
import { afterEach, describe, expect, it } from "vitest";
import type { PyroscopeSpanProcessorOptions } from "./options.ts";
import { resolveOptions } from "./options.ts";
import type { NamedSpan } from "./profiled-otel-span.ts";
import type { SpanProfiler } from "./span-profiles.ts";
import { SpanProfiles } from "./span-profiles.ts";

/** A profiler that only knows which span is active, and is switched as a test needs it. */
class FakeProfiler implements SpanProfiler {
  readonly warnings = new Map<string, string>();
  mechanism: "async-context-frame" | "none" = "async-context-frame";
  isOn = true;
  /** That of the context manager that was last used. */
  storage: AsyncLocalStorage<unknown> | undefined;
  readonly #active = new AsyncLocalStorage<ProfiledSpan | undefined>();

  /** Ids and name that a sample would have now. */
  get sample(): readonly unknown[] | undefined {
    const span = this.#active.getStore();
    return span === undefined || span.endTimeMs !== undefined ? undefined : [span.spanId, span.name];
  }
  get activeSpan(): ProfiledSpan | undefined {
    return this.#active.getStore();
  }
  readonly isProfiling = (): boolean => this.isOn;
  readonly labelMechanism = () => this.mechanism;
  readonly isSpanActive = (span: ProfiledSpan | undefined): boolean => this.#active.getStore() === span;
  readonly runInSpan: SpanProfiler["runInSpan"] = (span, maker, value, fn) => {
    this.storage = maker.storage;
    return this.#active.run(span, () => maker.run(value, fn));
  };
  readonly warnOnce = (key: string, message: string): void => void this.warnings.set(key, message);
}

const lines = [
  { line: "1.x", sdk: sdk1 as unknown as typeof sdk2 },
  { line: "2.x", sdk: sdk2 },
];

afterEach(() => {
  context.disable();
  trace.disable();
});

describe.for(lines)("SpanProfiles with the tracer SDK $line", ({ sdk }) => {
  function createTracing(
    options?: PyroscopeSpanProcessorOptions,
    { sampler = new sdk.AlwaysOnSampler() as sdk2.Sampler, register = true } = {},
  ) {
    const profiler = new FakeProfiler();
    const profiles = new SpanProfiles({ options: resolveOptions(options, () => undefined), profiler });
    const provider = new sdk.NodeTracerProvider({
      sampler,
      spanProcessors: [
        {
          onStart: (span: NamedSpan, parent: Context) => profiles.start(span, parent),
          onEnd: (span: object) => profiles.end(span),
          forceFlush: async () => undefined,
          shutdown: async () => profiles.close(),
        },
      ],
    });
    if (register) provider.register();
    return { profiler, profiles, provider, tracer: provider.getTracer("test") };
  }

  const attributeOf = (span: unknown) => (span as sdk2.ReadableSpan).attributes["pyroscope.profile.id"];

  it("gives samples the id and name of the local root, also under children, and marks the root alone", () => {
    const { profiler, tracer } = createTracing();

    tracer.startActiveSpan("GET", (root) => {
      const { spanId } = root.spanContext();
      tracer.startActiveSpan("query", (child) => {
        root.updateName("GET /a");

        expect(profiler.sample).toEqual([spanId, "GET /a"]);
        expect([attributeOf(root), attributeOf(child)]).toEqual([spanId, undefined]);
        expect(profiler.activeSpan?.traceId).toBe(child.spanContext().traceId);
      });
    });
    expect(profiler.sample).toBeUndefined();
  });

  it("gives samples the innermost span's with spanScope all, and the outer one's again after it", () => {
    const { profiler, tracer } = createTracing({ spanScope: "all" });

    tracer.startActiveSpan("outer", (outer) => {
      const seen = tracer.startActiveSpan("inner", (inner) => {
        expect(attributeOf(inner)).toBe(inner.spanContext().spanId);
        return profiler.sample?.[1];
      });

      expect([seen, profiler.sample]).toEqual(["inner", [outer.spanContext().spanId, "outer"]]);
    });
  });

  it("knows where the tracer's context manager keeps its contexts", () => {
    const { profiler, tracer } = createTracing();

    tracer.startActiveSpan("GET", () => {
      expect(profiler.storage).toBeDefined();
      expect(profiler.storage?.getStore()).toBe(context.active());
    });
  });

  it("takes a span whose parent is in another process for a local root", () => {
    const { profiler, tracer } = createTracing();
    const remote = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 };
    const parent = trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true });

    context.with(parent, () => {
      expect(profiler.sample).toBeUndefined();
      tracer.startActiveSpan("GET", (span) => {
        expect(profiler.sample).toEqual([span.spanContext().spanId, "GET"]);
        expect(profiler.activeSpan?.traceId).toBe(remote.traceId);
      });
    });
  });

  it("takes a span that is asked to be a root for one", () => {
    const { profiler, tracer } = createTracing();

    tracer.startActiveSpan("outer", () => {
      tracer.startActiveSpan("job", { root: true }, (job) => {
        expect(profiler.sample).toEqual([job.spanContext().spanId, "job"]);
      });
    });
  });

  it("follows OpenTelemetry's context: with, bind, and a context of no span", async () => {
    const { profiler, tracer } = createTracing();
    const span = tracer.startSpan("job");
    const { spanId } = span.spanContext();
    const active = trace.setSpan(ROOT_CONTEXT, span);

    expect(profiler.sample).toBeUndefined();
    expect(context.with(active, () => profiler.sample)).toEqual([spanId, "job"]);
    expect(context.bind(active, () => profiler.sample)()).toEqual([spanId, "job"]);
    const seen = await context.with(active, async () => {
      await Promise.resolve();
      return [profiler.sample, context.with(ROOT_CONTEXT, () => profiler.sample)];
    });
    expect(seen).toEqual([[spanId, "job"], undefined]);
  });

  it("gives no ids after the end, though the context is still active", () => {
    const { profiler, tracer } = createTracing();

    tracer.startActiveSpan("GET", (root) => {
      tracer.startActiveSpan("query", (child) => {
        child.end();
        expect(profiler.sample).toBeDefined();
      });
      root.end();

      expect(profiler.sample).toBeUndefined();
      tracer.startActiveSpan("late", () => expect(profiler.sample).toBeUndefined());
    });
  });

  it("keeps the first end of a span that is ended twice", () => {
    const { profiler, tracer } = createTracing();

    tracer.startActiveSpan("GET", (span) => {
      span.end();
      const first = profiler.activeSpan?.endTimeMs;
      span.end();

      expect(first).toBeLessThanOrEqual(performance.now());
      expect(profiler.activeSpan?.endTimeMs).toBe(first);
    });
  });

  it("leaves out the name and the trace id when told so", () => {
    const { profiler, tracer } = createTracing({ spanName: false, traceId: false });

    tracer.startActiveSpan("GET", (span) => {
      const { traceId, spanId, name } = profiler.activeSpan ?? {};
      expect([traceId, spanId, name]).toEqual([undefined, span.spanContext().spanId, undefined]);
    });
  });

  it("gives spans that are not sampled no ids, unless told to where they are recorded", () => {
    const record = {
      shouldSample: () => ({ decision: sdk2.SamplingDecision.RECORD }),
      toString: () => "record",
    };
    const seen = [new sdk.AlwaysOffSampler() as sdk2.Sampler, record].flatMap((sampler) =>
      [false, true].map((unsampledSpans) => {
        const { profiler, tracer, provider } = createTracing({ unsampledSpans }, { sampler });
        const result = tracer.startActiveSpan("GET", (span) => [profiler.sample?.[1], span.isRecording()]);
        void provider.shutdown();
        context.disable();
        trace.disable();
        return result;
      }),
    );

    expect(seen).toEqual([
      [undefined, false],
      [undefined, false],
      [undefined, true],
      ["GET", true],
    ]);
  });

  it("finds a context manager that is registered after the first spans, without a word", () => {
    const { profiler, provider, tracer } = createTracing({}, { register: false });

    const early = tracer.startSpan("early");
    provider.register();
    early.end();
    tracer.startActiveSpan("late", () => expect(profiler.sample?.[1]).toBe("late"));

    expect(attributeOf(early)).toBeUndefined();
    expect(profiler.warnings.size).toBe(0);
  });

  it("says when there is no context manager, and sets no attribute", () => {
    const { profiler, tracer } = createTracing({}, { register: false });

    for (let i = 0; i < 3; i++) {
      const span = tracer.startSpan("GET");
      span.end();
      expect(attributeOf(span)).toBeUndefined();
    }

    expect([...profiler.warnings.values()]).toEqual([
      "samples carry no span ids: no context manager is registered with OpenTelemetry",
    ]);
  });

  it("does nothing and says nothing while no profiler runs", () => {
    const { profiler, tracer } = createTracing();
    profiler.mechanism = "none";
    profiler.isOn = false;

    tracer.startActiveSpan("GET", (span) => {
      expect([profiler.sample, attributeOf(span)]).toEqual([undefined, undefined]);
      span.end();
    });

    expect(profiler.warnings.size).toBe(0);
  });

  it("says why where samples cannot be labelled, and sets no attribute", () => {
    const { profiler, tracer } = createTracing();
    profiler.mechanism = "none";

    tracer.startActiveSpan("GET", (span) => expect(attributeOf(span)).toBeUndefined());

    expect([...profiler.warnings.values()]).toEqual([
      "samples carry no span ids: neither cpu nor wall is profiled, or this platform cannot label their samples",
    ]);
  });

  it("gives the context manager back at the end, and labels nothing any more", async () => {
    const { profiler, provider, tracer } = createTracing();

    await tracer.startActiveSpan("GET", async () => {
      await provider.shutdown();
      context.with(context.active(), () => expect(profiler.sample).toBeDefined());
    });
    tracer.startActiveSpan("late", (late) =>
      expect([profiler.sample, attributeOf(late)]).toEqual([undefined, undefined]),
    );
  });

  it("throws nothing into the tracer, and says what went wrong", () => {
    const { profiler, profiles } = createTracing();
    const broken = {
      spanContext: () => {
        throw new Error("not a span");
      },
    };

    profiles.start(broken as unknown as NamedSpan, ROOT_CONTEXT);
    profiles.end(5 as unknown as object);

    expect([...profiler.warnings.values()]).toEqual([
      "samples carry no span ids: starting a span: not a span",
    ]);
  });

  it("leaves what is no context to the context manager", () => {
    const { tracer } = createTracing();
    tracer.startSpan("GET");

    expect(context.with(undefined as unknown as Context, () => 1)).toBe(1);
  });
});
