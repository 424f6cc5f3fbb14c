import { toTree, ValueColumn } from "./build-tree.ts";
import type { PruneOptions } from "./prune-profile.ts";
import type { Tree } from "./tree.ts";
import { ROOT_NODE, TreeShape } from "./tree-shape.ts";

/**
 * Drops stacks and takes frames out of stacks, as {@link pruneProfile} does, on a tree. The root is not a frame.
 *
 * Laws: as there.
 */
export function pruneTree(tree: Tree, options: PruneOptions): Tree {
  const { hide, show } = options;
  const isDropped = tree.names.map((name) => hide?.(name) === true || show?.(name) === false);
  const shape = new TreeShape();
  const names = shape.nameRows(tree.names);
  const self = new ValueColumn();
  const nodes = new Uint32Array(tree.length).fill(ROOT_NODE);
  const reached = findReached(tree, options);
  for (let row = 0; row < tree.length; row++) {
    // Paths that no value is left on leave no nodes behind.
    if (reached[row] === NOT_REACHED) continue;
    if (row > 0) {
      const name = tree.name[row]!;
      const parent = nodes[tree.parent[row]!]!;
      nodes[row] = isDropped[name] === true ? parent : shape.child(parent, names[name]!);
    }
    if (reached[row] === KEPT) self.add(nodes[row]!, tree.self[row]!);
  }
  return toTree(shape.finish(), self);
}

const NOT_REACHED = 0;
/** On the way to a row that is kept. */
const PASSED = 1;
/** The stack that ends here is kept. */
const KEPT = 2;

/** Which rows keep their value by focus and ignore, and which lie on the way to them. */
function findReached(tree: Tree, { focus, ignore }: PruneOptions): Uint8Array {
  const isFocus = tree.names.map((name) => focus?.(name) ?? true);
  const isIgnore = tree.names.map((name) => ignore?.(name) === true);
  // 1 where the path from the root to a row has a frame that matches.
  const focused = new Uint8Array(tree.length);
  const ignored = new Uint8Array(tree.length);
  if (focus === undefined) focused[0] = 1;
  for (let row = 1; row < tree.length; row++) {
    const parent = tree.parent[row]!;
    focused[row] = focused[parent]! | Number(isFocus[tree.name[row]!]);
    ignored[row] = ignored[parent]! | Number(isIgnore[tree.name[row]!]);
  }
  const reached = new Uint8Array(tree.length);
  for (let row = tree.length - 1; row >= 0; row--) {
    if (focused[row] === 1 && ignored[row] === 0 && tree.self[row] !== 0) reached[row] = KEPT;
    if (row > 0 && reached[row] !== NOT_REACHED) reached[tree.parent[row]!] ||= PASSED;
  }
  return reached;
}
