import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stackListArbitrary } from "../testing/profile.fixture.ts";
import { stacksFromText } from "../testing/profile-from-text.ts";
import { buildTree } from "./build-tree.ts";
import { formatCollapsed } from "./format-collapsed.ts";

describe("formatCollapsed", () => {
  it("writes a line for each node with a value of its own", () => {
    expect(
      formatCollapsed(buildTree(stacksFromText("main  main    main\n      handle  idle", [5, 3, 2 ** 40]))),
    ).toBe(`main 5\nmain;handle 3\nmain;idle ${2 ** 40}\n`);
  });

  it("replaces what would break a line", () => {
    const names = ["a;b", "c\nd", "e\r\u2028\u0085\u001bf", "g h"];
    const stacks = {
      length: 1,
      names,
      frameStart: Uint32Array.of(0, 4),
      frame: Uint32Array.of(0, 1, 2, 3),
      value: Float64Array.of(1),
    };

    expect(formatCollapsed(buildTree(stacks))).toBe("a:b;c d;e    f;g h 1\n");
  });

  it("writes the value of no frame under the root's name", () => {
    const stacks = {
      length: 1,
      names: [],
      frameStart: Uint32Array.of(0, 0),
      frame: new Uint32Array(),
      value: Float64Array.of(4),
    };

    expect(formatCollapsed(buildTree(stacks))).toBe("total 4\n");
    expect(formatCollapsed(buildTree(stacksFromText("")))).toBe("");
  });

  it("conserves the total", () =>
    fc.assert(
      fc.property(stackListArbitrary.map(buildTree), (tree) => {
        const values = formatCollapsed(tree)
          .split("\n")
          .filter(Boolean)
          .map((line) => Number(line.split(" ").at(-1)));
        expect(values.reduce((sum, value) => sum + value, 0)).toBe(tree.total[0]);
      }),
    ));
});
