import type { Profile } from "@pyroscope-ts/protocol";
import { mergeProfiles } from "@pyroscope-ts/protocol/profiler";

/**
 * One profile with the sample types of several, as pull clients expect: equal stacks become one sample.
 *
 * @param profiles - at least one; each with one sample type, a different one, and all with one period type.
 */
export function joinProfiles(profiles: readonly Profile[]): Profile {
  const sampleTypes = profiles.flatMap((profile) => profile.sampleTypes);
  const widened = profiles.map((profile, column): Profile => {
    const values = new BigInt64Array(profile.samples.length * sampleTypes.length);
    profile.samples.values.forEach((value, row) => {
      values[row * sampleTypes.length + column] = value;
    });
    return { ...profile, sampleTypes, samples: { ...profile.samples, values } };
  });
  const { durationNanos } = profiles[0] ?? { durationNanos: 0n };
  // They are of the same time: merging would add it up.
  return { ...mergeProfiles(widened), durationNanos };
}
