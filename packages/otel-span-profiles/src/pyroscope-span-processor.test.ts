import type { Context } from "@opentelemetry/api";
import { ROOT_CONTEXT } from "@opentelemetry/api";
import * as sdk2 from "@opentelemetry/sdk-trace-node";
import type * as sdk1 from "@opentelemetry/sdk-trace-node-1";
import { describe, expect, it } from "vitest";
import { PyroscopeSpanProcessor } from "./pyroscope-span-processor.ts";

describe("PyroscopeSpanProcessor", () => {
  it("is a span processor for the tracer SDKs 1.x and 2.x", () => {
    // That these lines compile is the test; other versions of the interface differ in nothing that is used.
    const first: sdk1.SpanProcessor = new PyroscopeSpanProcessor();
    const second: sdk2.SpanProcessor = new PyroscopeSpanProcessor({ spanScope: "all" });

    expect([first, second].map((processor) => typeof processor.onStart)).toEqual(["function", "function"]);
  });

  it("does nothing while no profiler runs, and can be shut down twice", async () => {
    const processor = new PyroscopeSpanProcessor();
    const provider = new sdk2.NodeTracerProvider({ spanProcessors: [processor] });
    const span = provider.getTracer("test").startSpan("GET");
    span.end();

    expect((span as unknown as sdk2.ReadableSpan).attributes).toEqual({});
    await expect(processor.forceFlush()).resolves.toBeUndefined();
    await provider.shutdown();
    await expect(processor.shutdown()).resolves.toBeUndefined();
  });

  it("takes what is no span without a throw", () => {
    const processor = new PyroscopeSpanProcessor();

    processor.onStart({} as never, ROOT_CONTEXT as Context);
    processor.onEnd({});
  });
});
