import { describe, expect, it } from "vitest";
import type { LineNode } from "../profilers/line-sampler.ts";
import type { TimeNode } from "../profilers/native.ts";
import { runAtOnce } from "../profilers/slices.ts";
import { matchLines } from "./match-lines.ts";

let lastId = 0;

/** A function that begins at line 10, as the native profiler has it. */
function native(name: string, children: readonly TimeNode[] = [], lineNumber = 10): TimeNode {
  return { name, scriptName: "a.js", scriptId: 7, lineNumber, columnNumber: 3, hitCount: 1, children };
}

/** The same function as the inspector has it, with the nodes below it. */
function sampled(
  name: string,
  ticks: Readonly<Record<number, number>>,
  children: readonly LineNode[][] = [],
): LineNode[] {
  lastId++;
  const node = {
    id: lastId,
    callFrame: { functionName: name, scriptId: "7", url: "a.js", lineNumber: 9, columnNumber: 2 },
    children: children.map(([child]) => child?.id ?? 0),
    positionTicks: Object.entries(ticks).map(([line, count]) => ({ line: Number(line), ticks: count })),
  };
  return [node, ...children.flat()];
}

function match(root: TimeNode, nodes: readonly LineNode[], node: TimeNode): readonly string[] {
  const linesOf = runAtOnce(matchLines(root, nodes));
  return linesOf(node).map(({ line, ticks }) => `${line}: ${ticks}`);
}

describe("matchLines", () => {
  it("gives a function the lines that ran at the same stack", () => {
    const underA = native("f");
    const underB = native("f");
    const root = native("(root)", [native("a", [underA]), native("b", [underB])]);
    const nodes = sampled("(root)", {}, [
      sampled("a", {}, [sampled("f", { 12: 3, 11: 1 })]),
      sampled("b", {}, [sampled("f", { 15: 9 })]),
    ]);

    expect(match(root, nodes, underA)).toEqual(["11: 1", "12: 3"]);
    expect(match(root, nodes, underB)).toEqual(["15: 9"]);
  });

  it("adds up what V8 keeps apart where a function was compiled anew", () => {
    const f = native("f");
    const root = native("(root)", [f]);
    const nodes = sampled("(root)", {}, [sampled("f", { 12: 3 }), sampled("f", { 12: 2, 13: 1 })]);

    expect(match(root, nodes, f)).toEqual(["12: 5", "13: 1"]);
  });

  it("takes the function's lines of other stacks where only the native profiler saw this one", () => {
    const f = native("f");
    const root = native("(root)", [native("a", [f])]);
    const nodes = sampled("(root)", {}, [sampled("b", {}, [sampled("f", { 12: 3 })])]);

    expect(match(root, nodes, f)).toEqual(["12: 3"]);
  });

  it("knows none of a function that was not seen, or has another place", () => {
    const f = native("f");
    const moved = native("g", [], 11);
    const root = native("(root)", [f, moved]);
    const nodes = sampled("(root)", {}, [sampled("g", { 12: 3 })]);

    expect(match(root, nodes, f)).toEqual([]);
    expect(match(root, nodes, moved)).toEqual([]);
    expect(match(root, [], f)).toEqual([]);
  });

  it("leaves out lines above the function: they are of code that was inlined", () => {
    const f = native("f");
    const root = native("(root)", [f]);

    expect(match(root, sampled("(root)", {}, [sampled("f", { 9: 5, 10: 1 })]), f)).toEqual(["10: 1"]);
  });
});
