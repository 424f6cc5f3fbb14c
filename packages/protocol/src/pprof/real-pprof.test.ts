import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Profile as PprofFormatProfile } from "pprof-format";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../errors.ts";
import { type Profile as GeneratedProfile, ProfileSchema } from "../gen/google/v1/profile_pb.ts";
import { checkProfile } from "../profile/check-profile.ts";
import { NO_FUNCTION, NO_MAPPING, type Profile } from "../profile/profile.ts";
import { totalValues } from "../profile/total-values.ts";
import { REAL_PROFILES, readTestdata } from "../testing/real-profile.fixture.ts";
import { decodePprof } from "./decode-pprof.ts";
import { encodePprof } from "./encode-pprof.ts";

describe.for(REAL_PROFILES)("a real profile, $file", ({ file, sampleCount, totals }) => {
  const bytes = readTestdata(file);

  it("has the samples and totals that Go's pprof counts", () => {
    const profile = decodePprof(bytes);

    checkProfile(profile);
    expect(profile.samples.length).toBe(sampleCount);
    expect(totalValues(profile)).toEqual(totals);
  });

  it("is read as the generated decoder reads it, field by field", () => {
    expect(toMessage(decodePprof(bytes))).toEqual(toPlain(fromBinary(ProfileSchema, bytes)));
  });

  it("is read as pprof-format reads it", () => {
    const profile = decodePprof(bytes);
    const other = PprofFormatProfile.decode(bytes);

    expect(profile.strings).toEqual(other.stringTable.strings);
    expect(Array.from(profile.samples.values)).toEqual(
      other.sample.flatMap(({ value }) => value.map(BigInt)),
    );
    expect(Array.from(profile.samples.location, (row) => BigInt(row + 1))).toEqual(
      other.sample.flatMap(({ locationId }) => locationIdsOf(locationId)),
    );
    expect(Array.from(profile.functions.name)).toEqual(other.function.map(({ name }) => Number(name)));
    expect(Array.from(profile.lines.line)).toEqual(
      other.location.flatMap(({ line }) => line.map((item) => BigInt(item.line))),
    );
  });

  it("is the same after encoding and decoding", () => {
    const profile = decodePprof(bytes);

    expect(decodePprof(encodePprof(profile))).toEqual(profile);
  });

  it("is encoded so that the generated decoder reads the same", () => {
    const encoded = encodePprof(decodePprof(bytes));

    expect(toPlain(fromBinary(ProfileSchema, encoded))).toEqual(toPlain(fromBinary(ProfileSchema, bytes)));
  });

  it("is the same from the generated encoder's bytes", () => {
    const rewritten = toBinary(ProfileSchema, fromBinary(ProfileSchema, bytes));

    expect(decodePprof(rewritten)).toEqual(decodePprof(bytes));
  });

  it("gives a shorter profile or a coded error when it is cut off at any byte", () => {
    const outcomes = new Set<string>();

    for (let length = 0; length < bytes.length; length++) outcomes.add(outcomeOf(bytes.subarray(0, length)));

    expect(["PPROF_MALFORMED", "WIRE_MALFORMED", "profile"]).toEqual(expect.arrayContaining([...outcomes]));
    expect(outcomes).toContain("WIRE_MALFORMED");
  });
});

const locationIdsOf = (ids: readonly (number | bigint)[]): bigint[] => ids.map(BigInt);

function outcomeOf(bytes: Uint8Array): string {
  try {
    decodePprof(bytes);
    return "profile";
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
}

/** A generated message as plain objects, without the fields that carry its type. */
function toPlain(message: GeneratedProfile): unknown {
  return JSON.parse(
    JSON.stringify(message, (key, value) => {
      if (key === "$typeName" || key === "$unknown") return undefined;
      return typeof value === "bigint" ? value.toString() : value;
    }),
  );
}

/** Our profile in the shape of the generated message. Ids of the real profiles are 1, 2, 3 …, so rows give them back. */
function toMessage(profile: Profile): unknown {
  const { samples, labels, locations, lines, functions, mappings, strings } = profile;
  const row = (text: string): string => String(strings.indexOf(text));
  const range = (starts: Uint32Array, index: number): number[] =>
    Array.from({ length: starts[index + 1]! - starts[index]! }, (_, i) => starts[index]! + i);
  const rows = (length: number): number[] => Array.from({ length }, (_, i) => i);
  const width = profile.sampleTypes.length;
  const plain = {
    sampleType: profile.sampleTypes.map(({ type, unit }) => ({ type: row(type), unit: row(unit) })),
    sample: rows(samples.length).map((i) => ({
      locationId: range(samples.locationStart, i).map((at) => String(samples.location[at]! + 1)),
      value: Array.from(samples.values.subarray(i * width, (i + 1) * width), String),
      label: range(samples.labelStart, i).map((at) => ({
        key: String(labels.key[at]),
        str: String(labels.text[at]),
        num: String(labels.number[at]),
        numUnit: String(labels.unit[at]),
      })),
    })),
    mapping: rows(mappings.length).map((i) => ({
      id: String(i + 1),
      memoryStart: String(mappings.start[i]),
      memoryLimit: String(mappings.limit[i]),
      fileOffset: String(mappings.offset[i]),
      filename: String(mappings.file[i]),
      buildId: String(mappings.buildId[i]),
      hasFunctions: (mappings.flags[i]! & 1) !== 0,
      hasFilenames: (mappings.flags[i]! & 2) !== 0,
      hasLineNumbers: (mappings.flags[i]! & 4) !== 0,
      hasInlineFrames: (mappings.flags[i]! & 8) !== 0,
    })),
    location: rows(locations.length).map((i) => ({
      id: String(i + 1),
      mappingId: String(locations.mapping[i] === NO_MAPPING ? 0 : locations.mapping[i]! + 1),
      address: String(locations.address[i]),
      line: range(locations.lineStart, i).map((at) => ({
        functionId: String(lines.function[at] === NO_FUNCTION ? 0 : lines.function[at]! + 1),
        line: String(lines.line[at]),
      })),
      isFolded: locations.isFolded[i] === 1,
    })),
    function: rows(functions.length).map((i) => ({
      id: String(i + 1),
      name: String(functions.name[i]),
      systemName: String(functions.systemName[i]),
      filename: String(functions.file[i]),
      startLine: String(functions.startLine[i]),
    })),
    stringTable: strings,
    dropFrames: row(profile.dropFrames),
    keepFrames: row(profile.keepFrames),
    timeNanos: String(profile.timeUnixNanos),
    durationNanos: String(profile.durationNanos),
    periodType: profile.periodType && {
      type: row(profile.periodType.type),
      unit: row(profile.periodType.unit),
    },
    period: String(profile.period),
    comment: profile.comments.map(row),
    defaultSampleType: row(profile.defaultSampleType),
  };
  return JSON.parse(JSON.stringify(plain));
}
