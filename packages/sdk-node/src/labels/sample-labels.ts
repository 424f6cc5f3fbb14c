import type { Clock } from "../clock.ts";
import type { Label } from "./label.ts";
import { SPAN_ID_LABEL, SPAN_NAME_LABEL, TRACE_ID_LABEL } from "./label.ts";
import type { LabelSet, LabelSets } from "./label-set.ts";
import type { ProfiledSpan, SampleContext } from "./sample-context.ts";

/** The labels that one sample is written with. A {@link LabelSet} is one. */
export type SampleLabels = Pick<LabelSet, "labels">;

// How well the two clocks must be known to each other: code runs that long between two readings of one.
const OFFSET_ERROR_MS = 0.02;

// A reading of both takes some 80 ns, so this is about 4 ms: a system clock that stands still must not hold us.
const MAX_READINGS = 50_000;

/**
 * The labels of the samples of one piece of a window, worked out when its profiles are written.
 *
 * Only then are the ids of a span read, the clocks compared before. The native profiler keeps which span was active, not whether it had
 * ended: code that a span started may run on after its end, in the same asynchronous context. So the moment of the
 * sample is compared with the end of its span; later samples have no ids.
 *
 * Ids pass the limits on labels by, because servers make no series of them. Span names do not: they are labels.
 */
export class SampleLabelReader {
  readonly #sets: LabelSets;
  readonly #clock: Clock;
  #offsetMicros: number | undefined;

  constructor(sets: LabelSets, clock: Clock) {
    this.#sets = sets;
    this.#clock = clock;
  }

  /**
   * To be called when the piece has been read, with the contexts of its samples until it returns true. A span that has not ended
   * by then was active in all of them.
   */
  compareClocks(context: SampleContext | undefined): boolean {
    if (endOf(context?.span) === undefined) return false;
    this.#offsetMicros = measureOffsetMicros(this.#clock);
    return true;
  }

  /** @param timestamp - of the sample, in microseconds since the epoch; without it, the span counts as active. */
  read(context: SampleContext | undefined, timestamp: bigint | undefined): SampleLabels | undefined {
    if (context === undefined) return undefined;
    const { labels, ids } = context;
    const span = this.#readSpan(context.span, timestamp);
    const named = this.#addName(labels, span?.name);
    const traceId = ids?.traceId ?? span?.traceId;
    const spanId = ids?.spanId ?? span?.spanId;
    if (traceId === undefined && spanId === undefined) return named;
    const idLabels: Label[] = [];
    if (spanId !== undefined) idLabels.push({ name: SPAN_ID_LABEL, value: spanId });
    if (traceId !== undefined) idLabels.push({ name: TRACE_ID_LABEL, value: traceId });
    return { labels: [...named.labels, ...idLabels] };
  }

  /** What the span was at the time of the sample; undefined after its end. */
  #readSpan(span: ProfiledSpan | undefined, timestamp: bigint | undefined): ProfiledSpan | undefined {
    if (span === undefined) return undefined;
    try {
      const { traceId, spanId, name, endTimeMs } = span;
      return this.#isActive(endTimeMs, timestamp) ? { traceId, spanId, name, endTimeMs } : undefined;
    } catch {
      // Somebody else's span: without it the sample still says where the time went.
      return undefined;
    }
  }

  /** A name that the user gave with `tagWrapper` stays. */
  #addName(labels: LabelSet, name: string | undefined): LabelSet {
    if (name === undefined || labels.record[SPAN_NAME_LABEL] !== undefined) return labels;
    return this.#sets.merge(labels, { [SPAN_NAME_LABEL]: name });
  }

  #isActive(endTimeMs: number | undefined, timestamp: bigint | undefined): boolean {
    if (endTimeMs === undefined || timestamp === undefined || this.#offsetMicros === undefined) return true;
    return Number(timestamp) <= endTimeMs * 1000 + this.#offsetMicros;
  }
}

function endOf(span: ProfiledSpan | undefined): number | undefined {
  try {
    return span?.endTimeMs;
  } catch {
    return undefined;
  }
}

/**
 * What the system clock is ahead of the monotonic one.
 *
 * The native profiler adds that difference to its timestamps as it is at the end of a piece, to the microsecond. System clocks are
 * slewed, by up to half a millisecond in a second, and set: so this is measured at once, not when the profile is written.
 * JavaScript reads the system clock in whole milliseconds, so this reads until one begins: mostly less than a
 * millisecond, once in a piece in which a span ended. Every reading bounds the difference, so that one during which the
 * thread was suspended is of little use but does no harm.
 */
function measureOffsetMicros(clock: Clock): number {
  let lowMs = Number.NEGATIVE_INFINITY;
  let highMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < MAX_READINGS && highMs - lowMs > OFFSET_ERROR_MS; i++) {
    const beforeMs = clock.nowMonotonicMs();
    const unixMs = clock.nowUnixMs();
    lowMs = Math.max(lowMs, unixMs - clock.nowMonotonicMs());
    highMs = Math.min(highMs, unixMs + 1 - beforeMs);
  }
  // Never late: a sample after the end must have no ids.
  return lowMs * 1000;
}
