import type { Tree } from "@pyroscope-ts/protocol";

/** One column of values for each node, in the shape of a tree. */
interface TreeShape {
  readonly length: number;
  readonly names: readonly string[];
  readonly name: Uint32Array;
  readonly level: Uint32Array;
}

/** Values of functions: row `i` belongs to `names[i]` of the tree. */
export interface FunctionValues {
  readonly self: Float64Array;
  readonly total: Float64Array;
}

/**
 * Adds up the nodes of each function. A function that calls itself counts once in its total: only the outermost of
 * nested nodes is added.
 */
export function sumByFunction(tree: TreeShape, self: Float64Array, total: Float64Array): FunctionValues {
  const selfSum = new Float64Array(tree.names.length);
  const totalSum = new Float64Array(tree.names.length);
  // How often each name stands on the stack from the root to the current node.
  const open = new Uint32Array(tree.names.length);
  const stack: number[] = [];
  for (let node = 0; node < tree.length; node++) {
    while (stack.length > tree.level[node]!) open[stack.pop()!]! -= 1;
    const name = tree.name[node]!;
    selfSum[name]! += self[node]!;
    if (open[name] === 0) totalSum[name]! += total[node]!;
    open[name]! += 1;
    stack.push(name);
  }
  return { self: selfSum, total: totalSum };
}

/** A row of the top table. */
export interface TopFunction {
  /** Row of the tree's `names`. */
  readonly nameIndex: number;
  readonly name: string;
  readonly self: number;
  readonly total: number;
}

/** What rows are sorted by. */
export interface TopOrder {
  readonly column: "self" | "total" | "name";
  readonly isDescending: boolean;
}

/** Every function of a tree but its root, unsorted. */
export function listFunctions(tree: Tree): readonly TopFunction[] {
  const { self, total } = sumByFunction(tree, tree.self, tree.total);
  const isRoot = tree.length > 0 ? tree.name[0]! : -1;
  return tree.names
    .map((name, nameIndex) => ({ nameIndex, name, self: self[nameIndex]!, total: total[nameIndex]! }))
    .filter((row) => row.nameIndex !== isRoot && row.total > 0);
}

/** `rows` in order; equal values by name, so that the order is always the same. */
export function sortFunctions(rows: readonly TopFunction[], order: TopOrder): readonly TopFunction[] {
  const sign = order.isDescending ? -1 : 1;
  const byName = (a: TopFunction, b: TopFunction): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const { column } = order;
  if (column === "name") return rows.toSorted((a, b) => sign * byName(a, b));
  return rows.toSorted((a, b) => sign * (a[column] - b[column]) || byName(a, b));
}
