import { toTree, ValueColumn } from "./build-tree.ts";
import { LargestValues } from "./largest-values.ts";
import { OTHER_NAME, type StackList, type Tree } from "./tree.ts";
import { ROOT_NODE, TreeShape } from "./tree-shape.ts";

/** A node whose stacks have all been seen. */
type VisitNode = (name: number, self: number, total: number, level: number) => void;

/**
 * The largest nodes of the tree of stacks, without the tree of all of them.
 *
 * Law: equal to `truncateTree(buildTree(stacks), maxNodes)`, as long as sums of values are exact.
 *
 * In sorted stacks the nodes of a tree follow each other as in a walk over it, so that only the path to the node at hand is
 * held: one walk finds how large a node must be, a second one keeps those that are. Takes the memory of what is kept.
 *
 * @param maxNodes - at least 1.
 * @param checkSize - called with the number of nodes that are kept, which is larger than `maxNodes` where many are equal, before they are.
 */
export function buildCutTree(
  stacks: StackList,
  maxNodes: number,
  checkSize: (nodeCount: number) => void = () => undefined,
): Tree {
  const walk = new SortedStacks(stacks);
  const largest = new LargestValues(Math.floor(maxNodes));
  walk.visit((_name, _self, total, level) => {
    if (level > 0) largest.add(total);
  });
  const min = largest.isFull ? largest.least : Number.NEGATIVE_INFINITY;
  let keptCount = 0;
  walk.visit((_name, _self, total) => {
    if (total >= min) keptCount++;
  });
  checkSize(keptCount);
  return keep(walk, min);
}

/** Nodes that are kept, children before their parents, so that the subtree of `i` is `first[i] .. i`. */
interface KeptNodes {
  readonly name: number[];
  readonly self: number[];
  readonly first: number[];
  /** Sum of the children that are not kept; undefined without any. */
  readonly rest: (number | undefined)[];
}

function keep(walk: SortedStacks, min: number): Tree {
  const kept: KeptNodes = { name: [], self: [], first: [], rest: [] };
  /** By level: where the kept nodes below the node at hand begin, and the sum of its children that are not. */
  const firstOfLevel: number[] = [];
  const restOfLevel: (number | undefined)[] = [];
  walk.visit(
    (name, self, total, level) => {
      const first = firstOfLevel[level]!;
      const rest = restOfLevel[level];
      if (level > 0 && !(total >= min)) {
        // What lies below goes with it, also where it is larger: values can be negative.
        if (kept.name.length > first) for (const column of Object.values(kept)) column.length = first;
        restOfLevel[level - 1] = (restOfLevel[level - 1] ?? 0) + total;
        return;
      }
      kept.name.push(name);
      kept.self.push(self);
      kept.first.push(first);
      kept.rest.push(rest);
    },
    (level) => {
      firstOfLevel[level] = kept.name.length;
      restOfLevel[level] = undefined;
    },
  );
  return toParentsFirst(kept, walk.names);
}

function toParentsFirst({ name, self, first, rest }: KeptNodes, names: readonly string[]): Tree {
  const shape = new TreeShape();
  const values = new ValueColumn();
  const rowOfName = shape.nameRows(names);
  const other = shape.name(OTHER_NAME);
  const path: { readonly node: number; readonly first: number }[] = [];
  for (let i = name.length - 1; i >= 0; i--) {
    while (path.length > 0 && path.at(-1)!.first > i) path.pop();
    const parent = path.at(-1)?.node;
    const node = parent === undefined ? ROOT_NODE : shape.child(parent, rowOfName[name[i]!]!);
    values.add(node, self[i]!);
    const left = rest[i];
    if (left !== undefined) values.add(shape.child(node, other), left);
    path.push({ node, first: first[i]! });
  }
  return toTree(shape.finish(), values);
}

/** Stacks in the order of a walk over their tree. */
class SortedStacks {
  /** One copy of each. */
  readonly names: readonly string[];
  readonly #stacks: StackList;
  readonly #name: Uint32Array;
  readonly #end: Uint32Array;
  readonly #order: Uint32Array;

  constructor(stacks: StackList) {
    const names: string[] = [];
    const rows = new Map<string, number>();
    this.#name = Uint32Array.from(stacks.names, (text) => {
      const known = rows.get(text);
      if (known !== undefined) return known;
      rows.set(text, names.length);
      return names.push(text) - 1;
    });
    this.names = names;
    this.#stacks = stacks;
    this.#end = this.#findEnds(rows.get(OTHER_NAME));
    this.#order = Uint32Array.from(stacks.value.keys()).filter((stack) => stacks.value[stack] !== 0);
    this.#order.sort((left, right) => this.#compare(left, right));
  }

  /** Visits each node once, children before their parent, the root last, at level 0. */
  visit(leave: VisitNode, enter: (level: number) => void = () => undefined): void {
    const { frame, frameStart, value } = this.#stacks;
    /** Of the node at each level of the path. */
    const name: number[] = [-1];
    const self: number[] = [0];
    const total: number[] = [0];
    let depth = 0;
    const leaveTo = (level: number): void => {
      for (; depth > level; depth--) {
        leave(name[depth]!, self[depth]!, total[depth]!, depth);
        total[depth - 1]! += total[depth]!;
      }
    };
    enter(0);
    for (const stack of this.#order) {
      const start = frameStart[stack]!;
      const length = this.#end[stack]! - start;
      let common = 0;
      while (common < depth && common < length && this.#name[frame[start + common]!] === name[common + 1]) {
        common++;
      }
      leaveTo(common);
      while (depth < length) {
        name[depth + 1] = this.#name[frame[start + depth]!]!;
        depth++;
        self[depth] = 0;
        total[depth] = 0;
        enter(depth);
      }
      self[depth]! += value[stack]!;
      total[depth]! += value[stack]!;
    }
    leaveTo(0);
    leave(name[0]!, self[0]!, total[0]!, 0);
  }

  /** Where each stack ends: what lies below {@link OTHER_NAME} is not told apart. */
  #findEnds(other: number | undefined): Uint32Array {
    const { frame, frameStart, length } = this.#stacks;
    const ends = Uint32Array.from({ length }, (_, stack) => frameStart[stack + 1]!);
    if (other === undefined) return ends;
    for (let stack = 0; stack < length; stack++) {
      for (let i = frameStart[stack]!; i < ends[stack]!; i++) {
        if (this.#name[frame[i]!] === other) ends[stack] = i + 1;
      }
    }
    return ends;
  }

  /** A stack comes before those that it is the begin of. */
  #compare(left: number, right: number): number {
    const { frame, frameStart } = this.#stacks;
    let i = frameStart[left]!;
    let j = frameStart[right]!;
    const iEnd = this.#end[left]!;
    const jEnd = this.#end[right]!;
    for (; i < iEnd && j < jEnd; i++, j++) {
      const difference = this.#name[frame[i]!]! - this.#name[frame[j]!]!;
      if (difference !== 0) return difference;
    }
    return iEnd - i - (jEnd - j);
  }
}
