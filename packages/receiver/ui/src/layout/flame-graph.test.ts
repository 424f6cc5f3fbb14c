import { describe, expect, it } from "vitest";
import { diffFromStacks, findStack, treeFromStacks } from "../testing/tree-from-stacks.ts";
import {
  findNodeAt,
  findSibling,
  findWidestChild,
  layOutDiff,
  layOutTree,
  listAncestors,
  measureDepth,
  NO_NODE,
} from "./flame-graph.ts";

const graph = layOutTree(treeFromStacks({ "a;b": 2, "a;c": 5, a: 1, d: 2 }));
const at = (stack: string): number => findStack(graph, stack);
const box = (stack: string): readonly [start: number, width: number] => [
  graph.start[at(stack)]!,
  graph.width[at(stack)]!,
];

describe("layOutTree", () => {
  it("puts children side by side from their parent's start, self last", () => {
    expect(box("a")).toEqual([0, 8]);
    expect(box("a;b")).toEqual([0, 2]);
    expect(box("a;c")).toEqual([2, 5]);
    expect(box("d")).toEqual([8, 2]);
  });

  it("knows where each subtree ends", () => {
    expect(graph.end[0]).toBe(graph.length);
    expect(graph.end[at("a")]).toBe(at("d"));
    expect(graph.end[at("d")]).toBe(at("d") + 1);
  });

  it("lists each level from left to right", () => {
    const level = graph.byLevel.slice(graph.levelStart[2], graph.levelStart[3]);

    expect([...level]).toEqual([at("a;b"), at("a;c")]);
    expect(graph.depth).toBe(3);
  });

  it("lays out a stack of 4,000 levels", () => {
    const deep = layOutTree(treeFromStacks({ [Array.from({ length: 4000 }, () => "f").join(";")]: 7 }));

    expect(deep.depth).toBe(4001);
    expect(deep.width[4000]).toBe(7);
    expect(deep.end[0]).toBe(4001);
  });

  it("lays out a tree without samples", () => {
    expect(layOutTree(treeFromStacks({})).width[0] ?? 0).toBe(0);
  });
});

describe("layOutDiff", () => {
  it("makes a frame as wide as both sides together, by scale", () => {
    const diff = diffFromStacks({ a: 10 }, { a: 1, b: 3 });

    const laid = layOutDiff(diff, { left: 0.1, right: 0.25 });

    expect(laid.width[0]).toBeCloseTo(2);
    expect(laid.width[findStack(diff, "a")]).toBeCloseTo(1.25);
    expect(laid.width[findStack(diff, "b")]).toBeCloseTo(0.75);
  });
});

describe("findNodeAt", () => {
  it("finds the frame under a value", () => {
    expect(findNodeAt(graph, 2, 1.9)).toBe(at("a;b"));
    expect(findNodeAt(graph, 2, 2)).toBe(at("a;c"));
  });

  it("finds none where only a parent's self is, and none outside", () => {
    expect(findNodeAt(graph, 2, 7.5)).toBe(NO_NODE);
    expect(findNodeAt(graph, 1, 10)).toBe(NO_NODE);
    expect(findNodeAt(graph, -1, 1)).toBe(NO_NODE);
    expect(findNodeAt(graph, 3, 1)).toBe(NO_NODE);
  });
});

describe("measureDepth", () => {
  it("counts the levels down to the deepest frame below", () => {
    expect(measureDepth(graph, 0)).toBe(3);
    expect(measureDepth(graph, at("d"))).toBe(2);
  });
});

describe("moving between frames", () => {
  it("goes down to the widest child and up to the caller", () => {
    expect(findWidestChild(graph, at("a"))).toBe(at("a;c"));
    expect(findWidestChild(graph, at("d"))).toBe(NO_NODE);
    expect(listAncestors(graph, at("a;c"))).toEqual([0, at("a"), at("a;c")]);
  });

  it("goes to neighbours of the same caller only", () => {
    expect(findSibling(graph, at("a;b"), 1)).toBe(at("a;c"));
    expect(findSibling(graph, at("a;c"), 1)).toBe(NO_NODE);
    expect(findSibling(graph, at("a;c"), -1)).toBe(at("a;b"));
    expect(findSibling(graph, at("a;b"), -1)).toBe(NO_NODE);
    expect(findSibling(graph, 0, 1)).toBe(NO_NODE);
  });
});
