import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTree } from "../testing/format-tree.ts";
import { stackListArbitrary } from "../testing/profile.fixture.ts";
import { stacksFromText } from "../testing/profile-from-text.ts";
import { buildTree } from "./build-tree.ts";
import { diffTrees, truncateDiffTree } from "./diff-trees.ts";
import { mergeTrees } from "./merge-trees.ts";
import { type DiffTree, NO_PARENT, type StackList, type Tree } from "./tree.ts";
import { truncateTree } from "./truncate-tree.ts";

const treeArbitrary = stackListArbitrary.map(buildTree);
const shop = () =>
  buildTree(
    stacksFromText(
      `
        main  main  main  main  main
        a     a     b     b     c
        x     y     z     w
      `,
      [50, 3, 40, 2, 5],
    ),
  );
/** One stack of 100,000 frames, and of as many different names. */
const deepStacks = (): StackList => {
  const depth = 100_000;
  return {
    length: 1,
    names: Array.from({ length: depth }, (_, i) => `f${i}`),
    frameStart: Uint32Array.of(0, depth),
    frame: Uint32Array.from({ length: depth }, (_, i) => i),
    value: Float64Array.of(7),
  };
};

describe("buildTree", () => {
  it("lays stacks over each other", () => {
    expect(formatTree(shop())).toEqual([
      "main total 100 self 0",
      "  a total 53 self 0",
      "    x total 50 self 50",
      "    y total 3 self 3",
      "  b total 42 self 0",
      "    w total 2 self 2",
      "    z total 40 self 40",
      "  c total 5 self 5",
    ]);
  });

  it("has columns in pre-order under a root named total", () => {
    const tree = buildTree(stacksFromText("main    main\nhandle  idle\nparse", [1, 2]));

    expect(tree).toEqual({
      length: 5,
      names: ["total", "main", "handle", "parse", "idle"],
      name: Uint32Array.of(0, 1, 2, 3, 4),
      level: Uint32Array.of(0, 1, 2, 3, 2),
      parent: Int32Array.of(NO_PARENT, 0, 1, 2, 1),
      self: Float64Array.of(0, 0, 0, 1, 2),
      total: Float64Array.of(3, 3, 1, 1, 2),
    });
  });

  it("orders children by the bytes of their names", () => {
    const tree = buildTree(stacksFromText("b  \uffff  B  \u{10000}  aa  a  ü"));

    expect(tree.names.slice(1)).toEqual(["B", "a", "aa", "b", "ü", "\uffff", "\u{10000}"]);
  });

  it("gives a stack's value to a frame in the middle when the stack ends there", () => {
    expect(formatTree(buildTree(stacksFromText("main  main\n      a", [5, 3])))).toEqual([
      "main total 8 self 5",
      "  a total 3 self 3",
    ]);
  });

  it("counts a stack without frames at the root", () => {
    const stacks = {
      length: 1,
      names: [],
      frameStart: Uint32Array.of(0, 0),
      frame: new Uint32Array(),
      value: Float64Array.of(4),
    };

    expect(formatTree(buildTree(stacks))).toEqual(["total total 4 self 4"]);
  });

  it("ends stacks at a frame named other and puts it last", () => {
    const tree = buildTree(
      stacksFromText("main   main   main  main\nother  other  z     a\nbelow", [1, 2, 4, 8]),
    );

    expect(formatTree(tree)).toEqual([
      "main total 15 self 0",
      "  a total 8 self 8",
      "  z total 4 self 4",
      "  other total 3 self 3",
    ]);
  });

  it("shares one name between the root and a frame named total", () => {
    const tree = buildTree(stacksFromText("total\nmain"));

    expect(tree.names).toEqual(["total", "main"]);
    expect(formatTree(tree)).toEqual(["total total 1 self 0", "  main total 1 self 1"]);
  });

  it("takes a name that is listed twice for one", () => {
    const stacks = {
      length: 2,
      names: ["a", "a"],
      frameStart: Uint32Array.of(0, 1, 2),
      frame: Uint32Array.of(0, 1),
      value: Float64Array.of(1, 2),
    };

    expect(formatTree(buildTree(stacks))).toEqual(["a total 3 self 3"]);
  });

  it("makes the root alone of nothing and of stacks of value 0", () => {
    const empty = buildTree(stacksFromText(""));

    expect(empty).toEqual(buildTree(stacksFromText("main", [0])));
    expect([empty.length, empty.names, empty.total[0]]).toEqual([1, ["total"], 0]);
  });

  it("keeps its shape and the sum of the values", () =>
    fc.assert(
      fc.property(stackListArbitrary, (stacks) => {
        const tree = buildTree(stacks);
        expectShape(tree);
        expect(tree.total[0]).toBe(stacks.value.reduce((sum, value) => sum + value, 0));
      }),
    ));

  it("builds, truncates, merges and diffs a stack of 100,000 frames", () => {
    const tree = buildTree(deepStacks());

    expect(tree.level.at(-1)).toBe(100_000);
    expect(mergeTrees([tree, tree]).total[0]).toBe(14);
    expect(truncateTree(tree, 10).length).toBe(100_001);
    expect(diffTrees(tree, tree).rightTotal.at(-1)).toBe(7);
  });
});

