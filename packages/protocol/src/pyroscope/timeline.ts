/** Values over time in the JSON of `/render`, in its own field names. */
export interface Timeline {
  /** Seconds since the epoch. */
  readonly startTime: number;
  /** One whole number for each step; 0 where there is no data. */
  readonly samples: readonly number[];
  /** The step, in seconds. */
  readonly durationDelta: number;
  readonly watermarks: null;
}

/** A value at a time. */
export interface TimelinePoint {
  readonly timeMs: number;
  readonly value: number;
}

// About one step for each pixel of a wide screen.
const MAX_STEPS = 1500;

/**
 * Up to which width (seconds, included) a step is rounded to which. The steps of Grafana's charts from 15 s on, so
 * that a timeline of `/render` and a panel show the same points. Beyond the table: a year.
 */
const STEPS: readonly (readonly [number, number])[] = [
  [17.5, 15],
  [25, 20],
  [45, 30],
  [90, 60],
  [210, 120],
  [450, 300],
  [750, 600],
  [1050, 900],
  [1500, 1200],
  [2700, 1800],
  [5400, 3600],
  [9000, 7200],
  [16_200, 10_800],
  [32_400, 21_600],
  [86_400, 43_200],
  [604_800, 86_400],
  [1_814_400, 604_800],
  [3_628_799, 2_592_000],
];
const YEAR_SECONDS = 31_536_000;

/**
 * The step of a timeline over a range, in seconds: the range in 1,500 parts, at least 15 s, rounded to a readable
 * width.
 *
 * Source: Pyroscope pkg/querier/timeline.
 */
export function timelineStepSeconds(startMs: number, endMs: number): number {
  const width = (endMs - startMs) / 1000 / MAX_STEPS;
  return STEPS.find(([limit]) => width <= limit)?.[1] ?? YEAR_SECONDS;
}

/** A range with both ends moved back to a multiple of the step, as `/render` does before it asks for a series. */
export function alignToStep(
  startMs: number,
  endMs: number,
  stepSeconds: number,
): { readonly startMs: number; readonly endMs: number } {
  const stepMs = stepSeconds * 1000;
  const floor = (timeMs: number) => Math.floor(timeMs / stepMs) * stepMs;
  return { startMs: floor(startMs), endMs: floor(endMs) };
}

/**
 * Lays points out on a timeline.
 *
 * @param points - In any order; those before `startMs` or from `endMs` on are left out, several in one step add up.
 * @param startMs - Aligned, see {@link alignToStep}; so is `endMs`.
 * @returns `(endMs - startMs) / step` samples, rounded down to whole numbers; a negative sum counts as 0, since the
 * format has no sign.
 */
export function buildTimeline(
  points: Iterable<TimelinePoint>,
  startMs: number,
  endMs: number,
  stepSeconds: number,
): Timeline {
  const stepMs = stepSeconds * 1000;
  const sums = new Array<number>(Math.max(0, Math.floor((endMs - startMs) / stepMs))).fill(0);
  for (const { timeMs, value } of points) {
    const index = Math.floor((timeMs - startMs) / stepMs);
    const sum = sums[index];
    if (sum !== undefined) sums[index] = sum + value;
  }
  return {
    startTime: Math.floor(startMs / 1000),
    samples: sums.map((sum) => Math.max(0, Math.floor(sum))),
    durationDelta: stepSeconds,
    watermarks: null,
  };
}
