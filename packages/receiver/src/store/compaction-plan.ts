import type { Block } from "./block.ts";
import { rolledUpBlocks } from "./block-cover.ts";
import { type BlockMeta, blockBytes } from "./block-meta.ts";
import { groupBy } from "./group-by.ts";
import { finerLevel, type Level, type RollUpLevel } from "./level.ts";

const NANOS_PER_MILLI = 1_000_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const DAY_MS = 24 * HOUR_MS;
const MONTH_MS = 30 * DAY_MS;

/** Lengths of time whose raw blocks become one, the longest first: what is due for a day is not merged for an hour before. */
const RAW_WINDOWS_MS: readonly number[] = [DAY_MS, HOUR_MS, 10 * MINUTE_MS];
const FLUSHED_WINDOW_MS = 10 * MINUTE_MS;
/** Lengths of time whose blocks are rolled up to a level together. */
export const ROLL_UP_WINDOWS_MS: Readonly<Record<RollUpLevel, number>> = {
  "5m": DAY_MS,
  "1h": DAY_MS,
  "1h-service": MONTH_MS,
  "1d-service": MONTH_MS,
};
/** Levels whose blocks of a month become one. Those of five minutes are read for a few weeks at most. */
const MONTHLY_LEVELS: readonly RollUpLevel[] = ["1h", "1h-service", "1d-service"];

// A block of a window reaches over its ends by what came late and by half of a flush interval.
const OVERHANG = 1.5;
// Share of a window's length for which nothing came into it: whoever sends what was held up sends it all by then.
const QUIET_SHARE = 1 / 6;
const MAX_QUIET_MS = 4 * HOUR_MS;

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
  /** Levels that are made of raw blocks. A level needs those before it. */
  readonly rollUpLevels: readonly RollUpLevel[];
  /** Stacks of one profile of a roll-up above which light ones become `other`; 0: never. */
  readonly maxNodes: number;
}

/** Whether profiles of a tenant, none newer than a time, are past the retention of a level: what is made now goes at once. */
export type IsPast = (tenant: string, level: Level, maxUnixNanos: bigint) => boolean;

/** What is to be done with some blocks of one tenant. */
export interface CompactionJob {
  /**
   * `merge`: they become blocks of their level and are gone. `rollUp`: a block of a coarser level is made of them.
   * `rewrite`: one block is written again without what was deleted or is past its time.
   */
  readonly kind: "merge" | "rollUp" | "rewrite";
  /** Of what is written. */
  readonly level: Level;
  readonly blocks: readonly Block[];
}

/**
 * What is to be done next with the blocks of one tenant, or undefined when there is nothing to do.
 *
 * Blocks of ten minutes, of an hour and of a day of UTC are merged when that time is over and nothing came into it for a
 * while. A block belongs to the window of its earliest profile, and to none that is much shorter than itself, so that
 * what comes late is merged with its like first and does not have a day rewritten each time. What is merged is rolled
 * up, and is not merged again: a roll-up names the blocks that it was made of.
 *
 * @param excluded - Ids of blocks that are left alone.
 * @param isPast - What no level keeps is not rolled up.
 */
export function planCompaction(
  blocks: readonly Block[],
  nowUnixMillis: number,
  limits: CompactionLimits,
  excluded: ReadonlySet<string> = new Set(),
  isPast: IsPast = () => false,
): CompactionJob | undefined {
  const rolledUp = rolledUpBlocks(blocks);
  const candidates = blocks.filter((block) => !rolledUp.has(block) && !excluded.has(block.meta.id));
  return (
    planRawMerge(ofLevel(candidates, "raw"), nowUnixMillis, limits) ??
    planRollUp(candidates, nowUnixMillis, limits, isPast) ??
    planMonthlyMerge(candidates, nowUnixMillis, limits)
  );
}

function planRawMerge(
  candidates: readonly Block[],
  nowUnixMillis: number,
  limits: CompactionLimits,
): CompactionJob | undefined {
  const merge = (blocks: readonly Block[]): CompactionJob => ({ kind: "merge", level: "raw", blocks });
  for (const windowMs of RAW_WINDOWS_MS) {
    const short = candidates.filter((block) => isWithin(block, windowMs));
    for (const [start, group] of groupByWindow(short, windowMs)) {
      if (isOver(group, start, windowMs, nowUnixMillis) && isWorthwhile(group, limits)) return merge(group);
      const flushed = group.filter(({ meta }) => meta.mergeCount === 0);
      if (windowMs === FLUSHED_WINDOW_MS && flushed.length >= limits.maxFlushedBlocks) return merge(flushed);
    }
  }
  return undefined;
}

