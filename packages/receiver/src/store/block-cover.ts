import type { Block } from "./block.ts";
import { LEVELS, type Level, levelMillis } from "./level.ts";

/** Times from the first to the last, both inclusive, in Unix milliseconds. */
export interface MillisRange {
  readonly from: number;
  readonly until: number;
}

/** What a query reads of one block. */
export interface BlockPart {
  readonly block: Block;
  /** Times of the rows that count, disjoint; undefined: all that the query asks for. */
  readonly ranges: readonly MillisRange[] | undefined;
}

const NANOS_PER_MILLI = 1_000_000n;

/**
 * Chooses what to read of raw blocks and of what was rolled up, so that every profile of a range counts once.
 *
 * The coarsest level that is allowed answers for its whole intervals inside the range, and the blocks that it was made of
 * for what is left at the ends. Where one of those is gone, by retention or damage, the roll-up answers alone, with the
 * intervals that end inside the range: two ranges that follow each other then share no profile and miss none.
 *
 * @param blocks - All blocks of one tenant.
 * @param level - The coarsest level that the query may read.
 */
export function coverRange(blocks: readonly Block[], range: MillisRange, level: Level): readonly BlockPart[] {
  const cover = new Cover(blocks);
  return cover.parts(range, level);
}

/** Blocks of a tenant that a roll-up has the rows of. */
export function rolledUpBlocks(blocks: readonly Block[]): ReadonlySet<Block> {
  return new Cover(blocks).rolledUp;
}

/** Which block is made of which. */
class Cover {
  /** The coarsest first: what stands in for blocks that are gone takes their place in all that follows. */
  readonly #blocks: readonly Block[];
  readonly #byName: ReadonlyMap<string, Block>;
  /** The blocks that a roll-up is made of, without what they are made of; undefined where one of them is gone. */
  readonly #members = new Map<Block, readonly Block[] | undefined>();
  readonly #rolledUp = new Set<Block>();
  /** What is left out: a second roll-up of the same blocks. */
  readonly #spare = new Set<Block>();
  readonly #ranges = new Map<Block, MillisRange[]>();

  constructor(blocks: readonly Block[]) {
    this.#byName = namesOf(blocks);
    const finestFirst = blocks.toSorted((left, right) => levelOf(left) - levelOf(right) || byId(left, right));
    for (const block of finestFirst) if (block.meta.rolledUp.length > 0) this.#add(block);
    this.#blocks = finestFirst.toReversed();
  }

  get rolledUp(): ReadonlySet<Block> {
    return this.#rolledUp;
  }

  parts(range: MillisRange, level: Level): readonly BlockPart[] {
    const answered = new Set<Block>();
    const roots: Block[] = [];
    for (const block of this.#blocks) {
      if (answered.has(block) || this.#spare.has(block)) continue;
      const isTooCoarse = levelOf(block) > LEVELS.indexOf(level);
      if (isTooCoarse && this.#members.get(block) !== undefined) continue;
      roots.push(block);
      for (const member of this.#present(block)) answered.add(member);
    }
    for (const root of roots) this.#assign(root, [range]);
    return [...this.#ranges].map(([block, ranges]) => ({
      block,
      ranges: isWhole(block, ranges) ? undefined : ranges,
    }));
  }

  #add(rollUp: Block): void {
    const present = this.#present(rollUp);
    const within = new Set(present.flatMap(({ meta }) => meta.rolledUp));
    const members = present.filter(({ meta }) => ![meta.id, ...meta.blocks].some((id) => within.has(id)));
    if (members.some((member) => this.#rolledUp.has(member))) {
      this.#spare.add(rollUp);
      return;
    }
    for (const member of present) this.#rolledUp.add(member);
    const isComplete = rollUp.meta.rolledUp.every((id) => this.#byName.has(id) || within.has(id));
    this.#members.set(rollUp, isComplete ? members : undefined);
  }

  /** The blocks that a roll-up has the rows of, of all levels. */
  #present({ meta }: Block): readonly Block[] {
    const members = meta.rolledUp.map((id) => this.#byName.get(id));
    return [...new Set(members.filter((member) => member !== undefined))];
  }

  #assign(block: Block, ranges: readonly MillisRange[]): void {
    const members = this.#members.get(block);
    const length = levelMillis[block.meta.level];
    for (const range of ranges) {
      if (members === undefined) {
        this.#put(block, range);
        continue;
      }
      const first = Math.ceil((range.from + length - 1) / length) * length;
      const last = Math.floor(range.until / length) * length;
      if (first > last) {
        for (const member of members) this.#assign(member, [range]);
        continue;
      }
      this.#put(block, { from: first, until: last });
      const ends = [
        { from: range.from, until: first - length },
        { from: last + 1, until: range.until },
      ].filter(({ from, until }) => from <= until);
      for (const member of members) this.#assign(member, ends);
    }
  }

  #put(block: Block, range: MillisRange): void {
    const { from, until } = timesOf(block);
    if (from > range.until || until < range.from) return;
    const ranges = this.#ranges.get(block) ?? [];
    ranges.push(range);
    this.#ranges.set(block, ranges);
  }
}

/** Blocks by the ids that roll-ups name: their own, or that of a block which they replace. */
function namesOf(blocks: readonly Block[]): ReadonlyMap<string, Block> {
  const wanted = new Set(blocks.flatMap(({ meta }) => meta.rolledUp));
  const names = new Map<string, Block>();
  if (wanted.size === 0) return names;
  for (const block of blocks) {
    for (const id of [block.meta.id, ...block.meta.blocks]) if (wanted.has(id)) names.set(id, block);
  }
  return names;
}

function levelOf({ meta }: Block): number {
  return LEVELS.indexOf(meta.level);
}

function byId(left: Block, right: Block): number {
  return left.meta.id < right.meta.id ? -1 : 1;
}

function timesOf({ meta }: Block): MillisRange {
  return {
    from: Number(meta.minUnixNanos / NANOS_PER_MILLI),
    until: Number(meta.maxUnixNanos / NANOS_PER_MILLI),
  };
}

function isWhole(block: Block, [range, ...others]: readonly MillisRange[]): boolean {
  const { from, until } = timesOf(block);
  return range !== undefined && others.length === 0 && range.from <= from && range.until >= until;
}
