import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildCutTree } from "./build-cut-tree.ts";
import { buildTree } from "./build-tree.ts";
import type { StackList } from "./tree.ts";
import { truncateTree } from "./truncate-tree.ts";

const NAMES = ["a", "b", "c", "other", "a", "total", "é"];

function toList(
  stacks: readonly { readonly frames: readonly number[]; readonly value: number }[],
): StackList {
  const frameStart = new Uint32Array(stacks.length + 1);
  stacks.forEach(({ frames }, i) => {
    frameStart[i + 1] = frameStart[i]! + frames.length;
  });
  return {
    length: stacks.length,
    names: NAMES,
    frameStart,
    frame: Uint32Array.from(stacks.flatMap(({ frames }) => frames)),
    value: Float64Array.from(stacks, ({ value }) => value),
  };
}

const anyStacks = (value: fc.Arbitrary<number>) =>
  fc
    .array(fc.record({ frames: fc.array(fc.nat(NAMES.length - 1), { maxLength: 6 }), value }), {
      maxLength: 40,
    })
    .map(toList);

describe("buildCutTree", () => {
  it.for([
    ["values of any size", fc.nat(1000)],
    ["many equal values", fc.nat(2)],
    ["negative values", fc.integer({ min: -5, max: 5 })],
  ] as const)("is the whole tree, truncated: %s", ([, value]) =>
    fc.assert(
      fc.property(anyStacks(value), fc.integer({ min: 1, max: 60 }), (stacks, maxNodes) => {
        expect(buildCutTree(stacks, maxNodes)).toEqual(truncateTree(buildTree(stacks), maxNodes));
      }),
      { numRuns: 500 },
    ),
  );

  it("tells how many nodes it will keep, before it does", () => {
    const stacks = toList(Array.from({ length: 5 }, (_, i) => ({ frames: [i, 0, 1], value: 1 })));
    const sizes: number[] = [];

    const tree = buildCutTree(stacks, 2, (size) => sizes.push(size));

    // The leaf for the rest comes on top.
    expect([sizes, tree.length]).toEqual([[4], 5]);
    expect(() =>
      buildCutTree(stacks, 2, () => {
        throw new Error("too many");
      }),
    ).toThrow("too many");
  });
});
