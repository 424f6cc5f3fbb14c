import type { Block } from "./block.ts";
import { type BlockMeta, blockBytes } from "./block-meta.ts";

const NANOS_PER_MILLI = 1_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Lengths of time whose blocks become one, the longest first: what is due for a day is not merged for an hour before. */
const WINDOWS_MS: readonly number[] = [24 * HOUR_MS, HOUR_MS, 10 * MINUTE_MS];
const FLUSHED_WINDOW_MS = 10 * MINUTE_MS;

// A block of a window reaches over its ends by what came late and by half of a flush interval.
const OVERHANG = 1.5;
// Share of a window's length for which nothing came into it: whoever sends what was held up sends it all by then.
const QUIET_SHARE = 1 / 6;

/** Bounds of compaction. */
export interface CompactionLimits {
  /** Bytes above which what a window holds is split by service. */
  readonly maxBlockBytes: number;
  /** Flushed blocks of ten minutes that are merged at once, without waiting for the window's end. */
  readonly maxFlushedBlocks: number;
  /** Bytes above which the blocks of a window stay as they are: a merge needs that much room on the disk. */
  readonly maxInputBytes: number;
  /** Memory of DuckDB for a merge, beside that of the store. */
  readonly memoryLimitBytes: number;
}

/**
 * The raw blocks of one tenant that are to be merged next, or undefined when there is nothing to do.
 *
 * Blocks of ten minutes, of an hour and of a day of UTC are merged when that time is over and nothing came into it for a
 * while. A block belongs to the window of its earliest profile, and to none that is much shorter than itself, so that
 * what comes late is merged with its like first and does not have a day rewritten each time.
 *
 * @param excluded - Ids of blocks that are left alone.
 */
export function planCompaction(
  blocks: readonly Block[],
  nowUnixMillis: number,
  limits: CompactionLimits,
  excluded: ReadonlySet<string> = new Set(),
): readonly Block[] | undefined {
  const candidates = blocks.filter(({ meta }) => meta.level === "raw" && !excluded.has(meta.id));
  for (const windowMs of WINDOWS_MS) {
    for (const [start, group] of groupByWindow(candidates, windowMs)) {
      const isOver = nowUnixMillis >= start + windowMs && isQuiet(group, nowUnixMillis, windowMs);
      if (isOver && isWorthwhile(group, limits)) return group;
      const flushed = group.filter(({ meta }) => meta.mergeCount === 0);
      if (windowMs === FLUSHED_WINDOW_MS && flushed.length >= limits.maxFlushedBlocks) return flushed;
    }
  }
  return undefined;
}

function groupByWindow(blocks: readonly Block[], windowMs: number): ReadonlyMap<number, readonly Block[]> {
  const groups = new Map<number, Block[]>();
  for (const block of blocks) {
    const { minUnixNanos, maxUnixNanos } = block.meta;
    if (Number(maxUnixNanos - minUnixNanos) > OVERHANG * windowMs * NANOS_PER_MILLI) continue;
    const start = windowStart(block.meta, windowMs);
    const group = groups.get(start) ?? [];
    group.push(block);
    groups.set(start, group);
  }
  return groups;
}

function windowStart({ minUnixNanos }: BlockMeta, windowMs: number): number {
  return Math.floor(Number(minUnixNanos) / NANOS_PER_MILLI / windowMs) * windowMs;
}

/**
 * Whether nothing came into the group lately. What counts is when profiles came, not when blocks were written: a merge of
 * ten minutes must not put off that of their hour.
 */
function isQuiet(group: readonly Block[], nowUnixMillis: number, windowMs: number): boolean {
  const newest = Math.max(...group.map(({ meta }) => meta.receivedUnixMillis));
  // A clock that was set back must not stop compaction for as long as it was ahead.
  return nowUnixMillis - newest >= QUIET_SHARE * windowMs || newest - nowUnixMillis > windowMs;
}

/** Whether fewer or smaller blocks come out: parts that were split by service stay split. */
function isWorthwhile(group: readonly Block[], { maxBlockBytes, maxInputBytes }: CompactionLimits): boolean {
  if (group.length < 2) return false;
  const bytes = group.reduce((sum, { meta }) => sum + blockBytes(meta), 0);
  if (bytes > maxInputBytes) return false;
  if (bytes <= maxBlockBytes) return true;
  const services = group.flatMap(({ meta }) => meta.services);
  return new Set(services).size < services.length;
}

/** Services that go into one block: all from the first to the last, both inclusive. */
export interface ServiceRange {
  readonly first: string;
  readonly last: string;
}

/** Splits services, which come in order, into ranges of at most `maxBytes`; a service that is larger has its own. */
export function splitServices(
  services: readonly { readonly service: string; readonly bytes: number }[],
  maxBytes: number,
): readonly ServiceRange[] {
  const ranges: ServiceRange[] = [];
  let bytes = 0;
  for (const { service, bytes: more } of services) {
    const current = ranges.at(-1);
    if (current === undefined || bytes + more > maxBytes) {
      ranges.push({ first: service, last: service });
      bytes = more;
    } else {
      ranges[ranges.length - 1] = { first: current.first, last: service };
      bytes += more;
    }
  }
  return ranges;
}
