import type { Tree } from "./tree.ts";

/**
 * Writes a tree as collapsed stacks, one line `root;child;leaf self` for each node that has a self, in the order of the tree.
 *
 * The format has no escape. What would break it is replaced in names: `;` by `:`, and a line break or another control
 * character by a space. The value of the root itself, which no frame accounts for, is a line of the root's name.
 * Values are whole numbers; beyond 2^53 they are rounded.
 *
 * Source: github.com/brendangregg/FlameGraph stackcollapse.
 *
 * @returns lines that each end in a line feed; empty for a tree without values.
 */
export function formatCollapsed(tree: Tree): string {
  const names = tree.names.map(toCollapsedName);
  const lines: string[] = [];
  // Frames of the row at hand, the root's child first: in pre-order each row only changes the end.
  const path: string[] = [];
  for (let row = 0; row < tree.length; row++) {
    const level = tree.level[row]!;
    path.length = level;
    path[level] = names[tree.name[row]!]!;
    const self = tree.self[row]!;
    if (self === 0) continue;
    const stack = level === 0 ? path[0] : path.slice(1).join(";");
    lines.push(`${stack} ${BigInt(Math.round(self))}\n`);
  }
  return lines.join("");
}

function toCollapsedName(name: string): string {
  return name.replaceAll(";", ":").replaceAll(/[\p{Cc}\u2028\u2029]/gu, " ");
}
