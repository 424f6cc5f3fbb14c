import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalSamples, profilesArbitrary } from "../testing/profile.fixture.ts";
import { checkProfile } from "./check-profile.ts";
import { mergeProfiles } from "./merge-profiles.ts";
import { pickSamples } from "./pick-samples.ts";

describe("pickSamples", () => {
  it("cuts a profile into profiles that add up to it, each with only the symbols of its samples", () =>
    fc.assert(
      fc.property(profilesArbitrary(1), fc.nat(), ([profile], seed) => {
        const rows = Array.from({ length: profile!.samples.length }, (_, row) => row);
        const isFirst = (row: number) => ((row * 7 + seed) & 1) === 0;

        const parts = [isFirst, (row: number) => !isFirst(row)].map((isIn) =>
          pickSamples(profile!, rows.filter(isIn)),
        );

        for (const part of parts) {
          checkProfile(part);
          expect(new Set(part.samples.location).size).toBe(part.locations.length);
        }
        expect(canonicalSamples(mergeProfiles(parts))).toEqual(canonicalSamples(mergeProfiles([profile!])));
      }),
    ));
});
