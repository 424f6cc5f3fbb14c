import type { ScriptPosition } from "../source-maps/script-position.ts";
import { isFileScript } from "../source-maps/script-position.ts";
import type { CallTreeNode } from "./call-tree.ts";
import { positionOf } from "./call-tree.ts";

// As in CallTreeWriter: some microseconds of work between two pauses.
const NODES_PER_STEP = 16;

/** The positions of the functions of a call tree, each once, of scripts that are files. */
export function* collectPositions<N extends CallTreeNode<N>>(
  root: N,
): Generator<void, readonly ScriptPosition[]> {
  const positions = new Map<string, ScriptPosition>();
  const open = [root];
  for (let visited = 1, node = open.pop(); node !== undefined; visited++, node = open.pop()) {
    const position = positionOf(node);
    const { name, scriptName, line, column } = position;
    if (isFileScript(scriptName) && line > 0) {
      positions.set(`${line}:${column}:${name}:${scriptName}`, position);
    }
    for (const child of node.children) open.push(child);
    if (visited % NODES_PER_STEP === 0) yield;
  }
  return [...positions.values()];
}
