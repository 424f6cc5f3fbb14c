import type { Tree } from "./tree.ts";

/**
 * The rows of a tree in the order of a walk that visits a node, then its right-most child's subtree first.
 *
 * It is the order in which Pyroscope, which pops nodes off a stack, numbers names and writes tree bytes.
 */
export function walkRightFirst(tree: Pick<Tree, "length" | "parent">): Uint32Array {
  // Lists of children from right to left, linked by row; 0 ends a list.
  const lastChild = new Uint32Array(tree.length);
  const previous = new Uint32Array(tree.length);
  for (let row = 1; row < tree.length; row++) {
    const parent = tree.parent[row]!;
    previous[row] = lastChild[parent]!;
    lastChild[parent] = row;
  }
  const rows = new Uint32Array(tree.length);
  let row = 0;
  for (let at = 0; at < tree.length; at++) {
    rows[at] = row;
    // Down to the last child, or up to the nearest ancestor with another one to its left.
    let next = lastChild[row]!;
    while (next === 0 && row > 0) {
      next = previous[row]!;
      row = tree.parent[row]!;
    }
    row = next;
  }
  return rows;
}
