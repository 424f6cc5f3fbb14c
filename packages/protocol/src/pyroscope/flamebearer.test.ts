import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildTree } from "../profile/build-tree.ts";
import { diffTrees } from "../profile/diff-trees.ts";
import type { Tree } from "../profile/tree.ts";
import { truncateTree } from "../profile/truncate-tree.ts";
import { stackListArbitrary } from "../testing/profile.fixture.ts";
import { stacksFromText } from "../testing/profile-from-text.ts";
import { type Flamebearer, flamebearerToTree, treeToFlamebearer } from "./flamebearer.ts";
import { diffTreeToFlamebearer, flamebearerToDiffTree } from "./flamebearer-double.ts";
import { decodeTree, encodeTree } from "./tree-bytes.ts";

const draw = (drawing: string, values: (bigint | number)[] = []): Tree =>
  buildTree(stacksFromText(drawing, values));
const treeArbitrary = stackListArbitrary.map(buildTree);
const empty = draw("");

describe("treeToFlamebearer", () => {
  it.for<[string, Tree, Flamebearer]>([
    [
      "two leaves",
      draw("a  a\nb  c", [1, 2]),
      {
        names: ["total", "a", "c", "b"],
        levels: [
          [0, 3, 0, 0],
          [0, 3, 0, 1],
          [0, 1, 1, 3, 0, 2, 2, 2],
        ],
        numTicks: 3,
        maxSelf: 2,
      },
    ],
    [
      "a bar's own value before its children",
      draw("a  a\n   b", [5, 3]),
      {
        names: ["total", "a", "b"],
        levels: [
          [0, 8, 0, 0],
          [0, 8, 5, 1],
          [5, 3, 3, 2],
        ],
        numTicks: 8,
        maxSelf: 5,
      },
    ],
    [
      "a truncated tree",
      truncateTree(
        draw(
          "main  main  main  main  main\na     a     b     b     c\nx     y     z     w",
          [50, 3, 40, 2, 5],
        ),
        4,
      ),
      {
        names: ["total", "main", "other", "b", "a", "x"],
        levels: [
          [0, 100, 0, 0],
          [0, 100, 0, 1],
          [0, 53, 0, 4, 0, 42, 0, 3, 0, 5, 5, 2],
          [0, 50, 50, 5, 0, 3, 3, 2, 0, 42, 42, 2],
        ],
        numTicks: 100,
        maxSelf: 50,
      },
    ],
    ["nothing", empty, { names: ["total"], levels: [[0, 0, 0, 0]], numTicks: 0, maxSelf: 0 }],
    [
      "a frame named total",
      draw("total\nmain"),
      {
        names: ["total", "main"],
        levels: [
          [0, 1, 0, 0],
          [0, 1, 0, 0],
          [0, 1, 1, 1],
        ],
        numTicks: 1,
        maxSelf: 1,
      },
    ],
  ])("draws %s", ([, tree, flamebearer]) => {
    expect(treeToFlamebearer(tree)).toEqual(flamebearer);
  });

  it("is read back by flamebearerToTree", () =>
    fc.assert(
      fc.property(treeArbitrary, (tree) => {
        expect(flamebearerToTree(JSON.parse(JSON.stringify(treeToFlamebearer(tree))))).toEqual(tree);
      }),
    ));

  it("draws values beyond 2^53", () => {
    const tree = draw("a  b\nc  d", [2n ** 60n + 2n ** 10n, 2n ** 59n]);

    expect(flamebearerToTree(treeToFlamebearer(tree)).total[0]).toBe(tree.total[0]);
  });

  it("refuses a negative value", () => {
    expect(() => treeToFlamebearer(draw("a  b", [5, -1]))).toThrow(
      expect.objectContaining({ code: "TREE_MALFORMED" }),
    );
  });
});

