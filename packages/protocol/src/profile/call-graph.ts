import { compareUtf8 } from "../utf8.ts";
import type { Tree } from "./tree.ts";

/** One function, wherever it stands on a stack. */
export interface CallGraphNode {
  readonly name: string;
  /** Value of the samples that end in it. */
  readonly self: number;
  /** Value of the samples that it is on; a sample counts once, however deep the recursion. */
  readonly total: number;
}

/** Calls between two functions. */
export interface CallGraphEdge {
  /** Rows of the nodes. */
  readonly from: number;
  readonly to: number;
  /** Value of the samples with the call; each counts once. */
  readonly total: number;
  /** Some sample has the two next to each other; otherwise functions between them were left out. */
  readonly isDirect: boolean;
}

/** Functions and the calls between them. */
export interface CallGraph {
  /** Value of all samples. */
  readonly total: number;
  /** Largest total first, equal ones by name. */
  readonly nodes: readonly CallGraphNode[];
  /** Largest total first. */
  readonly edges: readonly CallGraphEdge[];
}

/** Row of the root, which is no function. */
const ROOT = 0;

/**
 * Joins the nodes of a tree that have one name, and their calls.
 *
 * @param maxNodes - Most functions; the samples of those that are left out count in their callers' totals as before.
 */
export function toCallGraph(tree: Tree, maxNodes: number): CallGraph {
  const nodes = joinNodes(tree).slice(0, maxNodes);
  const nodeOfName = new Map(nodes.map(({ name }, index) => [name, index]));
  const nodeOfNameRow = tree.names.map((name) => nodeOfName.get(name));
  return { total: tree.total[ROOT]!, nodes, edges: joinEdges(tree, nodeOfNameRow) };
}

function joinNodes(tree: Tree): readonly CallGraphNode[] {
  const self = new Map<number, number>();
  const total = new Map<number, number>();
  const path = new OpenPath<number>();
  for (let row = ROOT + 1; row < tree.length; row++) {
    const name = tree.name[row]!;
    self.set(name, (self.get(name) ?? 0) + tree.self[row]!);
    if (path.enter(tree.level[row]!, name)) total.set(name, (total.get(name) ?? 0) + tree.total[row]!);
  }
  return Array.from(total, ([name, value]) => ({
    name: tree.names[name]!,
    self: self.get(name) ?? 0,
    total: value,
  })).sort((left, right) => right.total - left.total || compareUtf8(left.name, right.name));
}

function joinEdges(tree: Tree, nodeOfNameRow: readonly (number | undefined)[]): readonly CallGraphEdge[] {
  const edges = new Map<string, { from: number; to: number; total: number; isDirect: boolean }>();
  const path = new OpenPath<string>();
  // Nearest row on the way to the root, the row itself included, whose function is a node of the graph.
  const shown = new Uint32Array(tree.length);
  for (let row = ROOT + 1; row < tree.length; row++) {
    const parent = tree.parent[row]!;
    const to = nodeOfNameRow[tree.name[row]!];
    shown[row] = to === undefined ? shown[parent]! : row;
    const from = shown[parent] === ROOT ? undefined : nodeOfNameRow[tree.name[shown[parent]!]!];
    const isCall = to !== undefined && from !== undefined;
    const key = isCall ? `${from} ${to}` : undefined;
    const isFirst = path.enter(tree.level[row]!, key);
    if (!isCall || key === undefined) continue;
    const edge = edges.get(key) ?? { from, to, total: 0, isDirect: false };
    edges.set(key, edge);
    if (isFirst) edge.total += tree.total[row]!;
    edge.isDirect ||= shown[parent] === parent;
  }
  return [...edges.values()].sort(
    (left, right) => right.total - left.total || left.from - right.from || left.to - right.to,
  );
}

/** What stands on the way from the root to the row at hand, in a walk in pre-order. */
class OpenPath<Key> {
  readonly #keys: (Key | undefined)[] = [];
  readonly #open = new Map<Key, number>();

  /** Steps to a row; tells whether its key is not on the way already. */
  enter(level: number, key: Key | undefined): boolean {
    while (this.#keys.length >= level) this.#leave();
    this.#keys.push(key);
    if (key === undefined) return false;
    const count = this.#open.get(key) ?? 0;
    this.#open.set(key, count + 1);
    return count === 0;
  }

  #leave(): void {
    const key = this.#keys.pop();
    if (key !== undefined) this.#open.set(key, (this.#open.get(key) ?? 0) - 1);
  }
}
