import type { Context } from "@opentelemetry/api";
import { isProfiling, isSpanActive, labelMechanism, runInSpan, warnOnce } from "@pyroscope-ts/sdk-node/spans";
import type { PyroscopeSpanProcessorOptions } from "./options.ts";
import { resolveOptions } from "./options.ts";
import type { NamedSpan } from "./profiled-otel-span.ts";
import { SpanProfiles } from "./span-profiles.ts";

/**
 * Puts the ids of the active span on CPU and wall samples: `span_id`, `trace_id` and `span_name`, and marks each span
 * that has a profile with the attribute `pyroscope.profile.id`.
 *
 * A `SpanProcessor` for the tracer SDKs 1.x, 2.x and 3.x; adding it to the provider is all. It finds the context
 * manager by itself, whether that is registered before or after. Samples follow OpenTelemetry's context across
 * everything asynchronous, and carry no ids after the span has ended. It exports nothing, never throws, and does nothing
 * while no profiler runs.
 *
 *     const sdk = new NodeSDK({ spanProcessors: [new PyroscopeSpanProcessor()] });
 *
 * Source: github.com/grafana/otel-profiling-go and -java, whose labels, attribute and default scope it has.
 */
export class PyroscopeSpanProcessor {
  readonly #profiles: SpanProfiles;

  constructor(options?: PyroscopeSpanProcessorOptions) {
    this.#profiles = new SpanProfiles({
      options: resolveOptions(options, (message) => warnOnce(message, message)),
      profiler: { isProfiling, isSpanActive, labelMechanism, runInSpan, warnOnce },
    });
  }

  /** Called by the tracer for each span that it records. */
  onStart(span: NamedSpan, parentContext: Context): void {
    this.#profiles.start(span, parentContext);
  }

  /** Called by the tracer with what it gave to {@link PyroscopeSpanProcessor.onStart}. */
  onEnd(span: object): void {
    this.#profiles.end(span);
  }

  /** Nothing waits here: profiles are uploaded by the profiler. */
  async forceFlush(): Promise<void> {}

  /** Gives the context manager back as it was. A second call does nothing. */
  async shutdown(): Promise<void> {
    this.#profiles.close();
  }
}
