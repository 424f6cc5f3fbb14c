import type { LabelSet } from "../labels/label-set.ts";
import type { SampleContext } from "../labels/sample-context.ts";
import type { CallSite } from "../profilers/call-sites.ts";
import type { CallTreeNode } from "./call-tree.ts";
import { isWrapperFrame } from "./wrapper-frames.ts";

/** A call on the stacks of something that happened, or at the end of a path what happened. */
export interface SiteNode extends CallTreeNode<SiteNode> {
  readonly children: SiteNode[];
  /** What happened here, apart by what samples carry. */
  readonly values: Map<SampleContext | undefined, number>;
}

interface GrowingNode extends SiteNode {
  readonly children: GrowingNode[];
  readonly byKey: Map<string, GrowingNode>;
}

// Stacks times label sets of one window. What is beyond keeps its label set and its last frame.
const MAX_NODES = 20_000;

/** What happened in one window, added up by stacks of calls and label sets. */
export class SiteTree {
  readonly root: SiteNode;
  readonly #root: GrowingNode;
  readonly #contexts = new Map<LabelSet, SampleContext>();
  #nodeCount = 0;

  constructor() {
    this.#root = createNode({ name: "(root)", scriptName: "", line: 0, column: 0 });
    this.root = this.#root;
  }

  /**
   * @param leaf - the last frame: what happened.
   * @param callers - leaf first.
   */
  add(leaf: string, callers: readonly CallSite[], context: SampleContext | undefined, value: number): void {
    let node = this.#root;
    for (const site of callers.toReversed()) node = this.#childOf(node, site);
    node = this.#childOf(node, { name: leaf, scriptName: "", line: 0, column: 0 });
    const key = this.#canonical(context);
    node.values.set(key, (node.values.get(key) ?? 0) + value);
  }

  #childOf(parent: GrowingNode, site: CallSite): GrowingNode {
    const key = `${site.line}:${site.column}:${site.name}:${site.scriptName}`;
    const known = parent.byKey.get(key);
    if (known !== undefined) return known;
    const isLeaf = site.scriptName === "";
    // From here on every stack ends where its known part does, and what happened still gets its frame.
    if (this.#nodeCount >= MAX_NODES && !isLeaf) return parent;
    this.#nodeCount++;
    const node = createNode(site);
    parent.byKey.set(key, node);
    parent.children.push(node);
    return node;
  }

  /** Contexts without ids are equal when their labels are; there is one of those for each request. */
  #canonical(context: SampleContext | undefined): SampleContext | undefined {
    if (context === undefined || context.ids !== undefined || context.span !== undefined) return context;
    const known = this.#contexts.get(context.labels);
    if (known !== undefined) return known;
    this.#contexts.set(context.labels, context);
    return context;
  }
}

function createNode({ name, scriptName, line, column }: CallSite): GrowingNode {
  return {
    ...{ name, scriptName, lineNumber: line, columnNumber: column, isCall: true },
    ...{ children: [], byKey: new Map(), values: new Map() },
  };
}

/** True for calls of the program: the runtime's own say nothing about it, and `Promise.all` has no script. */
export function isCaller(site: CallSite): boolean {
  return site.scriptName !== "" && !site.scriptName.startsWith("node:") && !isWrapperFrame(site);
}
