import type { LabelSet } from "../labels/label-set.ts";
import type { SampleContext } from "../labels/sample-context.ts";
import type { CallSite } from "../profilers/call-sites.ts";
import type { WaitKind } from "../profilers/wait-kind.ts";
import type { CallTreeNode } from "./call-tree.ts";
import { isOwnScript, isWrapperFrame } from "./wrapper-frames.ts";

/** A function that waits, or at the end of a path what it waits for. */
export interface WaitNode extends CallTreeNode<WaitNode> {
  readonly children: WaitNode[];
  /** Milliseconds waited here, apart by what samples carry. */
  readonly waited: Map<SampleContext | undefined, number>;
}

interface GrowingNode extends WaitNode {
  readonly children: GrowingNode[];
  readonly byKey: Map<string, GrowingNode>;
}

// Stacks times label sets of one window. What is beyond keeps its label set and its kind.
const MAX_NODES = 20_000;

// The clients' own timers, names and connections are part of the request, which is counted itself.
const HTTP_CLIENTS = /^node:(_http_|https?$|internal\/deps\/undici\/)|[\\/]node_modules[\\/]undici[\\/]/;

/** Waits of one window, added up by their callers and label sets. */
export class WaitTree {
  readonly root: WaitNode;
  readonly #root: GrowingNode;
  readonly #contexts = new Map<LabelSet, SampleContext>();
  readonly #waitedByLabels = new Map<LabelSet, number>();
  #nodeCount = 0;

  constructor() {
    this.#root = createNode("(root)");
    this.root = this.#root;
  }

  /** Milliseconds waited by label set. */
  get waitedByLabels(): ReadonlyMap<LabelSet, number> {
    return this.#waitedByLabels;
  }

  /** @param sites - leaf first. Waits of this package, and of an HTTP client for its own request, are left out. */
  add(
    kind: WaitKind,
    sites: readonly CallSite[],
    context: SampleContext | undefined,
    waitedMs: number,
  ): void {
    const isRequest = kind === "(http request)" || kind === "(fetch)";
    if (!isRequest && sites.some(({ scriptName }) => HTTP_CLIENTS.test(scriptName))) return;
    const callers = sites.filter(isCaller);
    const [caller] = callers;
    if (caller !== undefined && isOwnScript(caller.scriptName)) return;
    let node = this.#root;
    for (const site of callers.reverse()) node = this.#childOf(node, site);
    node = this.#childOf(node, { name: kind, scriptName: "", line: 0, column: 0 });
    const key = this.#canonical(context);
    node.waited.set(key, (node.waited.get(key) ?? 0) + waitedMs);
    if (context === undefined) return;
    const { labels } = context;
    this.#waitedByLabels.set(labels, (this.#waitedByLabels.get(labels) ?? 0) + waitedMs);
  }

  #childOf(parent: GrowingNode, { name, scriptName, line, column }: CallSite): GrowingNode {
    const key = `${line}:${column}:${name}:${scriptName}`;
    const known = parent.byKey.get(key);
    if (known !== undefined) return known;
    const isKind = scriptName === "";
    // From here on every stack ends where its known part does, and kinds still get their node.
    if (this.#nodeCount >= MAX_NODES && !isKind) return parent;
    this.#nodeCount++;
    const node = createNode(name, scriptName, line, column);
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

function createNode(name: string, scriptName = "", lineNumber = 0, columnNumber = 0): GrowingNode {
  return {
    ...{ name, scriptName, lineNumber, columnNumber, isCall: true },
    ...{ children: [], byKey: new Map(), waited: new Map() },
  };
}

/** The runtime's own functions say nothing about who waits, and `Promise.all` has no script. */
function isCaller(site: CallSite): boolean {
  return site.scriptName !== "" && !site.scriptName.startsWith("node:") && !isWrapperFrame(site);
}
