import { toTree, ValueColumn } from "./build-tree.ts";
import { OTHER_NAME, type Tree } from "./tree.ts";
import { ROOT_NODE, TreeShape } from "./tree-shape.ts";

/**
 * Keeps the largest nodes of a tree.
 *
 * A tree of up to `maxNodes` nodes, the root not counted, is returned as it is. Otherwise the total of the
 * `maxNodes`-th largest node is the limit: each node below it is removed with its subtree, and its total is added to
 * a leaf named {@link OTHER_NAME} beside it. Nodes equal to the limit stay and the leaves come on top, so the
 * result can have more than `maxNodes` nodes.
 *
 * Laws: the root's total stays as it is; each node that is kept keeps its total and its self.
 *
 * @param maxNodes - below 1 keeps all.
 *
 * Source: Grafana Pyroscope pkg/model/tree.go `minValue`.
 */
export function truncateTree(tree: Tree, maxNodes: number): Tree {
  const min = minTotal(tree.total, maxNodes);
  if (min === undefined) return tree;
  const shape = new TreeShape();
  const self = new ValueColumn();
  const isKept = (row: number): boolean => tree.total[row]! >= min;
  copyKept(tree, shape, isKept, (node, row, isWhole) => {
    self.add(node, isWhole ? tree.total[row]! : tree.self[row]!);
  });
  return toTree(shape.finish(), self);
}

/** The total that a node needs to be kept; undefined when all are. */
export function minTotal(total: Float64Array, maxNodes: number): number | undefined {
  // The root is not a node to Pyroscope.
  const count = total.length - 1;
  if (maxNodes < 1 || count <= maxNodes) return undefined;
  const sorted = total.slice(1).sort();
  return sorted[count - Math.floor(maxNodes)];
}

/**
 * Copies the rows that are kept; of a row that is not, the whole subtree counts in the leaf for the rest.
 *
 * @param visit - called with the node that a row's value belongs to, and whether it stands for its whole subtree.
 */
export function copyKept(
  tree: Pick<Tree, "length" | "names" | "name" | "parent" | "level">,
  shape: TreeShape,
  isKept: (row: number) => boolean,
  visit: (node: number, row: number, isWhole: boolean) => void,
): void {
  const names = shape.nameRows(tree.names);
  const other = shape.name(OTHER_NAME);
  const nodes = new Uint32Array(tree.length);
  visit(ROOT_NODE, 0, false);
  for (let row = 1; row < tree.length; ) {
    const parent = nodes[tree.parent[row]!]!;
    if (isKept(row)) {
      nodes[row] = shape.child(parent, names[tree.name[row]!]!);
      visit(nodes[row]!, row, false);
      row++;
      continue;
    }
    visit(shape.child(parent, other), row, true);
    const level = tree.level[row]!;
    do row++;
    while (row < tree.length && tree.level[row]! > level);
  }
}
