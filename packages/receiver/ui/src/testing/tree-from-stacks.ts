import { buildTree, type DiffTree, diffTrees, type Tree } from "@pyroscope-ts/protocol";

/** A tree of stacks written root first: `{ "main;parse": 3 }`. */
export function treeFromStacks(stacks: Readonly<Record<string, number>>): Tree {
  const names: string[] = [];
  const frame: number[] = [];
  const frameStart = [0];
  for (const stack of Object.keys(stacks)) {
    for (const name of stack.split(";")) {
      if (!names.includes(name)) names.push(name);
      frame.push(names.indexOf(name));
    }
    frameStart.push(frame.length);
  }
  return buildTree({
    length: Object.keys(stacks).length,
    names,
    frameStart: Uint32Array.from(frameStart),
    frame: Uint32Array.from(frame),
    value: Float64Array.from(Object.values(stacks)),
  });
}

/** Two sets of stacks laid over each other. */
export function diffFromStacks(
  left: Readonly<Record<string, number>>,
  right: Readonly<Record<string, number>>,
): DiffTree {
  return diffTrees(treeFromStacks(left), treeFromStacks(right));
}

/** The row of the frame at the end of a stack written root first; -1 when there is none. */
export function findStack(tree: Pick<Tree, "length" | "names" | "name" | "parent">, stack: string): number {
  const pathOf = (node: number): string => {
    const parent = tree.parent[node] ?? -1;
    const name = tree.names[tree.name[node] ?? 0] ?? "";
    return parent <= 0 ? name : `${pathOf(parent)};${name}`;
  };
  for (let node = 1; node < tree.length; node++) if (pathOf(node) === stack) return node;
  return -1;
}