function planRollUp(
  candidates: readonly Block[],
  nowUnixMillis: number,
  { rollUpLevels, maxBlockBytes }: CompactionLimits,
  isPast: IsPast,
): CompactionJob | undefined {
  for (const [i, level] of rollUpLevels.entries()) {
    // A coarser one that is kept is made of this one.
    const levels = rollUpLevels.slice(i);
    const windowMs = ROLL_UP_WINDOWS_MS[level];
    for (const [start, group] of groupByWindow(ofLevel(candidates, finerLevel(level)), windowMs)) {
      if (!isOver(group, start, windowMs, nowUnixMillis)) continue;
      const kept = group.filter(({ meta: { tenant, maxUnixNanos } }) =>
        levels.some((coarser) => !isPast(tenant, coarser, maxUnixNanos)),
      );
      if (kept.length === 0) continue;
      // By services: those that a day was split by stay apart.
      const ordered = kept.toSorted((left, right) => compareText(firstService(left), firstService(right)));
      return { kind: "rollUp", level, blocks: takeBytes(ordered, maxBlockBytes) };
    }
  }
  return undefined;
}

/** Blocks of a month of a coarse level are few bytes each: years of them must not be hundreds of files. */
function planMonthlyMerge(
  candidates: readonly Block[],
  nowUnixMillis: number,
  limits: CompactionLimits,
): CompactionJob | undefined {
  for (const level of MONTHLY_LEVELS) {
    for (const [start, group] of groupByWindow(ofLevel(candidates, level), MONTH_MS)) {
      if (!isOver(group, start, MONTH_MS, nowUnixMillis)) continue;
      const smallest = group.toSorted((left, right) => blockBytes(left.meta) - blockBytes(right.meta));
      const blocks = takeBytes(smallest, limits.maxBlockBytes);
      if (blocks.length > 1) return { kind: "merge", level, blocks };
    }
  }
  return undefined;
}

/** The first blocks that are not larger together than a limit; at least one. */
function takeBytes(blocks: readonly Block[], maxBytes: number): readonly Block[] {
  let bytes = 0;
  const end = blocks.findIndex((block, i) => {
    bytes += blockBytes(block.meta);
    return i > 0 && bytes > maxBytes;
  });
  return end === -1 ? blocks : blocks.slice(0, end);
}

function ofLevel(blocks: readonly Block[], level: Level | undefined): readonly Block[] {
  return blocks.filter(({ meta }) => meta.level === level);
}

function firstService({ meta }: Block): string {
  return meta.services[0] ?? "";
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

function isWithin({ meta }: Block, windowMs: number): boolean {
  return Number(meta.maxUnixNanos - meta.minUnixNanos) <= OVERHANG * windowMs * NANOS_PER_MILLI;
}

function groupByWindow(blocks: readonly Block[], windowMs: number): ReadonlyMap<number, readonly Block[]> {
  return groupBy(blocks, ({ meta }) => windowStart(meta, windowMs));
}

function windowStart({ minUnixNanos }: BlockMeta, windowMs: number): number {
  return Math.floor(Number(minUnixNanos) / NANOS_PER_MILLI / windowMs) * windowMs;
}

/**
 * Whether a window is over and nothing came into it lately. What counts is when profiles came, not when blocks were
 * written: a merge of ten minutes must not put off that of their hour.
 */
function isOver(group: readonly Block[], start: number, windowMs: number, nowUnixMillis: number): boolean {
  const newest = Math.max(...group.map(({ meta }) => meta.receivedUnixMillis));
  const quietMs = Math.min(QUIET_SHARE * windowMs, MAX_QUIET_MS);
  // A clock that was set back must not stop compaction for as long as it was ahead.
  const isQuiet = nowUnixMillis - newest >= quietMs || newest - nowUnixMillis > windowMs;
  return nowUnixMillis >= start + windowMs && isQuiet;
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
