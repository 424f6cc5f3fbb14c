import type { LabelSet } from "../labels/label-set.ts";
import type { SampleContext } from "../labels/sample-context.ts";
import type { CallSite } from "../profilers/call-sites.ts";
import type { WaitKind } from "../profilers/wait-kind.ts";
import type { SiteNode } from "./site-tree.ts";
import { isCaller, SiteTree } from "./site-tree.ts";
import { isOwnScript } from "./wrapper-frames.ts";

// The clients' own timers, names and connections are part of the request, which is counted itself.
const HTTP_CLIENTS = /^node:(_http_|https?$|internal\/deps\/undici\/)|[\\/]node_modules[\\/]undici[\\/]/;

/** Waits of one window in milliseconds, by their callers and label sets. */
export class WaitTree {
  readonly #tree = new SiteTree();
  readonly #waitedByLabels = new Map<LabelSet, number>();

  get root(): SiteNode {
    return this.#tree.root;
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
    if (!isRequest && isOfHttpClient(sites)) return;
    const callers = sites.filter(isCaller);
    const [caller] = callers;
    if (caller !== undefined && isOwnScript(caller.scriptName)) return;
    this.#tree.add(kind, callers, context, waitedMs);
    if (context === undefined) return;
    const { labels } = context;
    this.#waitedByLabels.set(labels, (this.#waitedByLabels.get(labels) ?? 0) + waitedMs);
  }
}

/** Whether an HTTP client waits here, and not a function that it calls: a handler's callers are those of node:http, too. */
function isOfHttpClient(sites: readonly CallSite[]): boolean {
  const decisive = sites.find((site) => HTTP_CLIENTS.test(site.scriptName) || isCaller(site));
  return decisive !== undefined && HTTP_CLIENTS.test(decisive.scriptName);
}
