import { buildTree } from "../profile/build-tree.ts";
import type { Profile } from "../profile/profile.ts";
import { profileToStackList } from "../profile/profile-stacks.ts";
import type { DiffTree, Tree } from "../profile/tree.ts";

/**
 * A drawing of a tree, one line for each node, children indented by two spaces.
 *
 * The root, which every tree has, has no line unless it has a value of its own.
 *
 *     main total 3 self 0
 *       handle total 2 self 2
 *       idle total 1 self 1
 *
 * A diff shows both sides: `main total 3 | 4 self 0 | 1`. Of a profile it draws the first sample type.
 */
export function formatTree(input: Profile | Tree | DiffTree): string[] {
  if ("samples" in input) return formatTree(buildTree(profileToStackList(input, 0)));
  const lines: string[] = [];
  for (let row = 0; row < input.length; row++) {
    const { total, self } = "self" in input ? valuesOf(input, row) : sidesOf(input, row);
    const level = input.level[row]!;
    if (row === 0 && /^[0 |]*$/.test(self)) continue;
    const indent = "  ".repeat(Math.max(level - 1, 0));
    lines.push(`${indent}${input.names[input.name[row]!]} total ${total} self ${self}`);
  }
  return lines;
}

function valuesOf({ total, self }: Tree, row: number): { total: string; self: string } {
  return { total: String(total[row]), self: String(self[row]) };
}

function sidesOf(diff: DiffTree, row: number): { total: string; self: string } {
  return {
    total: `${diff.leftTotal[row]} | ${diff.rightTotal[row]}`,
    self: `${diff.leftSelf[row]} | ${diff.rightSelf[row]}`,
  };
}
