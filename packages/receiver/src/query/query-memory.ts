import { ReceiverError } from "../errors.ts";
import { selectCost } from "../store/select-cost.ts";
import type { SampleFilter } from "../store/select-filter.ts";
import { selectStackSize } from "../store/select-stacks.ts";
import type { ReadContext } from "./snapshot-reader.ts";

/**
 * Bytes that a stack and each of its frames take from DuckDB's result to the tree, about: ids of both, numbers instead of
 * ids, nodes, and what of all that is not collected yet. Measured: 85,000 stacks of twenty frames raised a process by 240 MB.
 */
const STACK_BYTES = 300;
const FRAME_BYTES = 128;
/** A bucket of a series with a label or two. */
const POINT_BYTES = 120;
/** Deeper than most: what the rows of blocks do not tell. */
const ASSUMED_DEPTH = 64;
/** An estimate that is a bound of everything in the blocks may be this much too large: then it is worth to count. */
const MAX_GUESS_SHARE = 4;

/** Bytes that the stacks of a query will take. Counts them only where blocks have so many that it matters. */
export async function estimateStacks(
  { snapshot, signal, maxMemoryBytes }: ReadContext,
  filter: SampleFilter,
): Promise<number> {
  const { stacks, samples } = snapshot.rowCounts;
  const most = Math.min(stacks, samples) * (STACK_BYTES + ASSUMED_DEPTH * FRAME_BYTES);
  if (maxMemoryBytes === 0 || most <= maxMemoryBytes / MAX_GUESS_SHARE) return most;
  const size = await selectStackSize(snapshot, filter, signal);
  return size.stackCount * STACK_BYTES + size.frameCount * FRAME_BYTES;
}

/** What there is at most of a time series: its groups by its buckets. */
export interface SeriesShape {
  readonly isGrouped: boolean;
  readonly bucketCount: number;
}

/** Bytes that the points of a query will take. */
export async function estimatePoints(
  { snapshot, filter, signal, maxMemoryBytes }: ReadContext,
  { isGrouped, bucketCount }: SeriesShape,
): Promise<number> {
  const { totals, series } = snapshot.rowCounts;
  const bytesOf = (profileCount: number, seriesCount: number): number =>
    Math.min(profileCount, (isGrouped ? seriesCount : 1) * bucketCount) * POINT_BYTES;
  const most = bytesOf(totals, series);
  if (maxMemoryBytes === 0 || most <= maxMemoryBytes / MAX_GUESS_SHARE) return most;
  const cost = await selectCost(snapshot, filter, signal);
  return bytesOf(cost.profileCount, cost.seriesCount);
}

const MEBIBYTE = 1024 * 1024;

/** @throws {@link ReceiverError} INVALID_ARGUMENT when a query would take more memory than it may. */
export function checkMemory(bytes: number, maxMemoryBytes: number): void {
  if (maxMemoryBytes === 0 || bytes <= maxMemoryBytes) return;
  const inMebibytes = (value: number): number => Number((value / MEBIBYTE).toPrecision(3));
  throw new ReceiverError(
    `the query exceeds the memory limit (max_query_memory_mb, estimate: ${inMebibytes(bytes)}, limit: ${inMebibytes(maxMemoryBytes)}), ` +
      "decrease the duration of the request or add more label matchers",
    { code: "INVALID_ARGUMENT" },
  );
}
