import { ProtocolError } from "../errors.ts";

/** The bucket of a time that lies in none. */
export const NO_BUCKET = -1;

/**
 * Time buckets of SelectSeries: bucket `i` ends at `startMs + i * stepMs`, which belongs to it, and begins right
 * behind the end of the one before; so the first reaches one step back before `startMs`.
 *
 *     stepMs 10    startMs 100            endMs 125
 *                  90 ───┤ 100 ──┤ 110 ──┤ 120
 *     bucket         (90, 100]  (100, 110] (110, 120]     121 to 125 lie in none
 *
 * Source: Pyroscope pkg/model/timeseries.
 */
export interface SeriesBuckets {
  readonly startMs: number;
  readonly stepMs: number;
  /** How many there are. Answers hold only buckets with data: a small step makes this number very large. */
  readonly count: number;
}

/**
 * Lays out the buckets of a query.
 *
 * @param stepSeconds - Fractions of a millisecond fall away.
 * @throws {@link ProtocolError} `QUERY_INVALID` for a step below 1 ms.
 */
export function createSeriesBuckets(startMs: number, endMs: number, stepSeconds: number): SeriesBuckets {
  // Rounded to nanoseconds first: 0.29 s × 1000 is 290 ms, though in binary a little less.
  const stepMs = Math.floor(Math.round(stepSeconds * 1e9) / 1e6);
  if (!(stepMs >= 1)) {
    throw new ProtocolError(`step must be >= 1ms, got ${stepSeconds} s`, { code: "QUERY_INVALID" });
  }
  return { startMs, stepMs, count: Math.max(0, Math.floor((endMs - startMs) / stepMs) + 1) };
}

/** The bucket that a time lies in, or {@link NO_BUCKET}. */
export function bucketIndex({ startMs, stepMs, count }: SeriesBuckets, timeMs: number): number {
  if (timeMs <= startMs - stepMs) return NO_BUCKET;
  const index = Math.max(0, Math.ceil((timeMs - startMs) / stepMs));
  return index < count ? index : NO_BUCKET;
}

/** The time that stands for a bucket in an answer: its end. */
export function bucketTimeMs({ startMs, stepMs }: SeriesBuckets, index: number): number {
  return startMs + index * stepMs;
}
