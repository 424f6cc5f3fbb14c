import { ProtocolError } from "../errors.ts";
import { ROOT_NODE, type TreeShape } from "../profile/tree-shape.ts";

/** How a bar is laid out in its level. */
export interface BarLayout {
  readonly what: string;
  /** Numbers of a bar. */
  readonly width: number;
  /** Where each side begins: distance, total, self. */
  readonly sides: readonly number[];
  readonly nameAt: number;
}

/** The part that single and double flamebearers have in common. */
interface Bars {
  readonly names: readonly string[];
  readonly levels: readonly (readonly number[])[];
}

/** A bar of the level above, with its sides laid one after the other. */
interface OpenBar {
  readonly node: number;
  readonly start: number;
  readonly end: number;
  /** What no bar below has taken yet. */
  left: number;
}

/**
 * Reads the bars of all levels into a shape.
 *
 * @param visit - gets the node of each bar and the self of each side.
 */
export function readBars(
  bars: Bars,
  layout: BarLayout,
  shape: TreeShape,
  visit: (node: number, self: readonly number[]) => void,
): void {
  const names = shape.nameRows(bars.names);
  const [root, ...levels] = bars.levels;
  if (root?.length !== layout.width) {
    throw malformedFlamebearer(
      `level 0 has ${root?.length ?? 0} numbers: expected one bar of ${layout.width}`,
    );
  }
  let above = readLevel(root, layout, 0, (_name, bar) => openBar(bar, ROOT_NODE, visit));
  for (const [index, level] of levels.entries()) {
    const parents = new ParentFinder(above, index + 1);
    const open = readLevel(level, layout, index + 1, (name, bar) => {
      const row = names[name];
      if (row === undefined) {
        throw malformedFlamebearer(
          `level ${index + 1} has name ${name}: expected a row of ${names.length} names`,
        );
      }
      return openBar(bar, shape.child(parents.take(bar), row), visit);
    });
    checkFilled(above, index);
    above = open;
  }
  checkFilled(above, levels.length);
}

/** A bar as it stands in its level, with absolute starts; sides are laid one after the other. */
interface Bar {
  readonly start: number;
  readonly total: number;
  readonly self: readonly number[];
}

function openBar(bar: Bar, node: number, visit: (node: number, self: readonly number[]) => void): OpenBar {
  visit(node, bar.self);
  const self = bar.self.reduce((sum, value) => sum + value, 0);
  return { node, start: bar.start, end: bar.start + bar.total, left: bar.total - self };
}

function readLevel(
  level: readonly number[],
  layout: BarLayout,
  index: number,
  open: (name: number, bar: Bar) => OpenBar,
): OpenBar[] {
  if (level.length % layout.width !== 0) {
    throw malformedFlamebearer(
      `level ${index} has ${level.length} numbers: expected bars of ${layout.width}`,
    );
  }
  const bad = level.findIndex((number) => !(Number.isFinite(number) && number >= 0));
  if (bad >= 0)
    throw malformedFlamebearer(`level ${index} has ${level[bad]} at ${bad}: expected a number from 0`);
  const opened: OpenBar[] = [];
  let end = 0;
  for (let at = 0; at < level.length; at += layout.width) {
    let start = end;
    let total = 0;
    const self: number[] = [];
    for (const side of layout.sides) {
      start += level[at + side] ?? 0;
      total += level[at + side + 1] ?? 0;
      self.push(level[at + side + 2] ?? 0);
    }
    opened.push(open(level[at + layout.nameAt] ?? 0, { start, total, self }));
    end = start + total;
  }
  return opened;
}

/** Finds the bar above each bar of a level, from left to right. */
class ParentFinder {
  readonly #above: readonly OpenBar[];
  readonly #level: number;
  #at = 0;

  constructor(above: readonly OpenBar[], level: number) {
    this.#above = above;
    this.#level = level;
  }

  /** The node above a bar, whose width it takes. */
  take(bar: Bar): number {
    let parent = this.#above[this.#at];
    while (parent !== undefined && bar.start >= parent.end && this.#at + 1 < this.#above.length) {
      parent = this.#above[++this.#at];
    }
    const end = bar.start + bar.total;
    if (parent === undefined || bar.start < parent.start || (end > parent.end && isExact(end))) {
      throw malformedFlamebearer(
        `level ${this.#level} has a bar from ${bar.start} to ${end}: expected it below a bar of the level above`,
      );
    }
    parent.left -= bar.total;
    return parent.node;
  }
}

/** Checks that each bar's total is its self plus the totals below it. */
function checkFilled(bars: readonly OpenBar[], level: number): void {
  const bad = bars.find((bar) => bar.left !== 0 && isExact(bar.end));
  if (bad === undefined) return;
  throw malformedFlamebearer(
    `level ${level} has a bar from ${bad.start} to ${bad.end}: its self and the bars below it differ from that by ${bad.left}`,
  );
}

/** Beyond 2^53 numbers are rounded, and so bars may overlap by the rounding. */
function isExact(position: number): boolean {
  return position <= Number.MAX_SAFE_INTEGER;
}

export function malformedFlamebearer(message: string): ProtocolError {
  return new ProtocolError(`reading a flamebearer: ${message}`, { code: "TREE_MALFORMED" });
}