describe("mergeTrees", () => {
  it("gives the tree of all stacks", () =>
    fc.assert(
      fc.property(stackListArbitrary, stackListArbitrary, (a, b) => {
        const both = {
          length: a.length + b.length,
          names: a.names,
          frameStart: Uint32Array.from([
            ...a.frameStart,
            ...b.frameStart.slice(1).map((start) => start + a.frame.length),
          ]),
          frame: Uint32Array.from([...a.frame, ...b.frame]),
          value: Float64Array.from([...a.value, ...b.value]),
        };
        expect(mergeTrees([buildTree(a), buildTree(b)])).toEqual(buildTree(both));
      }),
    ));

  it("is commutative and associative", () =>
    fc.assert(
      fc.property(treeArbitrary, treeArbitrary, treeArbitrary, (a, b, c) => {
        expect(mergeTrees([a, b])).toEqual(mergeTrees([b, a]));
        expect(mergeTrees([mergeTrees([a, b]), c])).toEqual(mergeTrees([a, mergeTrees([b, c])]));
      }),
    ));

  it("of nothing is the root alone", () => {
    expect(mergeTrees([])).toEqual(buildTree(stacksFromText("")));
  });
});

describe("truncateTree", () => {
  it("keeps the largest nodes and sums the rest beside them", () => {
    expect(formatTree(truncateTree(shop(), 4))).toEqual([
      "main total 100 self 0",
      "  a total 53 self 0",
      "    x total 50 self 50",
      "    other total 3 self 3",
      "  b total 42 self 0",
      "    other total 42 self 42",
      "  other total 5 self 5",
    ]);
  });

  it("keeps a tree that is small enough, and every tree for 0", () => {
    const tree = shop();

    expect(truncateTree(tree, 8)).toBe(tree);
    expect(truncateTree(tree, 0)).toBe(tree);
    expect(truncateTree(tree, 7)).not.toEqual(tree);
  });

  it("keeps ties", () => {
    const tree = buildTree(stacksFromText("a  b  c  d", [5, 5, 5, 1]));

    expect(formatTree(truncateTree(tree, 1))).toEqual([
      "a total 5 self 5",
      "b total 5 self 5",
      "c total 5 self 5",
      "other total 1 self 1",
    ]);
  });

  it("adds what it removes to an other that is there already", () => {
    const tree = buildTree(stacksFromText("a  b  other", [50, 2, 30]));

    expect(formatTree(truncateTree(tree, 2))).toEqual(["a total 50 self 50", "other total 32 self 32"]);
  });

  it("conserves the total and what it keeps", () =>
    fc.assert(
      fc.property(treeArbitrary, fc.integer({ min: 0, max: 12 }), (tree, maxNodes) => {
        const truncated = truncateTree(tree, maxNodes);
        expectShape(truncated);
        expect(truncated.total[0]).toBe(tree.total[0]);
        const before = new Set(formatPaths(tree));
        expect(
          formatPaths(truncated).filter((path) => !path.includes("/other ") && !before.has(path)),
        ).toEqual([]);
      }),
    ));

  it("keeps at least as many nodes as it may", () =>
    fc.assert(
      fc.property(treeArbitrary, fc.integer({ min: 1, max: 12 }), (tree, maxNodes) => {
        const kept = truncateTree(tree, maxNodes).length - 1;
        expect(kept).toBeGreaterThanOrEqual(Math.min(maxNodes, tree.length - 1));
      }),
    ));
});