describe("flamebearerToTree", () => {
  const good = treeToFlamebearer(draw("a  a\nb  c", [1, 2]));

  it("makes one node of two bars of one name", () => {
    const levels = [
      [0, 3, 0, 0],
      [0, 1, 1, 1, 0, 2, 2, 1],
    ];

    expect(flamebearerToTree({ names: ["total", "a"], levels, numTicks: 3, maxSelf: 2 })).toEqual(
      draw("a", [3]),
    );
  });

  it.for<[string, Partial<Flamebearer>]>([
    ["no levels", { levels: [] }],
    ["two roots", { levels: [[0, 1, 1, 0, 0, 2, 2, 0]], numTicks: 3 }],
    ["a bar that is cut off", { levels: [good.levels[0]!, [0, 3, 0]] }],
    ["a name that does not exist", { levels: [good.levels[0]!, [0, 3, 3, 9]] }],
    ["a name that is not whole", { levels: [good.levels[0]!, [0, 3, 3, 0.5]] }],
    ["a negative number", { levels: [good.levels[0]!, [0, 3, -1, 1]] }],
    ["a number that is none", { levels: [good.levels[0]!, [0, Number.NaN, 3, 1]] }],
    ["a bar beyond its parent", { levels: [good.levels[0]!, [1, 3, 3, 1]] }],
    ["a level below nothing", { levels: [good.levels[0]!, [], [0, 3, 3, 1]] }],
    ["a total that is more than self and children", { levels: [good.levels[0]!, [0, 3, 2, 1]] }],
    ["numTicks that is not the root's total", { numTicks: 4 }],
  ])("refuses %s", ([, change]) => {
    expect(() => flamebearerToTree(good)).not.toThrow();
    expect(() => flamebearerToTree({ ...good, ...change })).toThrow(
      expect.objectContaining({ name: "ProtocolError", code: "TREE_MALFORMED" }),
    );
  });
});

describe("diffTreeToFlamebearer", () => {
  it("draws both sides", () => {
    const diff = diffTrees(draw("a  a\nb  c", [1, 2]), draw("a  a\nb  c", [4, 8]));

    expect(diffTreeToFlamebearer(diff)).toEqual({
      names: ["total", "a", "c", "b"],
      levels: [
        [0, 3, 0, 0, 12, 0, 0],
        [0, 3, 0, 0, 12, 0, 1],
        [0, 1, 1, 0, 4, 4, 3, 0, 2, 2, 0, 8, 8, 2],
      ],
      numTicks: 15,
      maxSelf: 8,
      leftTicks: 3,
      rightTicks: 12,
    });
  });

  it("goes on where it should on the side that lacks a bar", () => {
    const diff = diffTrees(draw("a  c\nx  y", [2, 3]), draw("b  c\nz  y", [5, 7]));

    expect(diffTreeToFlamebearer(diff).levels.slice(1)).toEqual([
      [0, 2, 0, 0, 0, 0, 5, 0, 0, 0, 0, 5, 0, 3, 0, 3, 0, 0, 7, 0, 1],
      [0, 2, 2, 0, 0, 0, 6, 0, 0, 0, 0, 5, 5, 4, 0, 3, 3, 0, 7, 7, 2],
    ]);
  });

  it("is read back by flamebearerToDiffTree", () =>
    fc.assert(
      fc.property(treeArbitrary, treeArbitrary, (left, right) => {
        const diff = diffTrees(left, right);
        expect(flamebearerToDiffTree(JSON.parse(JSON.stringify(diffTreeToFlamebearer(diff))))).toEqual(diff);
      }),
    ));

  it("draws nothing against nothing", () => {
    expect(diffTreeToFlamebearer(diffTrees(empty, empty)).levels).toEqual([[0, 0, 0, 0, 0, 0, 0]]);
  });

  it.for([
    ["left", draw("a", [-1]), draw("a")],
    ["right", draw("a"), draw("a", [-1])],
  ] as const)("refuses a negative value on the %s", ([, left, right]) => {
    expect(() => diffTreeToFlamebearer(diffTrees(left, right))).toThrow(
      expect.objectContaining({ code: "TREE_MALFORMED" }),
    );
  });

  it.for(["leftTicks", "rightTicks"] as const)("is refused with %s that are not the root's", (ticks) => {
    const flamebearer = diffTreeToFlamebearer(diffTrees(draw("a"), draw("b")));

    expect(() => flamebearerToDiffTree({ ...flamebearer, [ticks]: 9 })).toThrow(
      expect.objectContaining({ code: "TREE_MALFORMED" }),
    );
  });
});

