import { ValueColumn } from "../profile/build-tree.ts";
import { toDiffTree } from "../profile/diff-trees.ts";
import type { DiffTree } from "../profile/tree.ts";
import { TreeShape } from "../profile/tree-shape.ts";
import { type BarLayout, malformedFlamebearer, readBars } from "./flamebearer-bars.ts";
import { checkNotNegative, nameRightmostFirst } from "./flamebearer-names.ts";
import { BarSide, createLevels } from "./flamebearer-side.ts";

/**
 * A diff of two flame graphs in Pyroscope's JSON.
 *
 * A bar is 7 numbers: distance, total and self on the left, distance, total and self on the right, and the row of its
 * name. Each side's distances count from the end of the bar before it on that side.
 *
 * Source: Grafana Pyroscope api/querier/v1/querier.proto `FlameGraphDiff`, pkg/model/flamegraph_diff.go.
 */
export interface FlamebearerDouble {
  readonly names: readonly string[];
  readonly levels: readonly (readonly number[])[];
  /** `leftTicks + rightTicks`. */
  readonly numTicks: number;
  /** Largest self of all bars of both sides. */
  readonly maxSelf: number;
  readonly leftTicks: number;
  readonly rightTicks: number;
}

/**
 * Draws a diff as bars, as {@link treeToFlamebearer} does for one tree.
 *
 * @throws {@link ProtocolError} `TREE_MALFORMED` for a negative value.
 */
export function diffTreeToFlamebearer(diff: DiffTree): FlamebearerDouble {
  checkNotNegative("diffTreeToFlamebearer, left", diff.leftSelf);
  checkNotNegative("diffTreeToFlamebearer, right", diff.rightSelf);
  const { names, rowOfName } = nameRightmostFirst(diff);
  const levels = createLevels(diff);
  const left = new BarSide(diff, diff.leftSelf, diff.leftTotal);
  const right = new BarSide(diff, diff.rightSelf, diff.rightTotal);
  for (let row = 0; row < diff.length; row++) {
    const bars = levels[diff.level[row] ?? 0] ?? [];
    left.push(bars, row);
    right.push(bars, row);
    bars.push(rowOfName[diff.name[row] ?? 0] ?? 0);
  }
  return {
    names,
    levels,
    numTicks: left.ticks + right.ticks,
    maxSelf: Math.max(left.maxSelf, right.maxSelf),
    leftTicks: left.ticks,
    rightTicks: right.ticks,
  };
}

const DOUBLE_BARS: BarLayout = { what: "double flamebearer", width: 7, sides: [0, 3], nameAt: 6 };

/**
 * Reads the bars of a diff back. Strict, as {@link flamebearerToTree}; law: as there.
 *
 * @throws {@link ProtocolError} `TREE_MALFORMED`.
 */
export function flamebearerToDiffTree(flamebearer: FlamebearerDouble): DiffTree {
  const shape = new TreeShape();
  const left = new ValueColumn();
  const right = new ValueColumn();
  readBars(flamebearer, DOUBLE_BARS, shape, (node, self) => {
    left.add(node, self[0] ?? 0);
    right.add(node, self[1] ?? 0);
  });
  const diff = toDiffTree(shape.finish(), left, right);
  checkTicks("leftTicks", flamebearer.leftTicks, diff.leftTotal[0] ?? 0);
  checkTicks("rightTicks", flamebearer.rightTicks, diff.rightTotal[0] ?? 0);
  return diff;
}

function checkTicks(what: string, ticks: number, total: number): void {
  if (ticks === total || !Number.isSafeInteger(total)) return;
  throw malformedFlamebearer(`${what} ${ticks}: expected ${total}, the sum of all bars' self`);
}
