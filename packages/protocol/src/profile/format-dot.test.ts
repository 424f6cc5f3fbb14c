import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stackListArbitrary } from "../testing/profile.fixture.ts";
import { stacksFromText } from "../testing/profile-from-text.ts";
import { buildTree } from "./build-tree.ts";
import { toCallGraph } from "./call-graph.ts";
import { formatDot } from "./format-dot.ts";

const DRAWING = `
  main    main    main
  handle  handle  idle
  parse   query
`;

describe("formatDot", () => {
  it("draws a box for each function and an arrow for each call, in the unit of the profile", () => {
    const tree = buildTree(stacksFromText(DRAWING, [2e9, 1e9, 1e9]));

    expect(formatDot(tree, { maxNodes: 10, unit: "nanoseconds", title: "cpu" })).toBe(
      [
        'digraph "cpu" {',
        'label="cpu\\n4s total" labelloc="t"',
        'node [shape="box" fontname="sans-serif"]',
        'N0 [label="main\\n0ns (0%) of 4s (100%)" fontsize=8]',
        'N1 [label="handle\\n0ns (0%) of 3s (75%)" fontsize=8]',
        'N2 [label="parse\\n2s (50%) of 2s (50%)" fontsize=19]',
        'N3 [label="idle\\n1s (25%) of 1s (25%)" fontsize=16]',
        'N4 [label="query\\n1s (25%) of 1s (25%)" fontsize=16]',
        'N0 -> N1 [label="3s" penwidth=5]',
        'N1 -> N2 [label="2s" penwidth=4]',
        'N0 -> N3 [label="1s" penwidth=2]',
        'N1 -> N4 [label="1s" penwidth=2]',
        "}",
        "",
      ].join("\n"),
    );
  });

  it("is empty for a tree without values", () => {
    expect(formatDot(buildTree(stacksFromText("")), { maxNodes: 10, unit: "count", title: "x" })).toBe("");
  });

  it("escapes what the language gives a meaning", () => {
    const stacks = {
      length: 1,
      names: ['a"] N9 [label="x\\N\nb\u001b'],
      frameStart: Uint32Array.of(0, 1),
      frame: Uint32Array.of(0),
      value: Float64Array.of(2048),
    };

    const text = formatDot(buildTree(stacks), { maxNodes: 10, unit: "bytes", title: 't"' });

    expect(text).toContain('digraph "t\\"" {');
    expect(text).toContain('N0 [label="a\\"] N9 [label=\\"x\\\\N\\nb \\n2KiB (100%) of 2KiB (100%)"');
  });
});

describe("toCallGraph", () => {
  it("counts a sample once for a function and a call, however deep the recursion", () => {
    const tree = buildTree(
      stacksFromText(
        `
        f  f
        g  h
        f
        g
      `,
        [3, 1],
      ),
    );

    expect(toCallGraph(tree, 10)).toEqual({
      total: 4,
      nodes: [
        { name: "f", self: 0, total: 4 },
        { name: "g", self: 3, total: 3 },
        { name: "h", self: 1, total: 1 },
      ],
      edges: [
        { from: 0, to: 1, total: 3, isDirect: true },
        { from: 1, to: 0, total: 3, isDirect: true },
        { from: 0, to: 2, total: 1, isDirect: true },
      ],
    });
  });

  it("keeps the largest functions and joins those whose callees were left out between them", () => {
    const tree = buildTree(
      stacksFromText(
        `
        main   main  main
        small  leaf  other
        leaf
      `,
        [1, 5, 2],
      ),
    );

    const { nodes, edges } = toCallGraph(tree, 2);

    expect(nodes.map(({ name, total }) => [name, total])).toEqual([
      ["main", 8],
      ["leaf", 6],
    ]);
    expect(edges).toEqual([{ from: 0, to: 1, total: 6, isDirect: true }]);
    const far = toCallGraph(buildTree(stacksFromText("main\nsmall\nleaf", [4])), 2);
    expect(far.nodes.map(({ name }) => name)).toEqual(["leaf", "main"]);
    expect(far.edges).toEqual([{ from: 1, to: 0, total: 4, isDirect: false }]);
  });

  it("conserves selfs, and no function or call is above the total", () =>
    fc.assert(
      fc.property(stackListArbitrary.map(buildTree), (tree) => {
        const { nodes, edges, total } = toCallGraph(tree, Infinity);
        const self = nodes.reduce((sum, node) => sum + node.self, 0);
        expect(self).toBe(total - tree.self[0]!);
        expect([...nodes, ...edges].every((one) => one.total <= total)).toBe(true);
      }),
    ));
});
