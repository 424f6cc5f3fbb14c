import type { DiffTree, Tree } from "@pyroscope-ts/protocol";

/** Row of a {@link FlameGraph}; 0 is the root. */
export type FlameNode = number;

/** No node: the pointer is beside every frame. */
export const NO_NODE = -1;

/**
 * A tree laid out for drawing, in columns. Rows are in pre-order, as in the tree it was made from.
 *
 * A node covers `start[i] .. start[i] + width[i]` on the axis of values and row `level[i]` downwards. Children follow
 * each other from their parent's start; the rest of the parent is its self value. `byLevel[levelStart[l] .. levelStart[l + 1]]`
 * are the nodes of level `l` from left to right, so a visible one is found by binary search.
 */
export interface FlameGraph {
  readonly length: number;
  readonly names: readonly string[];
  readonly name: Uint32Array;
  readonly level: Uint32Array;
  readonly parent: Int32Array;
  readonly start: Float64Array;
  readonly width: Float64Array;
  /** One past the last row of the node's subtree. */
  readonly end: Uint32Array;
  /** Number of levels. */
  readonly depth: number;
  /** `depth + 1` rows. */
  readonly levelStart: Uint32Array;
  readonly byLevel: Uint32Array;
}

interface Shape {
  readonly length: number;
  readonly names: readonly string[];
  readonly name: Uint32Array;
  readonly level: Uint32Array;
  readonly parent: Int32Array;
}

/** Lays out a tree: a frame is as wide as its total. */
export function layOutTree(tree: Tree): FlameGraph {
  return layOut(tree, tree.total);
}

/** What the values of each side of a diff are multiplied by to be comparable. */
export interface SideScale {
  readonly left: number;
  readonly right: number;
}

/** Lays out a diff: a frame is as wide as its scaled totals of both sides together, so nothing that is gone is hidden. */
export function layOutDiff(diff: DiffTree, scale: SideScale): FlameGraph {
  const width = new Float64Array(diff.length);
  for (let node = 0; node < diff.length; node++) {
    width[node] = diff.leftTotal[node]! * scale.left + diff.rightTotal[node]! * scale.right;
  }
  return layOut(diff, width);
}

function layOut(shape: Shape, width: Float64Array): FlameGraph {
  const { length, level, parent } = shape;
  const start = new Float64Array(length);
  // Where the next child of each node begins.
  const next = new Float64Array(length);
  let depth = 0;
  for (let node = 0; node < length; node++) {
    depth = Math.max(depth, level[node]! + 1);
    const above = parent[node]!;
    if (above < 0) continue;
    start[node] = next[above]!;
    next[node] = start[node]!;
    next[above]! += width[node]!;
  }
  return {
    length,
    names: shape.names,
    name: shape.name,
    level,
    parent,
    start,
    width,
    end: findSubtreeEnds(shape),
    depth,
    ...groupByLevel(level, length, depth),
  };
}

function findSubtreeEnds({ length, parent }: Shape): Uint32Array {
  const end = new Uint32Array(length);
  // Backwards: a node's subtree is complete before its parent is reached.
  for (let node = length - 1; node >= 0; node--) {
    end[node] = Math.max(end[node]!, node + 1);
    const above = parent[node]!;
    if (above >= 0) end[above] = Math.max(end[above]!, end[node]!);
  }
  return end;
}

function groupByLevel(
  level: Uint32Array,
  length: number,
  depth: number,
): Pick<FlameGraph, "levelStart" | "byLevel"> {
  const levelStart = new Uint32Array(depth + 1);
  for (let node = 0; node < length; node++) levelStart[level[node]! + 1]! += 1;
  for (let row = 0; row < depth; row++) levelStart[row + 1]! += levelStart[row]!;
  const free = levelStart.slice();
  const byLevel = new Uint32Array(length);
  // Pre-order visits each level from left to right.
  for (let node = 0; node < length; node++) byLevel[free[level[node]!]!++] = node;
  return { levelStart, byLevel };
}

/** Position in `byLevel`, from `low` on, of the first node of `level` that ends right of `value`. */
export function findFirstEndingAfter(
  graph: FlameGraph,
  level: number,
  value: number,
  low: number = graph.levelStart[level]!,
): number {
  let from = low;
  let high = graph.levelStart[level + 1]!;
  while (from < high) {
    const middle = (from + high) >>> 1;
    const node = graph.byLevel[middle]!;
    if (graph.start[node]! + graph.width[node]! <= value) from = middle + 1;
    else high = middle;
  }
  return from;
}

/** The node at `value` on `level`, or {@link NO_NODE}. */
export function findNodeAt(graph: FlameGraph, level: number, value: number): FlameNode {
  if (level < 0 || level >= graph.depth) return NO_NODE;
  const position = findFirstEndingAfter(graph, level, value);
  if (position >= graph.levelStart[level + 1]!) return NO_NODE;
  const node = graph.byLevel[position]!;
  return graph.start[node]! <= value ? node : NO_NODE;
}

/** The nodes from the root to `node`, both included. */
export function listAncestors(graph: FlameGraph, node: FlameNode): readonly FlameNode[] {
  const chain: FlameNode[] = [];
  for (let at = node; at >= 0; at = graph.parent[at]!) chain.push(at);
  return chain.reverse();
}

/** Number of levels from the root down to the deepest frame below `node`. */
export function measureDepth(graph: FlameGraph, node: FlameNode): number {
  let deepest = graph.level[node]!;
  for (let below = node + 1; below < graph.end[node]!; below++) {
    deepest = Math.max(deepest, graph.level[below]!);
  }
  return deepest + 1;
}

/** The widest child of `node`, or {@link NO_NODE} for a leaf. */
export function findWidestChild(graph: FlameGraph, node: FlameNode): FlameNode {
  let widest = NO_NODE;
  for (let child = node + 1; child < graph.end[node]!; child = graph.end[child]!) {
    if (widest === NO_NODE || graph.width[child]! > graph.width[widest]!) widest = child;
  }
  return widest;
}

/** The next node with the same parent, `step` 1 to the right or -1 to the left, or {@link NO_NODE}. */
export function findSibling(graph: FlameGraph, node: FlameNode, step: 1 | -1): FlameNode {
  const parent = graph.parent[node]!;
  if (parent < 0) return NO_NODE;
  if (step === 1) return graph.end[node]! < graph.end[parent]! ? graph.end[node]! : NO_NODE;
  let before = NO_NODE;
  for (let child = parent + 1; child < node; child = graph.end[child]!) before = child;
  return before;
}
