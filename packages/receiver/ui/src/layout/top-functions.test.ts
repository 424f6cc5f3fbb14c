import { describe, expect, it } from "vitest";
import { treeFromStacks } from "../testing/tree-from-stacks.ts";
import { listFunctions, sortFunctions } from "./top-functions.ts";

const rows = listFunctions(treeFromStacks({ "main;loop;loop": 3, "main;loop": 2, "main;a": 2, b: 3 }));
const values = (name: string): readonly (number | undefined)[] => {
  const row = rows.find((candidate) => candidate.name === name);
  return [row?.self, row?.total];
};

describe("listFunctions", () => {
  it("adds up the frames of each function, without the root", () => {
    expect(values("main")).toEqual([0, 7]);
    expect(values("b")).toEqual([3, 3]);
    expect(values("total")).toEqual([undefined, undefined]);
  });

  it("counts a function that calls itself once in its total", () => {
    expect(values("loop")).toEqual([5, 5]);
  });
});

describe("sortFunctions", () => {
  const names = (column: "self" | "total" | "name", isDescending: boolean): readonly string[] =>
    sortFunctions(rows, { column, isDescending }).map(({ name }) => name);

  it("sorts by any column in both directions, equal values by name", () => {
    expect(names("self", true)).toEqual(["loop", "b", "a", "main"]);
    expect(names("total", false)).toEqual(["a", "b", "loop", "main"]);
    expect(names("name", true)).toEqual(["main", "loop", "b", "a"]);
  });
});
