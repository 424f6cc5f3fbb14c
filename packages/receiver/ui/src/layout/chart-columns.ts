import type { TimeSeries } from "../api/wire.ts";
import type { TimelineGrid } from "../state/time-range.ts";

/** Series on one grid of moments, as charts take them: `values[s][i]` belongs to `seconds[i]`. */
export interface ChartColumns {
  /** Ends of the buckets, seconds since the epoch. */
  readonly seconds: readonly number[];
  readonly values: readonly (readonly (number | null)[])[];
}

/** How a bucket's value is drawn. */
export interface ChartColumnsOptions {
  readonly toPoint: (value: number, seconds: number) => number;
  /** What stands where a series has no bucket: 0 for what happens, null (a gap) for what is a state. */
  readonly missing: 0 | null;
  /** Buckets that end after this may still get data: without any they are gaps, not zeros. */
  readonly arrivingFromMs: number;
}

/** Lays sparse series on their grid. Points beside the grid are dropped. */
export function toChartColumns(
  series: readonly TimeSeries[],
  grid: TimelineGrid,
  options: ChartColumnsOptions,
): ChartColumns {
  const stepMs = grid.stepSeconds * 1000;
  const count = Math.max(0, Math.round((grid.untilMs - grid.fromMs) / stepMs)) + 1;
  const seconds = Array.from({ length: count }, (_, index) => (grid.fromMs + index * stepMs) / 1000);
  const values = series.map(({ points }) => {
    const row: (number | null)[] = seconds.map((end) =>
      end * 1000 > options.arrivingFromMs ? null : options.missing,
    );
    for (const { timeMs, value } of points) {
      const index = Math.round((timeMs - grid.fromMs) / stepMs);
      if (index >= 0 && index < count) row[index] = options.toPoint(value, grid.stepSeconds);
    }
    return row;
  });
  return { seconds, values };
}

// Two upload intervals of the SDK: a profile is sent at the end of one, and may take most of another to arrive.
const ARRIVAL_MS = 30_000;

/** From when on a timeline read at `nowMs` may be incomplete. */
export function findArrivingFrom(nowMs: number, grid: TimelineGrid): number {
  return nowMs - Math.max(ARRIVAL_MS, grid.stepSeconds * 1000);
}

/** A group of a split timeline with its weight. */
export interface RankedGroup {
  readonly value: string;
  /** Sum over the range (mean of the buckets for states). */
  readonly amount: number;
  /** Part of all groups, 0 to 1. */
  readonly share: number;
}

/** Groups by weight, the largest first, as the receiver sorts them; a series without the label is the group "". */
export function rankGroups(
  series: readonly TimeSeries[],
  label: string,
  isInstant: boolean,
): readonly RankedGroup[] {
  const amounts = series.map(({ labels, points }) => {
    const sum = points.reduce((total, { value }) => total + value, 0);
    return { value: labels[label] ?? "", amount: isInstant && points.length > 0 ? sum / points.length : sum };
  });
  const whole = amounts.reduce((total, { amount }) => total + amount, 0);
  return amounts
    .map(({ value, amount }) => ({ value, amount, share: whole > 0 ? amount / whole : 0 }))
    .sort((a, b) => b.amount - a.amount || (a.value < b.value ? -1 : 1));
}
