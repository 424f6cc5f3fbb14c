import { toTree, ValueColumn } from "./build-tree.ts";
import type { Tree } from "./tree.ts";
import { ROOT_NODE, TreeShape } from "./tree-shape.ts";

/**
 * Sums trees: the union of their nodes, each with the sum of its values.
 *
 * Laws: commutative and associative (float64: while sums stay within 2^53); the root's total is the sum of the roots'
 * totals. Merging nothing gives a root of 0.
 */
export function mergeTrees(trees: readonly Tree[]): Tree {
  const shape = new TreeShape();
  const self = new ValueColumn();
  for (const tree of trees) {
    const nodes = copyNodes(tree, shape);
    for (let row = 0; row < tree.length; row++) self.add(nodes[row]!, tree.self[row]!);
  }
  return toTree(shape.finish(), self);
}

/** Adds the nodes of a tree to a shape and returns the node of each row. */
export function copyNodes(
  tree: Pick<Tree, "length" | "names" | "name" | "parent">,
  shape: TreeShape,
): Uint32Array {
  const names = shape.nameRows(tree.names);
  const nodes = new Uint32Array(tree.length).fill(ROOT_NODE);
  for (let row = 1; row < tree.length; row++) {
    nodes[row] = shape.child(nodes[tree.parent[row]!]!, names[tree.name[row]!]!);
  }
  return nodes;
}
