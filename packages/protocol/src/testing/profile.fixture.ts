import * as fc from "fast-check";
import type { Profile, ValueType } from "../profile/profile.ts";
import { type LabelInput, ProfileBuilder } from "../profile/profile-builder.ts";
import type { StackList } from "../profile/tree.ts";

// Few different names, so that stacks meet; among them those with a meaning of their own, a pair of which UTF-8 and
// UTF-16 disagree on the order, and what breaks text formats.
const NAMES = [
  "main",
  "handle",
  "parse",
  "query",
  "total",
  "other",
  "",
  "a;b",
  "x y",
  "\uffff",
  "𝒻",
  "__proto__",
];
const name = fc.constantFrom(...NAMES);

const valueTypes: fc.Arbitrary<ValueType[]> = fc.constantFrom<ValueType[]>(
  [{ type: "cpu", unit: "nanoseconds" }],
  [
    { type: "inuse_objects", unit: "count" },
    { type: "inuse_space", unit: "bytes" },
  ],
);

const label: fc.Arbitrary<LabelInput> = fc.oneof(
  fc.record({ key: fc.constantFrom("route", "span_id", ""), text: fc.constantFrom("/cart", "/checkout") }),
  fc.record({
    key: fc.constant("bytes"),
    number: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    unit: fc.constantFrom("", "bytes"),
  }),
);

const line = fc.record({ name, file: fc.constantFrom("", "main.js"), line: fc.nat(3) });
const location = fc.record({
  address: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  hasMapping: fc.boolean(),
  isFolded: fc.boolean(),
  lines: fc.array(line, { maxLength: 3 }),
});

/** Values whose sums over a test's few profiles stay far within int64 and 2^53. */
const smallValue = fc.bigInt({ min: -1_000_000n, max: 1_000_000n });

interface ProfileShape {
  readonly types?: fc.Arbitrary<ValueType[]>;
  readonly value?: fc.Arbitrary<bigint>;
}

/** Profiles with inlined, folded and address-only locations, mappings, and text and number labels. */
export function profileArbitrary({
  types = valueTypes,
  value = smallValue,
}: ProfileShape = {}): fc.Arbitrary<Profile> {
  return types.chain((sampleTypes) => {
    const sample = fc.record({
      locations: fc.array(fc.nat(5), { maxLength: 6 }),
      values: fc.array(value, { minLength: sampleTypes.length, maxLength: sampleTypes.length }),
      labels: fc.array(label, { maxLength: 2 }),
    });
    const locations = fc.array(location, { minLength: 6, maxLength: 6 });
    const header = fc.record({
      timeUnixNanos: fc.bigInt({ min: 0n, max: 2n ** 62n }),
      durationNanos: fc.bigInt({ min: 0n, max: 2n ** 60n }),
      period: fc.bigInt({ min: -1n, max: 10_000_000n }),
      comments: fc.array(fc.constantFrom("first", "second"), { maxLength: 2 }),
      defaultSampleType: fc.constantFrom("", "cpu"),
    });
    return fc.tuple(header, locations, fc.array(sample, { maxLength: 8 })).map(([fields, drawn, samples]) => {
      const builder = new ProfileBuilder({ sampleTypes, ...fields });
      const mapping = builder.mapping({
        start: 4096n,
        limit: 2n ** 63n,
        file: "/usr/bin/node",
        buildId: "1f",
      });
      const rows = drawn.map(({ address, hasMapping, isFolded, lines }) =>
        builder.location({
          address,
          isFolded,
          ...(hasMapping ? { mapping } : {}),
          lines: lines.map(({ line: number, ...symbol }) => ({
            function: builder.function(symbol),
            line: number,
          })),
        }),
      );
      for (const { locations: stack, values, labels } of samples) {
        builder.addSample(
          stack.map((index) => rows[index]!),
          values,
          labels,
        );
      }
      return builder.build();
    });
  });
}

/** Several profiles of the same sample types. */
export function profilesArbitrary(count: number): fc.Arbitrary<Profile[]> {
  return valueTypes.chain((types) =>
    fc.array(profileArbitrary({ types: fc.constant(types) }), { minLength: count, maxLength: count }),
  );
}

/** Stacks of few names with whole values from 0, as samples that were stored have. */
export const stackListArbitrary: fc.Arbitrary<StackList> = fc
  .array(
    fc.record({ frames: fc.array(fc.nat(NAMES.length - 1), { maxLength: 6 }), value: fc.nat(1_000_000) }),
    {
      maxLength: 20,
    },
  )
  .map((stacks) => ({
    length: stacks.length,
    names: NAMES,
    frameStart: Uint32Array.from([0, ...stacks.keys()], (_, i) =>
      stacks.slice(0, i).reduce((sum, { frames }) => sum + frames.length, 0),
    ),
    frame: Uint32Array.from(stacks.flatMap(({ frames }) => frames)),
    value: Float64Array.from(stacks, ({ value }) => value),
  }));

/** A profile as text lines in no order: stack with everything that names its frames, labels, values. */
export function canonicalSamples(profile: Profile): string[] {
  const { samples, labels, strings, locations, lines, functions, mappings, sampleTypes } = profile;
  const json = (value: unknown): string =>
    JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? `${item}n` : item));
  const range = (starts: Uint32Array, row: number): number[] =>
    Array.from({ length: starts[row + 1]! - starts[row]! }, (_, i) => starts[row]! + i);
  const lineOf = (row: number): unknown => {
    const symbol = lines.function[row]!;
    const texts =
      symbol < 0
        ? []
        : [functions.name, functions.systemName, functions.file].map((column) => strings[column[symbol]!]);
    return [texts, symbol < 0 ? 0n : functions.startLine[symbol], lines.line[row]];
  };
  const locationOf = (row: number): unknown => {
    const mapping = locations.mapping[row]!;
    const file =
      mapping < 0 ? undefined : [strings[mappings.file[mapping]!], strings[mappings.buildId[mapping]!]];
    return [
      locations.address[row],
      locations.isFolded[row],
      file,
      range(locations.lineStart, row).map(lineOf),
    ];
  };
  const labelOf = (row: number): string =>
    json([
      strings[labels.key[row]!],
      strings[labels.text[row]!],
      labels.number[row],
      strings[labels.unit[row]!],
    ]);
  return Array.from({ length: samples.length }, (_, sample) => {
    const stack = range(samples.locationStart, sample).map((i) => locationOf(samples.location[i]!));
    const values = samples.values.subarray(sample * sampleTypes.length, (sample + 1) * sampleTypes.length);
    return json([stack, range(samples.labelStart, sample).map(labelOf).sort(), Array.from(values)]);
  }).sort();
}
