import { describe, expect, it } from "vitest";
import { generateProfile } from "../testing/generated-profile.fixture.ts";
import { profileFromText } from "../testing/profile-from-text.ts";
import { checkProfile } from "./check-profile.ts";
import { NO_MAPPING, type Profile } from "./profile.ts";
import { ProfileBuilder } from "./profile-builder.ts";
import { selectSampleType, splitSampleTypes } from "./select-sample-type.ts";
import { totalValues } from "./total-values.ts";

const SAMPLE_TYPES = [
  { type: "inuse_objects", unit: "count" },
  { type: "inuse_space", unit: "bytes" },
];
const createBuilder = () => new ProfileBuilder({ sampleTypes: SAMPLE_TYPES });

describe("ProfileBuilder", () => {
  it("keeps one row of what is added twice", () => {
    const builder = createBuilder();
    const add = () => {
      const mapping = builder.mapping({ start: 1n, file: "node" });
      const row = builder.function({ name: "main", file: "main.js", startLine: 3 });
      return builder.location({ mapping, address: 2n ** 63n, lines: [{ function: row, line: 4 }] });
    };

    expect(add()).toBe(add());
    builder.addSample([add()], [1, 8]);
    builder.addSample([add()], [1, 16n]);

    const profile = builder.build();
    checkProfile(profile);
    expect(profile.samples.length).toBe(1);
    expect(totalValues(profile)).toEqual([2n, 24n]);
    expect(
      [profile.mappings, profile.functions, profile.locations, profile.lines].map(({ length }) => length),
    ).toEqual([1, 1, 1, 1]);
    expect(profile.locations.address).toEqual(BigUint64Array.of(2n ** 63n));
  });

  it("tells apart what differs in one field only", () => {
    const builder = createBuilder();
    const functions = [
      { name: "a" },
      { name: "a", systemName: "a" },
      { name: "a", file: "a" },
      { name: "a", startLine: 1 },
    ];
    const row = builder.function({ name: "a" });
    const mapping = builder.mapping({});
    const locations = [
      {},
      { address: 1n },
      { address: 2n ** 32n },
      { mapping },
      { isFolded: true },
      { lines: [{ function: row }] },
      { lines: [{ function: row, line: 1 }] },
      { lines: [{ function: row }, { function: row }] },
    ];

    expect(new Set(functions.map((input) => builder.function(input))).size).toBe(functions.length);
    expect(new Set(locations.map((input) => builder.location(input))).size).toBe(locations.length);
  });

  it("keeps samples apart that differ in one field of a label", () => {
    const builder = createBuilder();
    const labels = [
      { key: "a" },
      { key: "b" },
      { key: "a", text: "a" },
      { key: "a", number: 1 },
      { key: "a", unit: "a" },
    ];

    for (const label of labels) builder.addSample([], [1, 1], [label]);
    builder.addSample([], [1, 1]);
    builder.addSample([], [1, 1], [{ key: "a" }, { key: "a" }]);

    expect(builder.build().samples.length).toBe(labels.length + 2);
  });

  it("returns a profile that later samples do not change", () => {
    const builder = createBuilder();
    builder.addSample([builder.location({ address: 1n })], [1, 1]);
    const profile = builder.build();
    const before = structuredClone(profile);

    builder.addSample([builder.location({ address: 2n })], [1, 1], [{ key: "a", text: "b" }]);
    builder.addSample([builder.location({ address: 1n })], [1, 1]);

    expect(profile).toEqual(before);
    expect(builder.build().samples.length).toBe(2);
  });

  it("gives a location without mapping none", () => {
    const builder = createBuilder();
    builder.location({ address: 1n });

    expect(builder.build().locations.mapping).toEqual(Int32Array.of(NO_MAPPING));
  });

  it("builds an empty profile", () => {
    checkProfile(createBuilder().build());
  });

  it.for<[string, (builder: ProfileBuilder) => unknown, string]>([
    [
      "a function that was not added",
      (builder) => builder.location({ lines: [{ function: 0 }] }),
      "PROFILE_BAD_INDEX",
    ],
    ["a mapping that was not added", (builder) => builder.location({ mapping: 0 }), "PROFILE_BAD_INDEX"],
    ["a location that was not added", (builder) => builder.addSample([0], [1, 1]), "PROFILE_BAD_INDEX"],
    ["too few values", (builder) => builder.addSample([], [1]), "PROFILE_MISMATCH"],
    ["too many values", (builder) => builder.addSample([], [1, 2, 3]), "PROFILE_MISMATCH"],
    ["a value beyond int64", (builder) => builder.addSample([], [1, 2n ** 63n]), "PROFILE_OVERFLOW"],
    ["a value below int64", (builder) => builder.addSample([], [1, -(2n ** 63n) - 1n]), "PROFILE_OVERFLOW"],
    ["a value that is not whole", (builder) => builder.addSample([], [1, 0.5]), "PROFILE_OVERFLOW"],
    ["a number beyond 2^53", (builder) => builder.addSample([], [1, 2 ** 53]), "PROFILE_OVERFLOW"],
  ])("refuses %s", ([, add, code]) => {
    expect(() => add(createBuilder())).toThrow(expect.objectContaining({ name: "ProtocolError", code }));
  });

  it("takes a hundred thousand different samples", () => {
    const profile = generateProfile(100_000);

    checkProfile(profile);
    expect(profile.samples.length).toBeGreaterThan(99_000);
  });
});

