import { describe, expect, it } from "vitest";
import { buildTree } from "../profile/build-tree.ts";
import { diffTrees } from "../profile/diff-trees.ts";
import { formatTree } from "./format-tree.ts";
import { profileFromText, stacksFromText } from "./profile-from-text.ts";

describe("profileFromText", () => {
  it("reads a column as a sample, the root on top", () => {
    const profile = profileFromText(
      `
        main    main    main
        handle  handle  idle
        parse   a b
      `,
      { values: [1, 2, 4n], labels: [{ route: "/cart" }] },
    );

    expect(formatTree(profile)).toEqual([
      "main total 7 self 0",
      "  handle total 3 self 0",
      "    a b total 2 self 2",
      "    parse total 1 self 1",
      "  idle total 4 self 4",
    ]);
    expect(profile.labels.length).toBe(1);
  });

  it("sums equal columns", () => {
    expect(profileFromText("main  main").samples.length).toBe(1);
  });

  it("refuses a name that stands under no column", () => {
    expect(() => profileFromText("main  idle\n parse")).toThrow('"parse" begins at 1, expected one of 0,6');
  });
});

describe("formatTree", () => {
  it("draws both sides of a diff", () => {
    const [left, right] = [
      buildTree(stacksFromText("main\nparse", [3])),
      buildTree(stacksFromText("main", [4])),
    ];

    expect(formatTree(diffTrees(left, right))).toEqual([
      "main total 3 | 4 self 0 | 4",
      "  parse total 3 | 0 self 3 | 0",
    ]);
  });
});
