import { describe, expect, it } from "vitest";
import { layOutTree } from "../layout/flame-graph.ts";
import { diffFromStacks, findStack, treeFromStacks } from "../testing/tree-from-stacks.ts";
import { chooseTextColour, measureContrast } from "./colour.ts";
import { chooseDiffStep, diffColours, skinByChange, skinByName } from "./skin.ts";

const SCHEMES = ["light", "dark"] as const;
const PALETTES = ["red-green", "blue-orange"] as const;
const UNCHANGED = 5;

describe("skinByName", () => {
  it("gives one function one colour, whichever its line and graph", () => {
    const one = layOutTree(treeFromStacks({ "parse src/a.js:10": 1, "x;parse src/a.js:99": 1 }));
    const skin = skinByName(one, "light");

    expect(skin.fill[findStack(one, "parse src/a.js:10")]).toBe(
      skin.fill[findStack(one, "x;parse src/a.js:99")],
    );
  });

  it.for(SCHEMES)("keeps names readable on every colour, %s", (scheme) => {
    const { colours, dim, dimText } = skinByName(layOutTree(treeFromStacks({ a: 1 })), scheme);

    const contrasts = colours.map((colour) => measureContrast(colour, chooseTextColour(colour)));

    expect(Math.min(...contrasts)).toBeGreaterThanOrEqual(4.5);
    expect(measureContrast(dim, dimText)).toBeGreaterThanOrEqual(4.5);
  });
});

describe("diffColours", () => {
  it.for(SCHEMES.flatMap((scheme) => PALETTES.map((palette) => [palette, scheme] as const)))(
    "keeps names readable on every step of %s, %s",
    ([palette, scheme]) => {
      const contrasts = diffColours(palette, scheme).map((colour) =>
        measureContrast(colour, chooseTextColour(colour)),
      );

      expect(contrasts).toHaveLength(11);
      expect(Math.min(...contrasts)).toBeGreaterThanOrEqual(4.5);
    },
  );
});

describe("chooseDiffStep", () => {
  it("weighs a change by how much of the whole it is", () => {
    expect(chooseDiffStep(0)).toBe(UNCHANGED);
    expect(chooseDiffStep(0.25)).toBe(10);
    expect(chooseDiffStep(-1)).toBe(0);
    expect(chooseDiffStep(0.0001)).toBe(UNCHANGED);
    expect(chooseDiffStep(0.01)).toBeGreaterThan(UNCHANGED);
    expect(chooseDiffStep(0.01)).toBeLessThan(chooseDiffStep(0.1));
  });

  it("does not colour what is no number", () => {
    expect(chooseDiffStep(Number.NaN)).toBe(UNCHANGED);
  });
});

describe("skinByChange", () => {
  const options = { palette: "red-green", scheme: "light" } as const;

  it("colours what grew above and what shrank below the middle", () => {
    const diff = diffFromStacks({ grew: 10, shrank: 50, same: 40 }, { grew: 50, shrank: 10, same: 40 });
    const { fill } = skinByChange(diff, { left: 0.01, right: 0.01 }, options);

    expect(fill[findStack(diff, "grew")]).toBe(10);
    expect(fill[findStack(diff, "shrank")]).toBe(0);
    expect(fill[findStack(diff, "same")]).toBe(UNCHANGED);
    expect(fill[0]).toBe(UNCHANGED);
  });

  it("colours a comparison with nothing on one side", () => {
    const diff = diffFromStacks({}, { a: 1 });

    expect([...skinByChange(diff, { left: 0, right: 1 }, options).fill]).toEqual([10, 10]);
  });
});
