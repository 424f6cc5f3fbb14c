import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTree } from "../testing/format-tree.ts";
import { canonicalSamples, profileArbitrary, profilesArbitrary } from "../testing/profile.fixture.ts";
import { profileFromText } from "../testing/profile-from-text.ts";
import { checkProfile } from "./check-profile.ts";
import { diffProfiles, dropZeroSamples } from "./diff-profiles.ts";
import { mergeProfiles } from "./merge-profiles.ts";
import { ProfileBuilder } from "./profile-builder.ts";
import { totalValues } from "./total-values.ts";

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const withValue = (value: bigint) => profileFromText("main", { values: [value] });
const sum = (totals: readonly bigint[][]) => totals.reduce((a, b) => a.map((value, i) => value + b[i]!));

describe("mergeProfiles", () => {
  it("sums equal stacks and keeps others", () => {
    const merged = mergeProfiles([
      profileFromText("main   main\nparse  query", { values: [1, 2] }),
      profileFromText("main   idle\nquery", { values: [10, 20] }),
    ]);

    expect(merged.samples.length).toBe(3);
    expect(formatTree(merged)).toEqual([
      "idle total 20 self 20",
      "main total 13 self 0",
      "  parse total 1 self 1",
      "  query total 12 self 12",
    ]);
  });

  it("keeps samples apart that differ in a label, and not those whose labels only come in another order", () => {
    const [route, span] = [
      { key: "route", text: "/cart" },
      { key: "span_id", text: "1f" },
    ];
    const sample = (...labels: { key: string; text: string }[]) => {
      const builder = new ProfileBuilder({ sampleTypes: [{ type: "cpu", unit: "nanoseconds" }] });
      builder.addSample([], [1], labels);
      return builder.build();
    };

    const merged = mergeProfiles([sample(route, span), sample(span, route), sample(route), sample()]);

    expect(Array.from(merged.samples.values)).toEqual([2n, 1n, 1n]);
  });

  it("conserves every total", () =>
    fc.assert(
      fc.property(profilesArbitrary(3), (profiles) => {
        const merged = mergeProfiles(profiles);
        checkProfile(merged);
        expect(totalValues(merged)).toEqual(sum(profiles.map(totalValues)));
      }),
    ));

  it("is commutative", () =>
    fc.assert(
      fc.property(profilesArbitrary(2), ([a, b]) => {
        expect(canonicalSamples(mergeProfiles([a!, b!]))).toEqual(canonicalSamples(mergeProfiles([b!, a!])));
      }),
    ));

  it("is associative", () =>
    fc.assert(
      fc.property(profilesArbitrary(3), ([a, b, c]) => {
        const all = canonicalSamples(mergeProfiles([a!, b!, c!]));
        expect(canonicalSamples(mergeProfiles([mergeProfiles([a!, b!]), c!]))).toEqual(all);
        expect(canonicalSamples(mergeProfiles([a!, mergeProfiles([b!, c!])]))).toEqual(all);
      }),
    ));

  it("of one profile is that profile", () =>
    fc.assert(
      fc.property(profileArbitrary(), (profile) => {
        expect(canonicalSamples(mergeProfiles([profile]))).toEqual(canonicalSamples(profile));
      }),
    ));

  it("leaves its inputs as they were", () => {
    const profile = profileFromText("main");
    const before = structuredClone(profile);

    mergeProfiles([profile, profile]);

    expect(profile).toEqual(before);
  });

  it("takes the earliest time given, the sum of durations, the largest period and each comment once", () => {
    const draw = (timeUnixNanos: bigint, durationNanos: bigint, period: bigint, comments: string[]) =>
      profileFromText("main", { timeUnixNanos, durationNanos, period, comments });

    const merged = mergeProfiles([
      draw(0n, 5n, 1n, ["a"]),
      draw(9n, 6n, 7n, ["b", "a"]),
      draw(8n, 7n, 3n, []),
    ]);

    expect(merged).toMatchObject({ timeUnixNanos: 8n, durationNanos: 18n, period: 7n, comments: ["a", "b"] });
  });

  it("takes the first default sample type and frame expressions that are given", () => {
    const merged = mergeProfiles([
      profileFromText("main"),
      profileFromText("main", { defaultSampleType: "samples", dropFrames: "a", keepFrames: "b" }),
      profileFromText("main", { defaultSampleType: "other", dropFrames: "c", keepFrames: "d" }),
    ]);

    expect(merged).toMatchObject({ defaultSampleType: "samples", dropFrames: "a", keepFrames: "b" });
  });

  it("sums up to the end of int64 and refuses to go beyond", () => {
    expect(totalValues(mergeProfiles([withValue(INT64_MAX - 1n), withValue(1n)]))).toEqual([INT64_MAX]);
    expect(totalValues(mergeProfiles([withValue(INT64_MIN + 1n), withValue(-1n)]))).toEqual([INT64_MIN]);
    for (const [a, b] of [
      [INT64_MAX, 1n],
      [INT64_MIN, -1n],
      [INT64_MIN, INT64_MIN],
    ] as const) {
      expect(() => mergeProfiles([withValue(a), withValue(b)])).toThrow(
        expect.objectContaining({ code: "PROFILE_OVERFLOW" }),
      );
    }
  });

  it("refuses durations whose sum leaves int64", () => {
    const profile = profileFromText("main", { durationNanos: INT64_MAX });

    expect(() => mergeProfiles([profile, profile])).toThrow(
      expect.objectContaining({ code: "PROFILE_OVERFLOW" }),
    );
  });

  it.for([
    ["other sample types", { sampleTypes: [{ type: "cpu", unit: "nanoseconds" }] }],
    ["another period type", { periodType: { type: "cpu", unit: "nanoseconds" } }],
  ] as const)("refuses %s", ([, header]) => {
    expect(() => mergeProfiles([profileFromText("main"), profileFromText("main", header)])).toThrow(
      expect.objectContaining({ code: "PROFILE_MISMATCH" }),
    );
  });

  it("refuses no profiles", () => {
    expect(() => mergeProfiles([])).toThrow(expect.objectContaining({ code: "PROFILE_MISMATCH" }));
  });
});

