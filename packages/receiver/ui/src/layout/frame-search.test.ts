import { describe, expect, it } from "vitest";
import { findStack, treeFromStacks } from "../testing/tree-from-stacks.ts";
import { layOutTree, NO_NODE } from "./flame-graph.ts";
import { findNextMatch, measureMatchRatio, searchNames } from "./frame-search.ts";

const graph = layOutTree(treeFromStacks({ "main;parse;parseValue": 2, "main;render": 6, "parse;x": 2 }));
const matched = (text: string): readonly string[] =>
  graph.names.filter((_, index) => searchNames(graph.names, text)?.isMatch[index] === 1);

describe("searchNames", () => {
  it("finds parts of names, upper and lower case alike", () => {
    expect(matched("PARSE")).toEqual(["parse", "parseValue"].filter((name) => graph.names.includes(name)));
    expect(searchNames(graph.names, "parse")?.nameCount).toBe(2);
  });

  it("takes text between slashes as an expression", () => {
    expect(matched("/^parse$/")).toEqual(["parse"]);
  });

  it.for(["/(/", "/(a+)+$/", "/(a|aa)+$/", "/(.)\\1/", "/a*a*a*a*$/", `/${"x".repeat(201)}/`])(
    "takes an expression that is broken or could take long as text: %s",
    (text) => {
      expect(searchNames([text, "aaaa"], text)).toMatchObject({ nameCount: 1, isExpression: false });
    },
  );

  it("takes an expression with three repetitions and a plain group", () => {
    expect(searchNames(["abcd"], "/a*b+(c|x)d*$/")).toMatchObject({ nameCount: 1, isExpression: true });
  });

  it("searches nothing for blank text", () => {
    expect(searchNames(graph.names, "  ")).toBeUndefined();
  });
});

describe("measureMatchRatio", () => {
  const match = searchNames(graph.names, "parse")!;

  it("counts a match inside a match once", () => {
    expect(measureMatchRatio(graph, match, 0)).toBeCloseTo(0.4);
  });

  it("measures within the focused frame", () => {
    expect(measureMatchRatio(graph, match, findStack(graph, "main"))).toBeCloseTo(0.25);
  });

  it("is the whole below a matching frame", () => {
    expect(measureMatchRatio(graph, match, findStack(graph, "parse;x"))).toBe(1);
  });
});

describe("findNextMatch", () => {
  const match = searchNames(graph.names, "render")!;

  it("goes around the end in both directions", () => {
    const render = findStack(graph, "main;render");

    expect(findNextMatch(graph, match, 0, 1)).toBe(render);
    expect(findNextMatch(graph, match, render, 1)).toBe(render);
    expect(findNextMatch(graph, match, 0, -1)).toBe(render);
  });

  it("finds none where nothing matches", () => {
    expect(findNextMatch(graph, searchNames(graph.names, "nothing")!, 0, 1)).toBe(NO_NODE);
  });
});
