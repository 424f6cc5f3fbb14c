import { describe, expect, it } from "vitest";
import { runAtOnce } from "../profilers/slices.ts";
import type { CallTreeNode } from "./call-tree.ts";
import { collectPositions } from "./script-positions.ts";

interface Node extends CallTreeNode<Node> {
  readonly children: readonly Node[];
}

const node = (scriptName: string, lineNumber: number, children: readonly Node[] = []): Node => ({
  name: "f",
  scriptName,
  lineNumber,
  columnNumber: 2,
  children,
});

describe("collectPositions", () => {
  it("gives each function of a file once", () => {
    const tree = node("", 0, [node("/srv/a.js", 1, [node("file:///srv/b.mjs", 3)]), node("/srv/a.js", 1)]);

    expect(runAtOnce(collectPositions(tree))).toEqual([
      { scriptName: "/srv/a.js", line: 1, column: 2, name: "f" },
      { scriptName: "file:///srv/b.mjs", line: 3, column: 2, name: "f" },
    ]);
  });

  it("leaves out what is no file, and what has no line", () => {
    const tree = node("", 0, [node("node:fs", 1), node("evalmachine.<anonymous>", 1), node("/srv/a.js", 0)]);

    expect(runAtOnce(collectPositions(tree))).toEqual([]);
  });
});
