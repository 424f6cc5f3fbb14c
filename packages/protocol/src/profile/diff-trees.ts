import { sumSubtrees, ValueColumn } from "./build-tree.ts";
import { copyNodes } from "./merge-trees.ts";
import type { DiffTree, Tree } from "./tree.ts";
import { type TreeRows, TreeShape } from "./tree-shape.ts";
import { copyKept, minTotal } from "./truncate-tree.ts";

/**
 * Lays two trees over each other.
 *
 * Laws: the left side of the result is `left` and the right side `right`, each with zeros where only the other has a
 * node; so the roots' totals are theirs.
 */
export function diffTrees(left: Tree, right: Tree): DiffTree {
  const shape = new TreeShape();
  const leftSelf = new ValueColumn();
  const rightSelf = new ValueColumn();
  const leftNodes = copyNodes(left, shape);
  for (let row = 0; row < left.length; row++) leftSelf.add(leftNodes[row]!, left.self[row]!);
  const rightNodes = copyNodes(right, shape);
  for (let row = 0; row < right.length; row++) rightSelf.add(rightNodes[row]!, right.self[row]!);
  return toDiffTree(shape.finish(), leftSelf, rightSelf);
}

/**
 * Keeps the largest nodes of two trees: as {@link truncateTree}, by the larger of a node's two totals.
 *
 * Laws: both roots' totals stay as they are.
 */
export function truncateDiffTree(diff: DiffTree, maxNodes: number): DiffTree {
  const { leftTotal, rightTotal } = diff;
  const larger = leftTotal.map((total, row) => Math.max(total, rightTotal[row]!));
  const min = minTotal(larger, maxNodes);
  if (min === undefined) return diff;
  const shape = new TreeShape();
  const left = new ValueColumn();
  const right = new ValueColumn();
  copyKept(
    diff,
    shape,
    (row) => larger[row]! >= min,
    (node, row, isWhole) => {
      left.add(node, isWhole ? leftTotal[row]! : diff.leftSelf[row]!);
      right.add(node, isWhole ? rightTotal[row]! : diff.rightSelf[row]!);
    },
  );
  return toDiffTree(shape.finish(), left, right);
}

/** Joins finished rows with the values of both sides. */
export function toDiffTree({ node, ...rows }: TreeRows, left: ValueColumn, right: ValueColumn): DiffTree {
  const leftSelf = left.inOrder({ node, ...rows });
  const rightSelf = right.inOrder({ node, ...rows });
  return {
    ...rows,
    leftSelf,
    leftTotal: sumSubtrees(rows.parent, leftSelf),
    rightSelf,
    rightTotal: sumSubtrees(rows.parent, rightSelf),
  };
}
