import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../errors.ts";
import { buildTree } from "../profile/build-tree.ts";
import { checkProfile } from "../profile/check-profile.ts";
import type { Profile } from "../profile/profile.ts";
import { profileToStackList } from "../profile/profile-stacks.ts";
import { totalValues } from "../profile/total-values.ts";
import { formatTree } from "../testing/format-tree.ts";
import { decodeSpeedscope, type NamedProfile } from "./decode-speedscope.ts";
import { decodeStacks } from "./decode-stacks.ts";
import { toBytes } from "./format-bytes.fixture.ts";
import { DEFAULT_FORMAT_LIMITS } from "./format-limits.ts";

const $schema = "https://www.speedscope.app/file-format-schema.json";
const frames = [{ name: "main", file: "main.js", line: 7 }, { name: "handle" }, { name: "idle" }];
const sampled = (rest: object = {}) => ({
  type: "sampled",
  name: "thread",
  unit: "milliseconds",
  startValue: 0,
  endValue: 10,
  samples: [[0, 1], [0], [], [0, 1]],
  weights: [1, 2, 100, 4],
  ...rest,
});
const evented = (
  events: readonly (readonly [type: string, frame: number, at: number])[],
  rest: object = {},
) => ({
  type: "evented",
  name: "thread",
  unit: "milliseconds",
  startValue: 0,
  endValue: 10,
  events: events.map(([type, frame, at]) => ({ type, frame, at })),
  ...rest,
});

const encode = (file: unknown) => toBytes(JSON.stringify(file));
const fileOf = (...profiles: readonly unknown[]) => encode({ $schema, shared: { frames }, profiles });

function decode(
  bytes: Uint8Array,
  { appName = "shop.cpu", sampleRateHz = 100 } = {},
): readonly NamedProfile[] {
  return decodeSpeedscope(bytes, { appName, sampleRateHz });
}

const totals = (profiles: readonly NamedProfile[]) => profiles.map(({ profile }) => totalValues(profile)[0]);
const draw = (profile: Profile) => formatTree(buildTree(profileToStackList(profile, 0))).join("\n");
const show = (profiles: readonly NamedProfile[]) => profiles.map(({ profile }) => draw(profile));
const header = { sampleType: { type: "cpu", unit: "nanoseconds" } };
const folded = (text: string) => draw(decodeStacks("groups", toBytes(text), header));

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "none";
}

