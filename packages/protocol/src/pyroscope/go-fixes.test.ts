import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkProfile } from "../profile/check-profile.ts";
import type { Profile } from "../profile/profile.ts";
import { ProfileBuilder } from "../profile/profile-builder.ts";
import { totalValues } from "../profile/total-values.ts";
import { fixGoProfile } from "./go-fixes.ts";

/** A profile of stacks, root first, each with the value 1 for each time that it stands there. */
function profileOf(
  stacks: readonly (readonly string[])[],
  { type = "cpu", file = "main.go" }: { readonly type?: string; readonly file?: string } = {},
): Profile {
  const builder = new ProfileBuilder({ sampleTypes: [{ type, unit: "nanoseconds" }] });
  for (const stack of stacks) {
    const locations = stack.map((name) =>
      builder.location({ lines: [{ function: builder.function({ name, systemName: name, file }) }] }),
    );
    builder.addSample(locations.reverse(), [1n]);
  }
  return builder.build();
}

/** Stacks as text, root first. */
function stacksOf({ samples, locations, lines, functions, strings }: Profile): readonly string[] {
  const nameOf = (location: number) =>
    strings[functions.name[lines.function[locations.lineStart[location]!]!]!] ?? "";
  return Array.from({ length: samples.length }, (_, row) =>
    Array.from(samples.location.subarray(samples.locationStart[row], samples.locationStart[row + 1]), nameOf)
      .reverse()
      .join(";"),
  );
}

/** `f0` to `f<count - 1>`. */
const frames = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `f${from + i}`);

describe("fixGoProfile of names", () => {
  it.for([
    ["sync/atomic.(*Pointer[go.shape.struct { x int }]).Store", "sync/atomic.(*Pointer[...]).Store"],
    ["a.Map[go.shape.string,go.shape.[]uint8].Get", "a.Map[...].Get"],
    ["a.Get[go.shape.int", "a.Get[go.shape.int"],
    ["a.Get[int]", "a.Get[int]"],
    ["main", "main"],
  ] as const)("names %s without its type parameters", ([name, expected]) => {
    const fixed = fixGoProfile(profileOf([[name]]));

    expect(stacksOf(fixed)).toEqual([expected]);
    expect(fixed.strings[fixed.functions.systemName[0]!]).toBe(expected);
    checkProfile(fixed);
  });

  it("gives instances of one function one name, which may stand there already", () => {
    const fixed = fixGoProfile(profileOf([["Get[go.shape.int]"], ["Get[go.shape.string]"], ["Get[...]"]]));

    expect(stacksOf(fixed)).toEqual(["Get[...]", "Get[...]", "Get[...]"]);
    expect(new Set(fixed.functions.name).size).toBe(1);
    expect(totalValues(fixed)).toEqual([3n]);
  });

  it("leaves other languages alone", () => {
    const profile = profileOf([["Get[go.shape.int]"]], { file: "main.js" });

    expect(fixGoProfile(profile)).toBe(profile);
  });
});

describe("fixGoProfile of stacks that were cut", () => {
  const whole = frames(64);

  it("completes a stack by another one that overlaps by 16 frames", () => {
    // Go cuts the root side: 64 frames of a stack of 72 are left.
    const cut = [...frames(57, 7), ...frames(7, 1000)];
    const fixed = fixGoProfile(profileOf([whole, cut]));

    expect(stacksOf(fixed)).toEqual([whole.join(";"), [...frames(7), ...cut].join(";")]);
    expect(totalValues(fixed)).toEqual([2n]);
    checkProfile(fixed);
  });

  it("completes a stack by several others", () => {
    const second = frames(64, 8);
    const third = frames(64, 16);

    expect(stacksOf(fixGoProfile(profileOf([whole, second, third])))).toEqual([
      whole.join(";"),
      frames(72).join(";"),
      frames(80).join(";"),
    ]);
  });

  it.for([
    ["no stack is as deep as the limit", [frames(59), frames(50, 7)], "cpu"],
    ["the overlap is 15 frames", [frames(23), [...frames(15, 8), ...frames(49, 1000)]], "cpu"],
    ["nothing has more frames at the root", [whole, [...frames(63), "other"]], "cpu"],
    ["a function calls itself without end", [Array<string>(64).fill("f")], "cpu"],
    ["it is no profile of CPU or heap", [whole, frames(64, 7)], "delay"],
    ["a heap profile has deeper stacks: Go 1.23", [frames(33), frames(32, 7)], "inuse_space"],
  ] as const)("leaves stacks as they are where %s", ([, stacks, type]) => {
    const profile = profileOf(stacks, { type });

    expect(stacksOf(fixGoProfile(profile))).toEqual(stacks.map((stack) => stack.join(";")));
  });

  it("completes stacks of the heap, which are cut at 32", () => {
    const fixed = fixGoProfile(profileOf([frames(32), frames(32, 7)], { type: "inuse_space" }));

    expect(stacksOf(fixed)).toEqual([frames(32).join(";"), frames(39).join(";")]);
  });

  it.for([
    [4094, 71],
    [4095, 64],
  ] as const)(
    "looks for roots among at most 4,096 of them: with %d others a stack has %d frames",
    ([others, depth]) => {
      const root = (i: number) => Array.from({ length: 24 }, (_, bit) => `r${(i >> bit) & 1}`);
      const profile = profileOf([whole, frames(64, 7), ...Array.from({ length: others }, (_, i) => root(i))]);

      expect(stacksOf(fixGoProfile(profile))[1]?.split(";")).toHaveLength(depth);
    },
  );

  it("keeps every sample with its frames and its value, whatever the stacks are", () => {
    const stack = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 70 });
    fc.assert(
      fc.property(fc.array(stack, { minLength: 1, maxLength: 8 }), (stacks) => {
        const profile = profileOf([...stacks, whole]);
        const fixed = fixGoProfile(profile);

        checkProfile(fixed);
        expect(totalValues(fixed)).toEqual(totalValues(profile));
        const [before, after] = [stacksOf(profile), stacksOf(fixed)];
        expect(after.every((text, row) => text.endsWith(before[row]!))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