describe("diffTrees", () => {
  it("lays both sides over each other", () => {
    const left = buildTree(stacksFromText("main   main\nparse  query", [1, 2]));
    const right = buildTree(stacksFromText("main   main\nquery  spin", [4, 8]));

    expect(formatTree(diffTrees(left, right))).toEqual([
      "main total 3 | 12 self 0 | 0",
      "  parse total 1 | 0 self 1 | 0",
      "  query total 2 | 4 self 2 | 4",
      "  spin total 0 | 8 self 0 | 8",
    ]);
  });

  it("has one side each of its inputs", () =>
    fc.assert(
      fc.property(treeArbitrary, treeArbitrary, (left, right) => {
        const diff = diffTrees(left, right);
        expect(sideOf(diff, diff.leftSelf)).toEqual(left);
        expect(sideOf(diff, diff.rightSelf)).toEqual(right);
        expect([diff.leftTotal[0], diff.rightTotal[0]]).toEqual([left.total[0], right.total[0]]);
      }),
    ));
});

describe("truncateDiffTree", () => {
  it("keeps a node that is large on either side", () => {
    const left = buildTree(stacksFromText("a   b  c", [50, 1, 2]));
    const right = buildTree(stacksFromText("a  b   c", [1, 40, 3]));

    expect(formatTree(truncateDiffTree(diffTrees(left, right), 2))).toEqual([
      "a total 50 | 1 self 50 | 1",
      "b total 1 | 40 self 1 | 40",
      "other total 2 | 3 self 2 | 3",
    ]);
  });

  it("conserves both totals", () =>
    fc.assert(
      fc.property(treeArbitrary, treeArbitrary, fc.integer({ min: 0, max: 12 }), (left, right, maxNodes) => {
        const diff = truncateDiffTree(diffTrees(left, right), maxNodes);
        expect([diff.leftTotal[0], diff.rightTotal[0]]).toEqual([left.total[0], right.total[0]]);
      }),
    ));
});

/** One side of a diff, without the nodes that only the other has. */
function sideOf(diff: DiffTree, self: Float64Array): Tree {
  return buildTree(stacksOf({ ...diff, self, total: self }));
}

/** The stacks of all rows that have a value. */
function stacksOf(tree: Tree): StackList {
  const rows = Array.from({ length: tree.length }, (_, row) => row).filter((row) => tree.self[row] !== 0);
  const paths = rows.map((row) => pathOf(tree, row));
  return {
    length: rows.length,
    names: tree.names,
    frameStart: Uint32Array.from([0, ...paths.keys()], (_, i) =>
      paths.slice(0, i).reduce((sum, path) => sum + path.length, 0),
    ),
    frame: Uint32Array.from(paths.flat()),
    value: Float64Array.from(rows, (row) => tree.self[row]!),
  };
}

function pathOf(tree: Tree, row: number): number[] {
  const path: number[] = [];
  for (let at = row; at > 0; at = tree.parent[at]!) path.unshift(tree.name[at]!);
  return path;
}

function formatPaths(tree: Tree): string[] {
  return Array.from({ length: tree.length }, (_, row) => {
    const path = pathOf(tree, row).map((name) => `/${tree.names[name]}`);
    return `${path.join("")} total ${tree.total[row]} self ${row === 0 ? "" : tree.self[row]}`;
  });
}

/** Everything that the documentation of Tree promises. */
function expectShape(tree: Tree): void {
  expect(new Set(tree.names).size).toBe(tree.names.length);
  expect([tree.parent[0], tree.level[0], tree.names[tree.name[0]!]]).toEqual([NO_PARENT, 0, "total"]);
  const totals = Float64Array.from(tree.self);
  const siblings = new Map<number, string>();
  const encoder = new TextEncoder();
  for (let row = tree.length - 1; row > 0; row--) totals[tree.parent[row]!]! += totals[row]!;
  expect(tree.total).toEqual(totals);
  for (let row = 1; row < tree.length; row++) {
    const parent = tree.parent[row]!;
    expect(parent).toBeLessThan(row);
    expect(tree.level[row]).toBe(tree.level[parent]! + 1);
    expect(tree.level[row]! - tree.level[row - 1]!).toBeLessThanOrEqual(1);
    const name = tree.names[tree.name[row]!]!;
    const key = (text: string) =>
      text === "other"
        ? "~"
        : `!${Array.from(encoder.encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    const before = siblings.get(parent);
    expect(before === undefined || key(before) < key(name)).toBe(true);
    siblings.set(parent, name);
  }
}