describe("decodeSpeedscope", () => {
  it("reads sampled profiles, root first, without idle time", () => {
    const profiles = decode(fileOf(sampled()));

    expect(show(profiles)).toEqual([folded("main;handle 5000000\nmain 2000000")]);
    expect(profiles[0]).toMatchObject({
      name: "thread",
      type: { serviceName: "shop", profileName: "process_cpu" },
    });
    expect(profiles[0]?.profile).toMatchObject({ sampleTypes: [{ type: "cpu", unit: "nanoseconds" }] });
  });

  it("reads evented profiles: the time between events belongs to the open frames", () => {
    const profiles = decode(
      fileOf(
        evented([
          ["O", 0, 1],
          ["O", 1, 2],
          ["C", 1, 5],
          ["O", 2, 5.5],
          ["C", 2, 6],
        ]),
      ),
    );

    // The root stays open to the end of the profile.
    expect(show(profiles)).toEqual([folded("main;handle 3000000\nmain 5500000\nmain;idle 500000")]);
  });

  it("keeps files and lines of frames", () => {
    const [named] = decode(fileOf(sampled()));

    expect(named?.profile.strings).toContain("main.js");
    expect(named?.profile.lines.line).toContain(7n);
  });

  it.for([
    ["nanoseconds", 7n],
    ["microseconds", 7_000n],
    ["milliseconds", 7_000_000n],
    ["seconds", 7_000_000_000n],
    ["none", 70_000_000n],
  ] as const)("gives %s their exact time", ([unit, total]) => {
    expect(totals(decode(fileOf(sampled({ unit }))))).toEqual([total]);
  });

  it("takes samples of unit none for as long as the sample rate says", () => {
    expect(totals(decode(fileOf(sampled({ unit: "none" })), { sampleRateHz: 1000 }))).toEqual([7_000_000n]);
    expect(totals(decode(fileOf(sampled({ unit: "none" })), { sampleRateHz: 0 }))).toEqual([7n]);
  });

  it("keeps bytes as they are", () => {
    const [named] = decode(fileOf(sampled({ unit: "bytes" })), { appName: "shop.alloc_space" });

    expect(named?.profile.sampleTypes).toEqual([{ type: "alloc_space", unit: "bytes" }]);
    expect(totals([named as NamedProfile])).toEqual([7n]);
  });

  it("keeps fractions of milliseconds", () => {
    expect(totals(decode(fileOf(sampled({ weights: [0.25, 0.5, 9, 0.125] }))))).toEqual([875_000n]);
  });

  it("joins profiles of equal name, type, unit and start", () => {
    expect(totals(decode(fileOf(sampled(), sampled())))).toEqual([14_000_000n]);
  });

  it("gives each of several profiles the type that its unit says, in the order of their starts", () => {
    const profiles = decode(
      fileOf(
        sampled({ name: "late", startValue: 5 }),
        sampled({ name: "early", unit: "bytes", startValue: 1 }),
      ),
      { appName: "my.shop" },
    );

    expect(
      profiles.map(({ name, type }) => [name, type.serviceName, type.profileName, type.sampleType]),
    ).toEqual([
      ["early", "my.shop", "memory", { type: "samples", unit: "bytes" }],
      ["late", "my.shop", "wall", { type: "wall", unit: "nanoseconds" }],
    ]);
  });

  it("refuses an application name without a type for a single profile", () => {
    expect(messageOf(() => decode(fileOf(sampled()), { appName: "my.shop" }))).toBe(
      "TEXT_PROFILE_TYPE_INVALID: unknown profile type: shop",
    );
  });

  it.for([
    ["another schema", encode({ $schema: "x" }), 'Unknown schema: "x"'],
    ["no schema", encode({}), "Unknown schema: missing"],
    ["an unknown unit", fileOf(sampled({ unit: "hours" })), 'profile 0: unit is "hours"'],
    ["an unknown type", fileOf(sampled({ type: "x" })), 'profile 0: type is "x"'],
    ["weights that do not match", fileOf(sampled({ weights: [1] })), "profile 0: 4 samples and 1 weights"],
    [
      "a frame out of range",
      fileOf(sampled({ samples: [[3]], weights: [1] })),
      "frame 3: expected a number below 3",
    ],
    ["a weight that is text", fileOf(sampled({ samples: [[0]], weights: ["1"] })), 'weight 0 is "1"'],
    [
      "a sample that is no array",
      fileOf(sampled({ samples: [0], weights: [1] })),
      "sample 0: expected an array",
    ],
    [
      "an event that goes back",
      fileOf(
        evented([
          ["O", 0, 2],
          ["C", 0, 1],
        ]),
      ),
      "event 1: at 1 lies before",
    ],
    [
      "a close of another frame",
      fileOf(
        evented([
          ["O", 0, 1],
          ["C", 1, 2],
        ]),
      ),
      "event 1 closes frame 1",
    ],
    ["a close of nothing", fileOf(evented([["C", 0, 1]])), "event 0 closes frame 0"],
    [
      "an unknown event",
      fileOf(
        evented([
          ["O", 0, 1],
          ["X", 0, 2],
        ]),
      ),
      "event 1 closes frame 0",
    ],
    ["frames that are missing", encode({ $schema, shared: {}, profiles: [] }), "shared.frames is missing"],
    ["text that is no JSON", toBytes("{"), "speedscope file is not JSON"],
    ["bytes that are no text", new Uint8Array([0xff]), "speedscope file is not JSON: it is not UTF-8"],
  ] as const)("refuses %s", ([, bytes, message]) => {
    expect(messageOf(() => decode(bytes))).toContain(`FORMAT_MALFORMED: ${message}`);
  });

  it("refuses a weight that no int64 holds", () => {
    expect(messageOf(() => decode(fileOf(sampled({ weights: [1e300, 0, 0, 0] }))))).toContain(
      "PROFILE_OVERFLOW",
    );
  });

  it("refuses a file cut at every byte", () => {
    const bytes = fileOf(sampled());
    for (let end = 0; end < bytes.length; end++) {
      expect(messageOf(() => decode(bytes.subarray(0, end)))).toMatch(/^FORMAT_MALFORMED/);
    }
  });

  it("gives sound profiles or an error of ours for any JSON in any place", () => {
    const profile = fc.oneof(
      fc.jsonValue(),
      fc.record({ ...asArbitraries(sampled()), samples: fc.jsonValue() }),
    );
    fc.assert(
      fc.property(fc.array(profile, { maxLength: 3 }), fc.jsonValue(), (profiles, weights) => {
        const file = { $schema, shared: { frames }, profiles: [...profiles, sampled({ weights })] };

        expect(
          messageOf(() => {
            for (const named of decode(encode(file))) checkProfile(named.profile);
          }),
        ).toMatch(/^(none|FORMAT_|PROFILE_OVERFLOW)/);
      }),
    );
  });
});

function asArbitraries(object: object): Record<string, fc.Arbitrary<unknown>> {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, fc.constant(value as unknown)]),
  );
}

describe("decodeSpeedscope of a file that is made to be slow", () => {
  it("takes a hundred thousand frames that are open at once for no time", () => {
    const depth = 100_000;
    const open = Array.from({ length: depth }, () => ["O", 0, 0] as const);
    const close = Array.from({ length: depth }, () => ["C", 0, 0] as const);

    // The test's own time-out is the limit: to copy the open frames at each event took minutes.
    expect(totals(decode(fileOf(evented([...open, ...close]))))).toEqual([0n]);
  });

  it("bounds the profiles of one file, equal ones taken together", () => {
    const threads = (...names: readonly string[]) => fileOf(...names.map((name) => sampled({ name })));
    const limits = { ...DEFAULT_FORMAT_LIMITS, maxProfiles: 2 };
    const decodeWithin = (file: Uint8Array) =>
      decodeSpeedscope(file, { appName: "shop.cpu", sampleRateHz: 100 }, limits);

    expect(decodeWithin(threads("a", "b", "a")).length).toBe(2);
    expect(messageOf(() => decodeWithin(threads("a", "b", "c")))).toBe(
      "FORMAT_LIMIT: decoding a profile: maxProfiles: actual 3, limit 2",
    );
  });
});
