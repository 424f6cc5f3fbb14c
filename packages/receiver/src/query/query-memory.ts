import { ReceiverError } from "../errors.ts";
import { selectCost } from "../store/select-cost.ts";
import type { SampleFilter } from "../store/select-filter.ts";
import { selectStackCount, selectStackSize } from "../store/select-stacks.ts";
import type { ReadContext } from "./snapshot-reader.ts";

/** What a stack and each of its frames take from DuckDB's result to the answer. */
interface StackCost {
  readonly stackBytes: number;
  readonly frameBytes: number;
}

/** What becomes of stacks: a tree of their largest nodes, or something with all of them. */
export type StackUse = "cut tree" | "all";

const stackCosts: Readonly<Record<StackUse, StackCost>> = {
  // Ids of both, and numbers in their place. Measured: 197,000 stacks of twenty frames raised a process by 160 to 240 MB.
  "cut tree": { stackBytes: 300, frameBytes: 48 },
  // The same, a node for each frame, and what of all that is not collected yet. Measured: 85,000 stacks of twenty frames
  // raised a process by 240 MB.
  all: { stackBytes: 300, frameBytes: 128 },
};
/** A node of a tree that is kept, while it is put into order. */
const NODE_BYTES = 160;
/** A bucket of a series with a label or two. */
const POINT_BYTES = 120;
/** Deeper than most: what the rows of blocks do not tell. */
const ASSUMED_DEPTH = 64;
/** An estimate that is a bound of everything in the blocks may be this much too large: then it is worth to count. */
const MAX_GUESS_SHARE = 4;

/** Bytes that the stacks of a query will take. Counts them, and then their frames, only where there are so many that it matters. */
export async function estimateStacks(
  { snapshot, signal, maxMemoryBytes }: ReadContext,
  filter: SampleFilter,
  use: StackUse,
): Promise<number> {
  const { stackBytes, frameBytes } = stackCosts[use];
  const { stacks, samples } = snapshot.rowCounts;
  const guess = (stackCount: number): number => stackCount * (stackBytes + ASSUMED_DEPTH * frameBytes);
  const isEnough = (bytes: number): boolean =>
    maxMemoryBytes === 0 || bytes <= maxMemoryBytes / MAX_GUESS_SHARE;
  const most = guess(Math.min(stacks, samples));
  if (isEnough(most)) return most;
  // To count stacks takes a tenth of what it takes to read how deep they are.
  const used = guess(await selectStackCount(snapshot, filter, signal));
  if (isEnough(used)) return used;
  const size = await selectStackSize(snapshot, filter, signal);
  return size.stackCount * stackBytes + size.frameCount * frameBytes;
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

/**
 * Checks a tree that has more nodes than were asked for, because so many are equal.
 *
 * @throws {@link ReceiverError} INVALID_ARGUMENT when it would take more memory than a query may.
 */
export function checkNodes(nodeCount: number, maxMemoryBytes: number): void {
  checkMemory(nodeCount * NODE_BYTES, maxMemoryBytes);
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
