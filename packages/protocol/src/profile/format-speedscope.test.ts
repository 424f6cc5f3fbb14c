import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stackListArbitrary } from "../testing/profile.fixture.ts";
import { stacksFromText } from "../testing/profile-from-text.ts";
import { buildTree } from "./build-tree.ts";
import { formatSpeedscope } from "./format-speedscope.ts";

const OPTIONS = { name: "cpu", unit: "nanoseconds" };

describe("formatSpeedscope", () => {
  it("writes a sample for each node with a value of its own", () => {
    const tree = buildTree(stacksFromText("main  main    main\n      handle  idle", [5, 3, 2]));

    const file = JSON.parse(formatSpeedscope(tree, OPTIONS));

    const names = file.shared.frames.map(({ name }: { name: string }) => name);
    const [profile] = file.profiles;
    expect(file.$schema).toBe("https://www.speedscope.app/file-format-schema.json");
    expect(profile).toMatchObject({ type: "sampled", unit: "nanoseconds", startValue: 0, endValue: 10 });
    expect(profile.samples.map((stack: number[]) => stack.map((frame) => names[frame]).join(";"))).toEqual([
      "main",
      "main;handle",
      "main;idle",
    ]);
    expect(profile.weights).toEqual([5, 3, 2]);
  });

  it("says none for a unit that the format has no word for", () => {
    const file = JSON.parse(formatSpeedscope(buildTree(stacksFromText("a")), { name: "x", unit: "count" }));

    expect(file.profiles[0].unit).toBe("none");
  });

  it("is a whole file for a tree without values", () => {
    const file = JSON.parse(formatSpeedscope(buildTree(stacksFromText("")), OPTIONS));

    expect(file.profiles[0]).toMatchObject({ endValue: 0, samples: [], weights: [] });
  });

  it("conserves the total, and names only frames that exist", () =>
    fc.assert(
      fc.property(stackListArbitrary.map(buildTree), (tree) => {
        const { shared, profiles } = JSON.parse(formatSpeedscope(tree, OPTIONS));
        const weights: number[] = profiles[0].weights;
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(tree.total[0]);
        expect(profiles[0].samples.flat().every((frame: number) => frame < shared.frames.length)).toBe(true);
      }),
    ));
});
