import { toTree, ValueColumn } from "../profile/build-tree.ts";
import type { Tree } from "../profile/tree.ts";
import { TreeShape } from "../profile/tree-shape.ts";
import { type BarLayout, malformedFlamebearer, readBars } from "./flamebearer-bars.ts";
import { checkNotNegative, nameRightmostFirst } from "./flamebearer-names.ts";
import { BarSide, createLevels } from "./flamebearer-side.ts";

/**
 * A flame graph in Pyroscope's JSON: one list of bars for each level, the root's first.
 *
 * A bar is 4 numbers: its distance from the end of the bar before it (from 0 for the first), its total, its self, and
 * the row of its name.
 *
 * Source: Grafana Pyroscope api/querier/v1/querier.proto `FlameGraph`, pkg/model/flamegraph.go.
 */
export interface Flamebearer {
  readonly names: readonly string[];
  readonly levels: readonly (readonly number[])[];
  /** Total of the root. */
  readonly numTicks: number;
  /** Largest self of all bars. */
  readonly maxSelf: number;
}

/**
 * Draws a tree as bars.
 *
 * A bar's own value is drawn first, so its first child begins at its start plus its self. A tree without values is the
 * root's bar alone, `[0, 0, 0, 0]`. Names come in the order of a walk that visits the right-most child first, as Pyroscope
 * writes them. Numbers are exact up to 2^53 and rounded beyond.
 *
 * @throws {@link ProtocolError} `TREE_MALFORMED` for a negative value, which has no width.
 */
export function treeToFlamebearer(tree: Tree): Flamebearer {
  checkNotNegative("treeToFlamebearer", tree.self);
  const { names, rowOfName } = nameRightmostFirst(tree);
  const levels = createLevels(tree);
  const side = new BarSide(tree, tree.self, tree.total);
  for (let row = 0; row < tree.length; row++) {
    const bars = levels[tree.level[row] ?? 0] ?? [];
    side.push(bars, row);
    bars.push(rowOfName[tree.name[row] ?? 0] ?? 0);
  }
  return { names, levels, numTicks: side.ticks, maxSelf: side.maxSelf };
}

const SINGLE_BARS: BarLayout = { what: "flamebearer", width: 4, sides: [0], nameAt: 3 };

/**
 * Reads bars back into a tree. Strict: the input may come from another server.
 *
 * The name of the first bar is not looked at: it is the root. Bars of one name under one parent become one node.
 *
 * Law: `flamebearerToTree(treeToFlamebearer(tree))` equals `tree`, while values are whole and within 2^53.
 *
 * @throws {@link ProtocolError} `TREE_MALFORMED` when a level is not a list of whole bars of finite numbers from 0, a name
 * is not a row of `names`, a bar lies outside every bar above it, or a total is not self plus the bars below.
 */
export function flamebearerToTree(flamebearer: Flamebearer): Tree {
  const shape = new TreeShape();
  const self = new ValueColumn();
  readBars(flamebearer, SINGLE_BARS, shape, (node, values) => self.add(node, values[0] ?? 0));
  const tree = toTree(shape.finish(), self);
  if (tree.total[0] !== flamebearer.numTicks && Number.isSafeInteger(flamebearer.numTicks)) {
    throw malformedFlamebearer(
      `numTicks ${flamebearer.numTicks}: expected ${tree.total[0]}, the sum of all bars' self`,
    );
  }
  return tree;
}
