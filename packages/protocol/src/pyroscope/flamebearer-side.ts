import type { Tree } from "../profile/tree.ts";

type TreeColumns = Pick<Tree, "length" | "level" | "parent">;

/** One side's bars while they are laid from left to right on each level; a single flamebearer has one side. */
export class BarSide {
  maxSelf = 0;
  readonly #tree: TreeColumns;
  readonly #self: Float64Array;
  readonly #total: Float64Array;
  readonly #nextStart: Float64Array;
  readonly #levelEnd: number[] = [];

  constructor(tree: TreeColumns, self: Float64Array, total: Float64Array) {
    this.#tree = tree;
    this.#self = self;
    this.#total = total;
    this.#nextStart = new Float64Array(tree.length);
  }

  get ticks(): number {
    return this.#total[0] ?? 0;
  }

  /** Appends distance, total and self of a row to its level. */
  push(bars: number[], row: number): void {
    const parent = Math.max(this.#tree.parent[row] ?? 0, 0);
    const level = this.#tree.level[row] ?? 0;
    const start = this.#nextStart[parent] ?? 0;
    const total = this.#total[row] ?? 0;
    const self = this.#self[row] ?? 0;
    // Rows are in pre-order, so the bars of one level come from left to right.
    bars.push(start - (this.#levelEnd[level] ?? 0), total, self);
    this.#levelEnd[level] = start + total;
    this.#nextStart[parent] = start + total;
    this.#nextStart[row] = start + self;
    this.maxSelf = Math.max(this.maxSelf, self);
  }
}

/** An empty list of bars for each level of a tree. */
export function createLevels(tree: TreeColumns): number[][] {
  const deepest = tree.level.reduce((deepest, level) => Math.max(deepest, level), 0);
  return Array.from({ length: deepest + 1 }, () => []);
}