describe("diffProfiles", () => {
  it("gives what the other profile has more, negative where it has less", () => {
    const base = profileFromText("main   main   main\nparse  query  idle", { values: [5, 2, 7] });
    const other = profileFromText("main   main  main\nparse  idle  spin", { values: [9, 7, 4] });

    const diff = diffProfiles(base, other);

    expect(diff.samples.length).toBe(3);
    expect(formatTree(diff)).toEqual([
      "main total 6 self 0",
      "  parse total 4 self 4",
      "  query total -2 self -2",
      "  spin total 4 self 4",
    ]);
    expect(diff.strings).not.toContain("idle");
  });

  it("of equals has no samples and no symbols", () =>
    fc.assert(
      fc.property(profileArbitrary(), (profile) => {
        const diff = diffProfiles(profile, profile);
        expect(diff.samples.length).toBe(0);
        expect([diff.locations.length, diff.functions.length, diff.labels.length]).toEqual([0, 0, 0]);
      }),
    ));

  it("has the difference of the totals", () =>
    fc.assert(
      fc.property(profilesArbitrary(2), ([base, other]) => {
        const diff = diffProfiles(base!, other!);
        checkProfile(diff);
        expect(sum([totalValues(base!), totalValues(diff)])).toEqual(totalValues(other!));
      }),
    ));

  it("merged with the base gives the other", () =>
    fc.assert(
      fc.property(profilesArbitrary(2), ([base, other]) => {
        const merged = mergeProfiles([base!, diffProfiles(base!, other!)]);
        expect(canonicalSamples(dropZeroSamples(merged))).toEqual(canonicalSamples(dropZeroSamples(other!)));
      }),
    ));

  it("subtracts the lowest int64", () => {
    expect(totalValues(diffProfiles(withValue(INT64_MIN), withValue(-1n)))).toEqual([INT64_MAX]);
    expect(() => diffProfiles(withValue(INT64_MIN), withValue(0n))).toThrow(
      expect.objectContaining({ code: "PROFILE_OVERFLOW" }),
    );
  });

  it("refuses other sample types", () => {
    const other = profileFromText("main", { sampleTypes: [{ type: "cpu", unit: "nanoseconds" }] });

    expect(() => diffProfiles(profileFromText("main"), other)).toThrow(
      expect.objectContaining({ code: "PROFILE_MISMATCH" }),
    );
  });
});
