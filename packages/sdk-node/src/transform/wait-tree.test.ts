import { describe, expect, it } from "vitest";
import { LabelSets } from "../labels/label-set.ts";
import { toContext } from "../labels/sample-context.ts";
import type { CallSite } from "../profilers/call-sites.ts";
import type { WaitKind } from "../profilers/wait-kind.ts";
import type { SiteNode } from "./site-tree.ts";
import { WaitTree } from "./wait-tree.ts";

const sets = new LabelSets({ maxValues: 9, maxSets: 9, maxLabels: 9 }, () => undefined);
const labels = sets.merge(sets.empty, { route: "/a" });

const site = (name: string, scriptName = "/srv/shop.js", line = 1): CallSite => ({
  name,
  scriptName,
  line,
  column: 1,
});

/** Every path with its milliseconds. */
function pathsOf(node: SiteNode, path = ""): string[] {
  const own = Array.from(node.values.values(), (ms) => `${path} ${ms}`);
  return [...own, ...node.children.flatMap((child) => pathsOf(child, `${path}/${child.name}`))];
}

function treeOf(kind: WaitKind, ...sites: readonly CallSite[]): string[] {
  const tree = new WaitTree();
  tree.add(kind, sites, undefined, 5);
  return pathsOf(tree.root);
}

const ownModule = new URL("../scheduler.ts", import.meta.url).href;

describe("WaitTree", () => {
  it("adds up waits by their callers and labels", () => {
    const tree = new WaitTree();
    const sites = [site("setTimeout", "node:timers/promises"), site("retry"), site("pay")];
    tree.add("(timer)", sites, toContext(labels), 5);
    tree.add("(timer)", sites, toContext(labels), 7);
    tree.add("(timer)", sites, undefined, 1);

    expect(pathsOf(tree.root)).toEqual(["/pay/retry/(timer) 12", "/pay/retry/(timer) 1"]);
    expect([...tree.waitedByLabels]).toEqual([[labels, 12]]);
  });

  it("keeps two calls of one function apart by their line", () => {
    const tree = new WaitTree();
    tree.add("(timer)", [site("pay", "/srv/shop.js", 3)], undefined, 5);
    tree.add("(timer)", [site("pay", "/srv/shop.js", 9)], undefined, 5);

    expect(tree.root.children.map(({ lineNumber }) => lineNumber)).toEqual([3, 9]);
  });

  it("leaves out what an HTTP client waits for: its request is a wait itself", () => {
    const client = site("lookup", "node:_http_agent");
    const undici = site("connect", "/srv/node_modules/undici/lib/client.js");

    expect(treeOf("(dns)", client, site("pay"))).toEqual([]);
    expect(treeOf("(timer)", undici, site("pay"))).toEqual([]);
    expect(treeOf("(http request)", client, site("pay"))).toEqual(["/pay/(http request) 5"]);
    expect(treeOf("(fetch)", undici, site("pay"))).toEqual(["/pay/connect/(fetch) 5"]);
  });

  it("keeps what a handler of an HTTP server waits for, and a callback of a client", () => {
    const server = site("parserOnIncoming", "node:_http_server");
    const timers = site("setTimeout", "node:timers");
    const undici = site("onData", "/srv/node_modules/undici/lib/client.js");

    expect(treeOf("(timer)", timers, site("sleep"), site("handle"), server)).toEqual([
      "/handle/sleep/(timer) 5",
    ]);
    expect(treeOf("(file system)", site("handle"), undici)).toEqual(["/onData/handle/(file system) 5"]);
    expect(treeOf("(timer)", timers, server)).toEqual([]);
  });

  it("leaves out the SDK's own waits, and its wrappers from the stacks of others", () => {
    expect(treeOf("(timer)", site("after", ownModule))).toEqual([]);
    expect(treeOf("(timer)", site("retry"), site("tagWrapper", ownModule), site("main"))).toEqual([
      "/main/retry/(timer) 5",
    ]);
  });

  it("keeps a wait that only the runtime knows of", () => {
    expect(treeOf("(file system)", site("read", "node:fs"))).toEqual(["/(file system) 5"]);
  });

  it("loses no time when there are more stacks than it keeps", () => {
    const tree = new WaitTree();
    for (let i = 0; i < 25_000; i++) tree.add("(timer)", [site(`f${i}`)], toContext(labels), 1);

    const total = pathsOf(tree.root).reduce((sum, path) => sum + Number(path.split(" ").at(-1)), 0);
    expect(total).toBe(25_000);
    expect(pathsOf(tree.root).length).toBeLessThan(20_001);
  });
});
