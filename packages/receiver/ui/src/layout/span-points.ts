import type { SpanTotal } from "../api/span-totals.ts";
import type { ResolvedRange } from "../state/time-range.ts";

/** A span as a point: where it stands, each 0 to 1, from the left and from the bottom. */
export interface SpanPoint {
  readonly span: SpanTotal;
  readonly left: number;
  /** Where its last profile stands; `left` when it has only one. */
  readonly right: number;
  readonly bottom: number;
}

/**
 * Lays spans out by time and value. Profiles that begin before the range stand at its edge.
 *
 * @param spans - Largest first.
 * @returns In the order of `spans`; the last is to be drawn first, so that no small one hides a large one.
 */
export function placeSpans(
  spans: readonly SpanTotal[],
  { fromMs, untilMs }: ResolvedRange,
): readonly SpanPoint[] {
  const highest = spans[0]?.total ?? 0;
  const place = (timeMs: number): number =>
    Math.min(1, Math.max(0, (timeMs - fromMs) / Math.max(1, untilMs - fromMs)));
  return spans.map((span) => ({
    span,
    left: place(span.firstMs),
    right: place(span.lastMs),
    bottom: highest > 0 ? Math.max(0, span.total / highest) : 0,
  }));
}