describe("encodeTree", () => {
  it("writes the last child first", () => {
    const bytes = [0, 0, 1, 1, 0x61, 0, 2, 1, 0x63, 2, 0, 1, 0x62, 1, 0];

    expect(Array.from(encodeTree(draw("a  a\nb  c", [1, 2])))).toEqual(bytes);
  });

  it("writes nothing for a tree without values", () => {
    expect(encodeTree(empty)).toEqual(new Uint8Array());
    expect(decodeTree(new Uint8Array())).toEqual(empty);
  });

  it("is read back by decodeTree", () =>
    fc.assert(
      fc.property(treeArbitrary, (tree) => {
        expect(decodeTree(encodeTree(tree))).toEqual(tree);
      }),
    ));

  it("writes values up to 2^53 and names of more than 127 bytes", () => {
    const tree = draw("ü".repeat(100), [2n ** 53n]);

    expect(decodeTree(encodeTree(tree))).toEqual(tree);
  });

  it("refuses a negative value", () => {
    expect(() => encodeTree(draw("a", [-1]))).toThrow(expect.objectContaining({ code: "TREE_MALFORMED" }));
  });
});

describe("decodeTree", () => {
  const bytes = encodeTree(draw("a  a\nb  c", [1, 2]));

  it("refuses bytes that end at any place", () => {
    for (let length = 1; length < bytes.length; length++) {
      expect(() => decodeTree(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^(WIRE|TREE)_MALFORMED$/) }),
      );
    }
  });

  it.for<[string, number[], string]>([
    ["bytes behind the last node", [...bytes, 0], "TREE_MALFORMED"],
    ["a first node with a name", [1, 0x61, 0, 0], "TREE_MALFORMED"],
    ["a name that is not UTF-8", [0, 0, 1, 1, 0xff, 1, 0], "TREE_MALFORMED"],
    ["a self beyond int64", [0, ...new Array(9).fill(0x80), 1, 0], "TREE_MALFORMED"],
    ["more children than bytes", [0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f], "TREE_MALFORMED"],
    ["a name past the end", [0, 0, 1, 0x7f, 0x61, 0x61], "WIRE_MALFORMED"],
    ["a number of 11 bytes", [0, ...new Array(10).fill(0x80), 1], "WIRE_MALFORMED"],
  ])("refuses %s", ([, malformed, code]) => {
    expect(() => decodeTree(Uint8Array.from(malformed))).toThrow(
      expect.objectContaining({ name: "ProtocolError", code }),
    );
  });

  it("accepts as many nodes and as long a name as allowed and refuses more", () => {
    const long = encodeTree(draw("four"));

    expect(() => decodeTree(bytes, { maxNodes: 4 })).not.toThrow();
    expect(() => decodeTree(bytes, { maxNodes: 3 })).toThrow(
      expect.objectContaining({ limit: { name: "maxNodes", actual: 4, limit: 3 } }),
    );
    expect(() => decodeTree(long, { maxNameBytes: 4 })).not.toThrow();
    expect(() => decodeTree(long, { maxNameBytes: 3 })).toThrow(
      expect.objectContaining({ code: "PPROF_LIMIT" }),
    );
  });

  it("reads a stack of 100,000 frames", () => {
    const depth = 100_000;
    const nodes = [
      0,
      0,
      1,
      ...Array.from({ length: depth }, (_, i) => [
        1,
        0x61 + (i % 2),
        i === depth - 1 ? 1 : 0,
        i === depth - 1 ? 0 : 1,
      ]).flat(),
    ];

    const tree = decodeTree(Uint8Array.from(nodes));

    expect(tree.level.at(-1)).toBe(depth);
    expect(encodeTree(tree)).toEqual(Uint8Array.from(nodes));
    expect(treeToFlamebearer(tree).levels).toHaveLength(depth + 1);
  });

  it("answers any bytes with a tree or a coded error", () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (random) => {
        const decode = () => decodeTree(Uint8Array.from([0, 0, 2, ...random]));
        expect(outcomeOf(decode)).toMatch(/^(tree|TREE_MALFORMED|WIRE_MALFORMED)$/);
      }),
      { numRuns: 2_000 },
    ));
});

function outcomeOf(decode: () => Tree): string {
  try {
    decode();
    return "tree";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}
