import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkProfile } from "../profile/check-profile.ts";
import { ProfileBuilder } from "../profile/profile-builder.ts";
import { profileArbitrary } from "../testing/profile.fixture.ts";
import { profileFromText } from "../testing/profile-from-text.ts";
import { decodePprof } from "./decode-pprof.ts";
import { encodePprof } from "./encode-pprof.ts";

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

describe("encodePprof", () => {
  it("writes what decodePprof reads back", () =>
    fc.assert(
      fc.property(profileArbitrary(), (profile) => {
        const decoded = decodePprof(encodePprof(profile));
        checkProfile(decoded);
        expect(decoded).toEqual(profile);
      }),
    ));

  it("writes values of the whole range of int64", () =>
    fc.assert(
      fc.property(int64, (value) => {
        const builder = new ProfileBuilder({
          sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
          period: value,
        });
        builder.addSample([], [value], [{ key: "n", number: value }]);
        const profile = builder.build();
        expect(decodePprof(encodePprof(profile))).toEqual(profile);
      }),
    ));

  it("gives equal bytes for equal profiles", () => {
    const draw = () => profileFromText("main   main\nparse  query");

    expect(encodePprof(draw())).toEqual(encodePprof(draw()));
  });

  it("adds texts of the header that the string table lacks", () => {
    const profile = {
      ...profileFromText("main"),
      comments: ["new", "main", "new"],
      defaultSampleType: "newer",
    };

    const decoded = decodePprof(encodePprof(profile));

    expect(decoded.comments).toEqual(["new", "main", "new"]);
    expect(decoded.defaultSampleType).toBe("newer");
    expect(decoded.strings).toEqual([...profile.strings, "new", "newer"]);
  });

  it("writes messages of more than 127 and more than 16,383 bytes", () => {
    const builder = new ProfileBuilder({ sampleTypes: [{ type: "samples", unit: "count" }] });
    const locations = [100, 20_000].map((depth) =>
      Array.from({ length: depth }, (_, i) => builder.location({ address: BigInt(i + 1) })),
    );
    for (const stack of locations) builder.addSample(stack, [1]);
    builder.string("x".repeat(20_000));
    const profile = builder.build();

    expect(decodePprof(encodePprof(profile))).toEqual(profile);
  });
});
