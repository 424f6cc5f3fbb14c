import type { SampleFilter } from "./select-filter.ts";

/** How the profiles of one group in one bucket become one value. */
export type TotalsAggregation =
  /** Their sum. */
  | "sum"
  /** Their sum divided by how many they are. */
  | "average"
  /** The average of each series, summed over the group's series: memory in use by ten pods is the sum of theirs. */
  | "seriesAverage";

/** A grid of buckets `(t - step, t]` with `t = start + i * step`, all in milliseconds. */
export interface TimeGrid {
  readonly startUnixMillis: number;
  readonly stepMs: number;
}

export interface TotalsQuery {
  /** The grid's times are the filter's business; one profile type. */
  readonly filter: SampleFilter;
  readonly grid: TimeGrid;
  readonly groupBy: readonly string[];
  readonly aggregation: TotalsAggregation;
  readonly exemplars: boolean;
}

/** One row per group and bucket that holds a profile, in no order. */
export interface TotalsRows {
  readonly rowCount: number;
  /** Bucket `i` ends at `start + i * step`. */
  readonly bucket: BigInt64Array;
  readonly value: Float64Array;
  /** One column for each name in `groupBy`; "" where the series lacks the label. */
  readonly group: readonly (readonly string[])[];
  readonly exemplars: ExemplarColumns | undefined;
}

/** The largest profile of each row. */
interface ExemplarColumns {
  readonly profile: readonly string[];
  readonly unixNanos: BigInt64Array;
  readonly series: BigUint64Array;
  readonly total: BigInt64Array;
}
