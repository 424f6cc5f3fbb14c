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
  const { focus, ignore, hide, show } = options;
  const isDropped = tree.names.map((name) => hide?.(name) === true || show?.(name) === false);
  const isFocus = tree.names.map((name) => focus?.(name) ?? true);
  const isIgnore = tree.names.map((name) => ignore?.(name) === true);
  const shape = new TreeShape();
  const names = shape.nameRows(tree.names);
  const self = new ValueColumn();
  const nodes = new Uint32Array(tree.length).fill(ROOT_NODE);
  // 1 where the path from the root to a row has a frame that matches.
  const focused = new Uint8Array(tree.length);
  const ignored = new Uint8Array(tree.length);
  if (focus === undefined) focused[0] = 1;
  for (let row = 0; row < tree.length; row++) {
    const name = tree.name[row]!;
    if (row > 0) {
      const parent = tree.parent[row]!;
      focused[row] = focused[parent]! | Number(isFocus[name]);
      ignored[row] = ignored[parent]! | Number(isIgnore[name]);
      nodes[row] = nodes[parent]!;
    }
    // A node is made when a value reaches it, so that paths that are dropped leave nothing behind.
    if (focused[row] === 0 || ignored[row] === 1) continue;
    if (row > 0 && isDropped[name] !== true) nodes[row] = shape.child(nodes[row]!, names[name]!);
    self.add(nodes[row]!, tree.self[row]!);
  }
  return toTree(shape.finish(), self);
}
