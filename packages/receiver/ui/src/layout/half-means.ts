import type { TimeSeries } from "../api/wire.ts";
import type { Halves } from "../state/diff-sides.ts";
import type { ResolvedRange } from "../state/time-range.ts";

/** What a series amounts to before and after the middle, on average over the buckets that have a value. */
export interface HalfMeans {
  readonly left: number;
  readonly right: number;
}

/**
 * The means of the two sides of a comparison.
 *
 * @param arrivingFromMs - Buckets that end later are not complete and do not count.
 * @returns undefined where one side has no value.
 */
export function toHalfMeans(
  { points }: TimeSeries,
  halves: Halves,
  arrivingFromMs: number,
): HalfMeans | undefined {
  const meanOf = ({ fromMs, untilMs }: ResolvedRange): number | undefined => {
    const values = points
      .filter(({ timeMs }) => timeMs > fromMs && timeMs <= Math.min(untilMs, arrivingFromMs))
      .map(({ value }) => value);
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const left = meanOf(halves.left);
  const right = meanOf(halves.right);
  return left === undefined || right === undefined ? undefined : { left, right };
}
