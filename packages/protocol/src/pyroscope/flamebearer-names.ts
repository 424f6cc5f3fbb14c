import { ProtocolError } from "../errors.ts";
import { walkRightFirst } from "../profile/right-first-walk.ts";
import type { Tree } from "../profile/tree.ts";

/** Names in the order of a walk that visits the right-most child first, and the new row of each old one. */
export function nameRightmostFirst(tree: Pick<Tree, "length" | "names" | "name" | "parent">): {
  names: string[];
  rowOfName: Uint32Array;
} {
  const names: string[] = [];
  const rowOfName = new Uint32Array(tree.names.length);
  const isNamed = new Uint8Array(tree.names.length);
  for (const row of walkRightFirst(tree)) {
    const name = tree.name[row] ?? 0;
    if (isNamed[name] === 1) continue;
    isNamed[name] = 1;
    rowOfName[name] = names.length;
    names.push(tree.names[name] ?? "");
  }
  return { names, rowOfName };
}

/** Throws {@link ProtocolError} `TREE_MALFORMED` for a value below 0, which a bar or a varint cannot show. */
export function checkNotNegative(what: string, values: Float64Array): void {
  const row = values.findIndex((value) => !(value >= 0));
  if (row < 0) return;
  throw new ProtocolError(`${what}: row ${row} has the value ${values[row]}, expected 0 or more`, {
    code: "TREE_MALFORMED",
  });
}
