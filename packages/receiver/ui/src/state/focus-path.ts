import type { FlameGraph } from "../layout/flame-graph.ts";

// A link stays short on deep stacks: beyond this many levels only evenly spaced ancestors are named.
const MAX_STEP_COUNT = 32;
const MULTIPLIER_A = 0x01000193;
const MULTIPLIER_B = 0x85ebca6b;

interface PathHashes {
  readonly a: Uint32Array;
  readonly b: Uint32Array;
}

/** For each node a hash of the names from the root to it, as two 32-bit lanes: no BigInt arithmetic per node. */
function hashPaths(graph: FlameGraph): PathHashes {
  const nameA = new Uint32Array(graph.names.length);
  const nameB = new Uint32Array(graph.names.length);
  graph.names.forEach((name, index) => {
    let a = 0x811c9dc5;
    let b = 0x9747b28c;
    for (let at = 0; at < name.length; at++) {
      const code = name.charCodeAt(at);
      a = Math.imul(a ^ code, MULTIPLIER_A);
      b = Math.imul(b ^ code, MULTIPLIER_B) ^ (b >>> 13);
    }
    nameA[index] = a;
    nameB[index] = b;
  });
  const a = new Uint32Array(graph.length);
  const b = new Uint32Array(graph.length);
  for (let node = 1; node < graph.length; node++) {
    const parent = graph.parent[node] ?? 0;
    const name = graph.name[node] ?? 0;
    a[node] = Math.imul((a[parent] ?? 0) ^ (nameA[name] ?? 0), MULTIPLIER_A) ^ ((a[parent] ?? 0) >>> 15);
    b[node] = Math.imul((b[parent] ?? 0) ^ (nameB[name] ?? 0), MULTIPLIER_B) ^ ((b[parent] ?? 0) >>> 13);
  }
  return { a, b };
}

/** 53 bits of a node's hash, the most that a number carries exactly. */
function readHash(hashes: PathHashes, node: number): number {
  return ((hashes.a[node] ?? 0) & 0x1fffff) * 2 ** 32 + (hashes.b[node] ?? 0);
}

/**
 * A text for a link that finds `node` again in another graph of the same program.
 *
 * Each `.`-separated step is a hash of all names from the root down to one ancestor, the last is the node itself.
 * It depends on names only, so new data does not move it.
 *
 * @returns "" for the root.
 */
export function formatFocusPath(graph: FlameGraph, node: number): string {
  const chain: number[] = [];
  for (let at = node; at > 0; at = graph.parent[at] ?? 0) chain.push(at);
  chain.reverse();
  const hashes = hashPaths(graph);
  const stepCount = Math.min(chain.length, MAX_STEP_COUNT);
  const steps = Array.from({ length: stepCount }, (_, index) => {
    const position = Math.ceil(((index + 1) * chain.length) / stepCount) - 1;
    return readHash(hashes, chain[position] ?? 0).toString(36);
  });
  return steps.join(".");
}

/** Where a focus path leads: the deepest ancestor that is still there, and whether that is the node itself. */
export interface FocusTarget {
  readonly node: number;
  readonly isExact: boolean;
}

/** The node that `path` names in `graph`; when it is gone, its nearest named ancestor, at worst the root. */
export function findFocus(graph: FlameGraph, path: string): FocusTarget {
  if (path === "") return { node: 0, isExact: true };
  const steps = path.split(".").slice(0, MAX_STEP_COUNT);
  const depthOf = new Map(steps.map((step, index) => [Number.parseInt(step, 36), index]));
  const hashes = hashPaths(graph);
  let best = -1;
  let bestNode = 0;
  for (let node = 1; node < graph.length; node++) {
    const depth = depthOf.get(readHash(hashes, node));
    if (depth === undefined || depth <= best) continue;
    best = depth;
    bestNode = node;
  }
  return { node: bestNode, isExact: best === steps.length - 1 };
}