describe("selectSampleType", () => {
  const heap = (): Profile => {
    const builder = createBuilder();
    const locations = [1n, 2n, 3n].map((address) => builder.location({ address }));
    builder.addSample(locations, [1, 100], [{ key: "a", text: "b" }]);
    builder.addSample(locations.slice(1), [0, 50], [{ key: "c", number: 7 }]);
    builder.addSample([], [3, 0]);
    return builder.build();
  };

  it("keeps the samples that have a value of the type", () => {
    const selected = selectSampleType(heap(), 1);

    checkProfile(selected);
    expect(selected.sampleTypes).toEqual([SAMPLE_TYPES[1]]);
    expect(selected.samples.values).toEqual(BigInt64Array.of(100n, 50n));
    expect(selected.samples.location).toEqual(Uint32Array.of(0, 1, 2, 1, 2));
    expect(selected.labels.number).toEqual(BigInt64Array.of(0n, 7n));
  });

  it("gives profiles whose totals are those of the whole", () => {
    const whole = heap();

    expect(splitSampleTypes(whole).flatMap(totalValues)).toEqual(totalValues(whole));
  });

  it.for([-1, 2, 0.5])("refuses sample type %d", (index) => {
    expect(() => selectSampleType(heap(), index)).toThrow(
      expect.objectContaining({ code: "PROFILE_BAD_INDEX" }),
    );
  });
});

describe("checkProfile", () => {
  const good = profileFromText("main   main\nparse  query", { labels: [{ route: "/cart" }] });

  it.for<[string, Partial<Profile>]>([
    ["a string 0 that is not empty", { strings: good.strings.slice(1) }],
    ["a string that comes twice", { strings: [...good.strings, "main"] }],
    ["too few values", { samples: { ...good.samples, values: new BigInt64Array(1) } }],
    ["too few offsets", { samples: { ...good.samples, locationStart: Uint32Array.of(0, 4) } }],
    [
      "offsets that do not begin at 0",
      { samples: { ...good.samples, locationStart: Uint32Array.of(1, 2, 4) } },
    ],
    ["offsets that descend", { samples: { ...good.samples, locationStart: Uint32Array.of(0, 5, 4) } }],
    ["offsets that end elsewhere", { samples: { ...good.samples, labelStart: Uint32Array.of(0, 1, 2) } }],
    [
      "a location that does not exist",
      { samples: { ...good.samples, location: Uint32Array.of(0, 1, 2, 3) } },
    ],
    [
      "a mapping that does not exist",
      { locations: { ...good.locations, mapping: Int32Array.of(-1, 0, -1) } },
    ],
    ["a row below the sentinel", { locations: { ...good.locations, mapping: Int32Array.of(-1, -2, -1) } }],
    ["a function that does not exist", { lines: { ...good.lines, function: Int32Array.of(0, 1, 3) } }],
    ["a name that does not exist", { functions: { ...good.functions, name: Uint32Array.of(1, 2, 99) } }],
    ["a label text that does not exist", { labels: { ...good.labels, text: Uint32Array.of(99) } }],
    ["a column that is too short", { labels: { ...good.labels, unit: new Uint32Array() } }],
  ])("refuses %s", ([, change]) => {
    expect(() => checkProfile(good)).not.toThrow();
    expect(() => checkProfile({ ...good, ...change })).toThrow(
      expect.objectContaining({ name: "ProtocolError", code: "PROFILE_BAD_INDEX" }),
    );
  });
});
