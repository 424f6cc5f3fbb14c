import type { LineNode } from "../profilers/line-sampler.ts";
import type { TimeNode } from "../profilers/native.ts";
import type { ScriptPosition } from "../source-maps/script-position.ts";
import type { LineTicks } from "./call-tree.ts";

type TicksByLine = Map<number, number>;

// As in CallTreeWriter: some microseconds of work between two pauses.
const NODES_PER_STEP = 16;

/**
 * The lines that each node of the native profiler's tree spent its time on, by what the inspector's sampler saw at the
 * same stack of functions.
 *
 * Two samplers of one thread do not tick at the same moments: a stack that only one of them saw takes the lines of
 * its function in all stacks of the window, and a function that only the native one saw has none.
 */
export function* matchLines(
  root: TimeNode,
  lineNodes: readonly LineNode[],
): Generator<void, (node: TimeNode) => readonly LineTicks[]> {
  const ofNodes = new Map<TimeNode, TicksByLine>();
  const ofFunctions = new Map<string, TicksByLine>();
  for (const node of lineNodes) addTicks(ofFunctions, keyOfLineNode(node), node);
  const byId = new Map(lineNodes.map((node) => [node.id, node]));
  const open = [{ node: root, seen: lineNodes.slice(0, 1) }];
  for (let visited = 1, next = open.pop(); next !== undefined; visited++, next = open.pop()) {
    const callees = groupCallees(next.seen, byId);
    for (const child of next.node.children) {
      const seen = callees.get(keyOfTimeNode(child));
      if (seen === undefined) continue;
      for (const node of seen) addTicks(ofNodes, child, node);
      open.push({ node: child, seen });
    }
    if (visited % NODES_PER_STEP === 0) yield;
  }
  return (node) => toLineTicks(ofNodes.get(node) ?? ofFunctions.get(keyOfTimeNode(node)), node);
}

/** Where the lines that ran stand in their scripts. */
export function positionsOfLines(nodes: readonly LineNode[]): readonly ScriptPosition[] {
  return nodes.flatMap(({ callFrame, positionTicks = [] }) =>
    positionTicks.map(({ line }) => ({ scriptName: callFrame.url, line, column: 0, name: "" })),
  );
}

/** V8 keeps one function apart where it was compiled anew; here such nodes are one. */
function groupCallees(
  callers: readonly LineNode[],
  byId: ReadonlyMap<number, LineNode>,
): Map<string, LineNode[]> {
  const groups = new Map<string, LineNode[]>();
  for (const id of callers.flatMap(({ children }) => children ?? [])) {
    const node = byId.get(id);
    if (node === undefined) continue;
    const key = keyOfLineNode(node);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [node]);
    else group.push(node);
  }
  return groups;
}

function addTicks<K>(into: Map<K, TicksByLine>, key: K, { positionTicks = [] }: LineNode): void {
  if (positionTicks.length === 0) return;
  const byLine = into.get(key) ?? new Map<number, number>();
  into.set(key, byLine);
  for (const { line, ticks } of positionTicks) byLine.set(line, (byLine.get(line) ?? 0) + ticks);
}

function toLineTicks(byLine: TicksByLine | undefined, { lineNumber }: TimeNode): readonly LineTicks[] {
  return (
    Array.from(byLine ?? [], ([line, ticks]) => ({ line, ticks }))
      // Code that was inlined has lines of its own file; those above the function's first cannot be its.
      .filter(({ line, ticks }) => line >= lineNumber && ticks > 0)
      .sort((a, b) => a.line - b.line)
  );
}

function keyOfTimeNode({ name, scriptId, lineNumber, columnNumber }: TimeNode): string {
  return `${scriptId}:${lineNumber}:${columnNumber}:${name}`;
}

/** The inspector counts lines and columns of functions from 0, and those of ticks from 1. */
function keyOfLineNode({ callFrame }: LineNode): string {
  const { scriptId, lineNumber, columnNumber, functionName } = callFrame;
  return `${scriptId}:${lineNumber + 1}:${columnNumber + 1}:${functionName}`;
}
