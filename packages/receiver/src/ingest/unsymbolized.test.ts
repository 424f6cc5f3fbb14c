import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { describe, expect, it } from "vitest";
import { isUnsymbolized } from "./unsymbolized.ts";

const drawn = (leaves: string) => profileFromText(leaves);

describe("isUnsymbolized", () => {
  it.for([
    { names: "main a b c d e f 0x1 0x2 0x7f3A", isBare: false },
    { names: "main a b c d e 0x1 0x2 0x7f3A 0xffffffffffffffff", isBare: true },
    { names: "main 0xyz 0x1g x0x1", isBare: false },
  ])("of $names is $isBare", ({ names, isBare }) => {
    expect(isUnsymbolized(drawn(names.split(" ").join("\n")))).toBe(isBare);
  });

  it("counts locations without lines", () => {
    const profile = drawn("main\nwork");
    const bare = { ...profile, locations: { ...profile.locations, lineStart: new Uint32Array(3) } };

    expect([isUnsymbolized(profile), isUnsymbolized(bare)]).toEqual([false, true]);
  });
});
