import { describe, expect, it } from "vitest";
import { layOutTree } from "../layout/flame-graph.ts";
import { findStack, treeFromStacks } from "../testing/tree-from-stacks.ts";
import { findFocus, formatFocusPath } from "./focus-path.ts";

describe("findFocus", () => {
  it("finds the frame again in other data", () => {
    const before = layOutTree(treeFromStacks({ "main;handle;parse": 3, "main;idle": 1 }));
    const after = layOutTree(
      treeFromStacks({ "boot;x": 9, "main;handle;parse;deep": 1, "main;handle;a": 5 }),
    );
    const path = formatFocusPath(before, findStack(before, "main;handle;parse"));

    expect(findFocus(after, path)).toEqual({ node: findStack(after, "main;handle;parse"), isExact: true });
  });

  it("tells frames of one name on different stacks apart", () => {
    const graph = layOutTree(treeFromStacks({ "a;x": 1, "b;x": 1, "a;b;x": 1 }));

    for (const stack of ["a;x", "b;x", "a;b;x"]) {
      const node = findStack(graph, stack);
      expect(findFocus(graph, formatFocusPath(graph, node)).node).toBe(node);
    }
  });

  it("falls back to the nearest frame above one that is gone, and says so", () => {
    const before = layOutTree(treeFromStacks({ "main;handle;parse": 3 }));
    const after = layOutTree(treeFromStacks({ "main;handle;render": 3 }));
    const path = formatFocusPath(before, findStack(before, "main;handle;parse"));

    expect(findFocus(after, path)).toEqual({ node: findStack(after, "main;handle"), isExact: false });
  });

  it("shows everything for a path of another program", () => {
    const graph = layOutTree(treeFromStacks({ main: 1 }));

    expect(findFocus(graph, "zz.yy")).toEqual({ node: 0, isExact: false });
    expect(findFocus(graph, "")).toEqual({ node: 0, isExact: true });
  });

  it("keeps the link short at 4,000 levels", () => {
    const stack = Array.from({ length: 4000 }, (_, level) => `f${level % 5}`).join(";");
    const graph = layOutTree(treeFromStacks({ [stack]: 1 }));

    const path = formatFocusPath(graph, 3999);

    expect(path.length).toBeLessThan(400);
    expect(findFocus(graph, path)).toEqual({ node: 3999, isExact: true });
  });
});
