import { describe, expect, it } from "vitest";
import { ProfileBuilder } from "./profile-builder.ts";
import { profileToStackList } from "./profile-stacks.ts";

describe("profileToStackList", () => {
  const builder = new ProfileBuilder({
    sampleTypes: [
      { type: "n", unit: "count" },
      { type: "cpu", unit: "nanoseconds" },
    ],
  });
  const lineOf = (name: string, line = 1) => ({
    function: builder.function({ name, file: `${name}.js` }),
    line,
  });
  const outer = builder.location({ lines: [lineOf("inlined"), lineOf("caller", 9)] });
  const addressOnly = builder.location({ address: 16n });
  const unknown = builder.location({ lines: [{ function: -1 }, lineOf("known")] });
  builder.addSample([addressOnly, unknown, outer], [1, -(2n ** 62n)]);
  builder.addSample([addressOnly], [3, 4]);
  const profile = builder.build();

  it("expands inlined frames, innermost last, and leaves out what has no function", () => {
    const stacks = profileToStackList(profile, 0);

    const names = Array.from(stacks.frame, (row) => stacks.names[row]);
    expect(names).toEqual(["caller", "inlined", "known"]);
    expect(stacks.frameStart).toEqual(Uint32Array.of(0, 3, 3));
    expect(stacks.value).toEqual(Float64Array.of(1, 3));
  });

  it("takes the values of the sample type asked for", () => {
    expect(profileToStackList(profile, 1).value).toEqual(Float64Array.of(-(2 ** 62), 4));
  });

  it("names frames as it is told to", () => {
    const stacks = profileToStackList(profile, 0, {
      frameName: ({ strings, functions, lines }, line) =>
        `${strings[functions.file[lines.function[line]!]!]}:${lines.line[line]}`,
    });

    expect(Array.from(stacks.frame, (row) => stacks.names[row])).toEqual([
      "caller.js:9",
      "inlined.js:1",
      "known.js:1",
    ]);
  });

  it("refuses a sample type that the profile does not have", () => {
    expect(() => profileToStackList(profile, 2)).toThrow(
      expect.objectContaining({ code: "PROFILE_BAD_INDEX" }),
    );
  });
});
