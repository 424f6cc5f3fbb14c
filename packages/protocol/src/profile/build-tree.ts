import type { StackList, Tree } from "./tree.ts";
import { ROOT_NODE, type TreeRows, TreeShape } from "./tree-shape.ts";

/**
 * Lays stacks over each other: the tree of all their paths.
 *
 * The value of a stack is added to `self` of its last frame; a stack without frames counts at the root. A stack of
 * value 0 adds nothing. Frames named {@link OTHER_NAME} end their stack: the name stands for what truncation removed,
 * and what lies below it is not told apart, as in Pyroscope.
 *
 * Law: the root's total is the sum of the values (float64: exact while sums stay within 2^53).
 */
export function buildTree(stacks: StackList): Tree {
  const shape = new TreeShape();
  const names = shape.nameRows(stacks.names);
  const self = new ValueColumn();
  for (let stack = 0; stack < stacks.length; stack++) {
    const value = stacks.value[stack]!;
    if (value === 0) continue;
    let node = ROOT_NODE;
    for (let i = stacks.frameStart[stack]!; i < stacks.frameStart[stack + 1]!; i++) {
      node = shape.child(node, names[stacks.frame[i]!]!);
    }
    self.add(node, value);
  }
  return toTree(shape.finish(), self);
}

/** Sums of values by node; a node that nothing was added to has 0. */
export class ValueColumn {
  #values = new Float64Array(64);

  add(node: number, value: number): void {
    if (node >= this.#values.length) {
      const values = new Float64Array(Math.max(node + 1, this.#values.length * 2));
      values.set(this.#values);
      this.#values = values;
    }
    this.#values[node]! += value;
  }

  /** The sums in the order of a tree's rows. */
  inOrder(rows: TreeRows): Float64Array {
    const values = new Float64Array(rows.length);
    for (let row = 0; row < rows.length; row++) values[row] = this.#values[rows.node[row]!] ?? 0;
    return values;
  }
}

/** Joins finished rows with the values of their nodes. */
export function toTree({ node: _node, ...rows }: TreeRows, self: ValueColumn): Tree {
  const ordered = self.inOrder({ node: _node, ...rows });
  return { ...rows, self: ordered, total: sumSubtrees(rows.parent, ordered) };
}

/**
 * Adds to each row's own value the values of all rows below it.
 *
 * @param parent - row of each row's parent, which comes before it.
 * @returns the totals; the input is left as it was.
 */
export function sumSubtrees(parent: Int32Array, self: Float64Array): Float64Array {
  const total = Float64Array.from(self);
  // Children come after their parents, so walking backwards completes each row before it is added to its parent:
  // one pass, no recursion, no limit of depth.
  for (let row = total.length - 1; row > 0; row--) total[parent[row]!]! += total[row]!;
  return total;
}
