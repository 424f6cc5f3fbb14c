import { ProtocolError } from "../errors.ts";
import type { Profile, ValueType } from "./profile.ts";
import { addHeaderStrings, buildProfile, type ProfileHeader } from "./profile-builder.ts";
import { ProfileCopier } from "./profile-copier.ts";
import { SampleTables } from "./sample-tables.ts";
import { SymbolTables } from "./symbol-tables.ts";

/**
 * Sums profiles: samples with the same stack and the same labels become one with the sums of their values.
 *
 * Stacks are the same when their functions (name, system name, file, start line), lines, addresses and mappings
 * are; ids and the order of tables do not matter. Only symbols that a sample uses are kept. Time is the earliest one that is
 * given, duration the sum, period the largest, comments those of all, each once; the default sample type and the expressions
 * for frames are those of the first profile that has one.
 *
 * Laws, up to the order of rows: commutative and associative in samples, conserves the total of every sample type, and
 * one profile merged is that profile with equal samples summed.
 *
 * @param profiles - at least one; the inputs are left as they were.
 * @throws {@link ProtocolError} `PROFILE_MISMATCH` for no profile, or different sample types or period types;
 * `PROFILE_OVERFLOW` when a sum leaves int64.
 */
export function mergeProfiles(profiles: readonly Profile[]): Profile {
  const header = mergeHeaders(profiles);
  const symbols = new SymbolTables();
  addHeaderStrings(symbols, header);
  const samples = new SampleTables(header.sampleTypes.length);
  for (const profile of profiles) copySamples(new ProfileCopier(profile, symbols, samples), profile);
  return buildProfile(header, symbols, samples);
}

/** Copies every sample. */
export function copySamples(copier: ProfileCopier, profile: Profile): void {
  for (let sample = 0; sample < profile.samples.length; sample++) copier.copySample(sample);
}

/** Throws {@link ProtocolError} `PROFILE_MISMATCH` unless both profiles count the same things. */
export function checkSameTypes(what: string, first: Profile, other: Profile): void {
  const [expected, actual] = [formatTypes(first), formatTypes(other)];
  if (expected === actual) return;
  throw new ProtocolError(`${what} a profile of ${actual}: expected ${expected}, as the first profile has`, {
    code: "PROFILE_MISMATCH",
  });
}

function mergeHeaders(profiles: readonly Profile[]): ProfileHeader {
  const [first, ...others] = profiles;
  if (first === undefined) {
    throw new ProtocolError("merging 0 profiles: expected at least 1, which names the sample types", {
      code: "PROFILE_MISMATCH",
    });
  }
  for (const other of others) checkSameTypes("merging", first, other);
  const times = profiles.map((profile) => profile.timeUnixNanos).filter((time) => time !== 0n);
  const durationNanos = profiles.reduce((sum, profile) => sum + profile.durationNanos, 0n);
  if (BigInt.asIntN(64, durationNanos) !== durationNanos) {
    throw new ProtocolError(`merging durations to ${durationNanos} ns: expected a sum within int64`, {
      code: "PROFILE_OVERFLOW",
    });
  }
  return {
    sampleTypes: first.sampleTypes,
    periodType: first.periodType,
    defaultSampleType: firstText(profiles, (profile) => profile.defaultSampleType),
    dropFrames: firstText(profiles, (profile) => profile.dropFrames),
    keepFrames: firstText(profiles, (profile) => profile.keepFrames),
    period: largest(profiles.map((profile) => profile.period)),
    timeUnixNanos: -largest(times.map((time) => -time)),
    durationNanos,
    comments: [...new Set(profiles.flatMap((profile) => profile.comments))],
  };
}

function firstText(profiles: readonly Profile[], pick: (profile: Profile) => string): string {
  return profiles.map(pick).find((text) => text !== "") ?? "";
}

function formatTypes(profile: Profile): string {
  const format = ({ type, unit }: ValueType): string => JSON.stringify(`${type}/${unit}`);
  const period =
    profile.periodType === undefined ? "no period type" : `period type ${format(profile.periodType)}`;
  return `sample types ${profile.sampleTypes.map(format).join(", ")} and ${period}`;
}

/** The largest of some numbers; 0 for none. */
function largest(numbers: readonly bigint[]): bigint {
  let result = numbers[0] ?? 0n;
  for (const number of numbers) if (number > result) result = number;
  return result;
}
