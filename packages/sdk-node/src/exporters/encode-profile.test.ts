import {
  decodePprof,
  mergeProfiles,
  type Profile,
  ProfileBuilder,
  totalValues,
} from "@pyroscope-ts/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeParts, encodeProfile } from "./encode-profile.ts";

const NO_LIMIT = { maxSamples: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };

type SampleInput = readonly [frames: readonly number[], route: number, value: number];

function buildProfile(inputs: readonly SampleInput[], durationNanos = 15_000_000_000n): Profile {
  const type = { type: "cpu", unit: "nanoseconds" };
  const builder = new ProfileBuilder({
    sampleTypes: [type],
    periodType: type,
    period: 10n,
    timeUnixNanos: 1_772_366_400_000_000_000n,
    durationNanos,
  });
  for (const [frames, route, value] of inputs) {
    const rows = frames.map((frame) =>
      builder.location({ lines: [{ function: builder.function({ name: `work${frame}` }), line: frame }] }),
    );
    builder.addSample(rows, [value], route === 0 ? [] : [{ key: "route", text: `/r${route}` }]);
  }
  return builder.build();
}

/** Every sample as its stack, labels and value, sorted. */
function describeSamples({ samples, labels, locations, lines, functions, strings }: Profile): string[] {
  return Array.from({ length: samples.length }, (_, row) => {
    const stack = samples.location.subarray(samples.locationStart[row], samples.locationStart[row + 1]);
    const names = Array.from(stack, (location) => {
      const line = locations.lineStart[location] ?? 0;
      return `${strings[functions.name[lines.function[line] ?? 0] ?? 0]}:${lines.line[line]}`;
    });
    const rows = labels.text.subarray(samples.labelStart[row], samples.labelStart[row + 1]);
    return `${names} ${Array.from(rows, (text) => strings[text])} ${samples.values[row]}`;
  }).sort();
}

const samplesArbitrary = fc.array(
  fc.tuple(
    fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 5 }),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 1, max: 1000 }),
  ),
  { maxLength: 60 },
);

const limitsArbitrary = fc.record({
  maxSamples: fc.integer({ min: 1, max: 20 }),
  maxBytes: fc.integer({ min: 200, max: 2000 }),
});

describe("encodeParts", () => {
  it("gives parts within the limits that add up to the profile, each with times of its own", () =>
    fc.assert(
      fc.property(samplesArbitrary, limitsArbitrary, fc.bigInt(0n, 100n), (inputs, limits, durationNanos) => {
        const profile = buildProfile(inputs, durationNanos);

        const encoded = encodeParts(profile, limits);

        const parts = encoded.map((bytes) => decodePprof(bytes));
        for (const [i, part] of parts.entries()) {
          expect(part.samples.length).toBeLessThanOrEqual(limits.maxSamples);
          const isSmall = (encoded[i]?.byteLength ?? 0) <= limits.maxBytes;
          expect(isSmall || part.samples.length <= 1).toBe(true);
        }
        const merged = mergeProfiles(parts);
        expect(totalValues(merged)).toEqual(totalValues(profile));
        expect(describeSamples(merged)).toEqual(describeSamples(profile));
        expect(parts.reduce((sum, part) => sum + part.durationNanos, 0n)).toBe(durationNanos);
        expect(new Set(parts.map(({ timeUnixNanos }) => timeUnixNanos)).size).toBe(parts.length);
      }),
    ));

  it("leaves what is exactly at the limits whole, and cuts what is one past them", () => {
    const profile = buildProfile(Array.from({ length: 10 }, (_, i) => [[i, i + 1], 0, 7]));
    const [whole] = encodeParts(profile, NO_LIMIT);
    const bytes = whole?.byteLength ?? 0;

    expect(encodeParts(profile, { maxSamples: 10, maxBytes: bytes })).toEqual([whole]);
    expect(encodeParts(profile, { maxSamples: 9, maxBytes: bytes })).toHaveLength(2);
    expect(encodeParts(profile, { maxSamples: 10, maxBytes: bytes - 1 })).toHaveLength(2);
  });

  it("keeps the samples of a label set together", () => {
    const profile = buildProfile(Array.from({ length: 40 }, (_, i) => [[i], i % 2, 1]));

    const parts = encodeParts(profile, { maxSamples: 20, maxBytes: 1e6 }).map((bytes) => decodePprof(bytes));

    expect(parts.map(({ labels }) => labels.length)).toEqual([0, 20]);
  });

  it("gives each part only the symbols that its samples need", () => {
    const profile = buildProfile(Array.from({ length: 4 }, (_, i) => [[i], 0, 1]));

    const parts = encodeParts(profile, { maxSamples: 1, maxBytes: 1e6 }).map((bytes) => decodePprof(bytes));

    expect(parts.map(({ functions }) => functions.length)).toEqual([1, 1, 1, 1]);
  });
});

describe("encodeProfile", () => {
  it("keeps no more memory than the bytes that it gives", () => {
    const [part] = encodeProfile(buildProfile([[[1], 0, 1]]));

    expect(part?.pprof.buffer.byteLength).toBe(part?.pprof.byteLength);
  });
});
