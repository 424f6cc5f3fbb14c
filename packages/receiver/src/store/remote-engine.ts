import { ReceiverError } from "../errors.ts";
import type { MillisRange } from "./block-cover.ts";
import type { SampleFilter } from "./select-filter.ts";
import type { TimeGrid } from "./totals-query.ts";

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** @throws {@link ReceiverError} OUT_OF_RANGE for a sum that leaves int64. */
export function checkInt64(value: bigint): bigint {
  if (value >= MIN_INT64 && value <= MAX_INT64) return value;
  throw new ReceiverError(`the sum of samples is ${value}, which leaves int64`, { code: "OUT_OF_RANGE" });
}

/** Both results, once both are there: what one reads must be held until it has ended, also when the other fails. */
export async function settleBoth<Left, Right>(
  left: Promise<Left>,
  right: Promise<Right>,
): Promise<readonly [Left, Right]> {
  await Promise.allSettled([left, right]);
  return [await left, await right];
}

/** A block whose samples an engine reads from the bucket. */
export interface RemotePart {
  /** As `Block.path`. */
  readonly path: string;
  /** Times of the rows that count, in Unix milliseconds; undefined: all. */
  readonly ranges: readonly MillisRange[] | undefined;
}

/** Sums by stack; a stack may come several times. Sums are as wide as they are. */
export type StackSums = readonly (readonly [stack: bigint, value: bigint])[];

/** Sums of samples by series and bucket. */
export interface PointSum {
  readonly series: bigint;
  readonly bucket: bigint;
  readonly total: bigint;
  /** Profiles that have such samples. */
  readonly profiles: number;
}

/**
 * An engine beyond this process that sums up samples where they lie: `profiles.parquet` of blocks that have each file
 * as an object.
 *
 * Every method throws `ReceiverError` STORAGE_UNAVAILABLE when the engine cannot be reached or refuses, CANCELLED when
 * `signal` aborts.
 */
export interface RemoteEngine {
  sumStacks(parts: readonly RemotePart[], filter: SampleFilter, signal?: AbortSignal): Promise<StackSums>;
  /** A point may come several times, once for each of some parts. */
  sumPoints(
    parts: readonly RemotePart[],
    filter: SampleFilter,
    grid: TimeGrid,
    signal?: AbortSignal,
  ): Promise<readonly PointSum[]>;
  close(): Promise<void>;
}
