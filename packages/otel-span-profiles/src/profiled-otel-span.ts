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
 * A span whose samples are told apart. While the span is active its name is read from it: at its start that is often not
 * known yet (HTTP servers set it when the route is).
 *
 * It lets the span go at the end. The native profiler holds on to this object for one garbage collection longer than
 * the program does; with the tracer's span and all its attributes behind it, that collection cost several times what
 * everything else here does.
 */
export class ProfiledOtelSpan implements ProfiledSpan {
  readonly traceId: string | undefined;
  readonly spanId: string;
  readonly #hasName: boolean;
  #span: NamedSpan | undefined;
  #name: string | undefined;
  #endTimeMs: number | undefined;

  constructor(span: NamedSpan, fields: SampleFields) {
    const { traceId, spanId } = span.spanContext();
    this.traceId = fields.traceId ? traceId : undefined;
    this.spanId = spanId;
    this.#hasName = fields.spanName;
    this.#span = span;
  }

  get name(): string | undefined {
    return this.#hasName && this.#span !== undefined ? this.#span.name : this.#name;
  }

  get endTimeMs(): number | undefined {
    return this.#endTimeMs;
  }

  /** Whether this is the profile of `span`, which has not ended: those of its children point here too. */
  isOf(span: object): boolean {
    return this.#span === span;
  }

  /** Samples from now on are not its own. A span's own end time may be anything: the program may give it. */
  end(): void {
    this.#endTimeMs = now();
    this.#name = this.name;
    this.#span = undefined;
  }
}
