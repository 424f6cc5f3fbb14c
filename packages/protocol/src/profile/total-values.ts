import type { Profile } from "./profile.ts";

/** The exact sum of all samples for each sample type, in its unit. It may be larger than any one int64. */
export function totalValues(profile: Profile): bigint[] {
  const width = profile.sampleTypes.length;
  const totals = profile.sampleTypes.map(() => 0n);
  const { values } = profile.samples;
  for (let i = 0; i < values.length; i++) totals[i % width] = totals[i % width]! + values[i]!;
  return totals;
}
