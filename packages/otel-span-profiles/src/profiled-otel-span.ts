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
 * It lets the span go at the end, and its ids too where no sample has them, which is so for nearly every span. The native
 * profiler holds on to this object for one garbage collection longer than the program does; with the tracer's span and all its
 * attributes behind it, that collection cost several times what everything else here does. Strings that live through one are
 * moved to the old generation by the V8 of Node 26: 0.45 KB for each span.
 */
export class ProfiledOtelSpan implements ProfiledSpan {
  readonly #hasName: boolean;
  readonly #sampleMark: () => number;
  readonly #startMark: number;
  #span: NamedSpan | undefined;
  #traceId: string | undefined;
  #spanId: string | undefined;
  #name: string | undefined;
  #endTimeMs: number | undefined;
  #isKept = false;

  /** @param sampleMark - tells whether a sample was taken between two calls, as the profiler's. */
  constructor(span: NamedSpan, fields: SampleFields, sampleMark: () => number) {
    const { traceId, spanId } = span.spanContext();
    this.#traceId = fields.traceId ? traceId : undefined;
    this.#spanId = spanId;
    this.#hasName = fields.spanName;
    this.#sampleMark = sampleMark;
    this.#startMark = sampleMark();
    this.#span = span;
  }

  get traceId(): string | undefined {
    return this.#traceId;
  }

  get spanId(): string | undefined {
    return this.#spanId;
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
    if (this.#isKept || this.#sampleMark() !== this.#startMark) {
      this.#endTimeMs = now();
      this.#name = this.name;
    } else {
      this.#traceId = undefined;
      this.#spanId = undefined;
    }
    this.#span = undefined;
  }

  keep(): void {
    this.#isKept = true;
  }
}
