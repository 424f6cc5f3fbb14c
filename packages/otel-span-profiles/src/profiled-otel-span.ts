import type { Span } from "@opentelemetry/api";
import type { ProfiledSpan } from "@pyroscope-ts/sdk-node/spans";

/** What the tracer SDKs give to span processors beyond the API's `Span`: all of 1.x, 2.x and 3.x have it. */
export interface NamedSpan extends Span {
  readonly name: string;
}

/** What samples carry of a span beside its `span_id`. */
export interface SampleFields {
  readonly traceId: boolean;
  readonly spanName: boolean;
}

// As it is when this module is loaded: tests replace the clock of a program, and the ends of its spans must stay
// comparable with the times of samples.
const now: () => number = performance.now.bind(performance);

/**
 * A span whose samples are told apart. It keeps the span itself and reads it when a profile is written: at its start
 * the name is often not known yet (HTTP servers set it when the route is).
 */
export class ProfiledOtelSpan implements ProfiledSpan {
  readonly span: NamedSpan;
  readonly #fields: SampleFields;
  #endTimeMs: number | undefined;

  constructor(span: NamedSpan, fields: SampleFields) {
    this.span = span;
    this.#fields = fields;
  }

  get traceId(): string | undefined {
    return this.#fields.traceId ? this.span.spanContext().traceId : undefined;
  }

  get spanId(): string {
    return this.span.spanContext().spanId;
  }

  get name(): string | undefined {
    return this.#fields.spanName ? this.span.name : undefined;
  }

  get endTimeMs(): number | undefined {
    return this.#endTimeMs;
  }

  /** Samples from now on are not its own. A span's own end time may be anything: the program may give it. */
  end(): void {
    this.#endTimeMs ??= now();
  }
}
