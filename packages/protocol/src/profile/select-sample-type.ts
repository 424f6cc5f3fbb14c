import { Uint32Column } from "../wire/column.ts";
import type { LabelTable, Profile } from "./profile.ts";
import { checkSampleType } from "./profile-stacks.ts";

/**
 * A profile of one sample type: `inuse_space` of a heap profile.
 *
 * Samples whose value of that type is 0 are left out. The tables of symbols are those of the input, shared, so that rows
 * may be left that no sample uses; {@link mergeProfiles} of the one profile drops them.
 *
 * Law: its total is the input's total of that type.
 *
 * @param sampleType - row of `sampleTypes`.
 * @throws {@link ProtocolError} `PROFILE_BAD_INDEX` for a sample type that the profile does not have.
 */
export function selectSampleType(profile: Profile, sampleType: number): Profile {
  checkSampleType(profile, sampleType);
  const { samples, sampleTypes } = profile;
  const kept: number[] = [];
  for (let sample = 0; sample < samples.length; sample++) {
    if (samples.values[sample * sampleTypes.length + sampleType] !== 0n) kept.push(sample);
  }
  const locationStart = new Uint32Array(kept.length + 1);
  const labelStart = new Uint32Array(kept.length + 1);
  const values = new BigInt64Array(kept.length);
  const location = new Uint32Column(samples.location.length);
  const labels = new Uint32Column();
  for (const [row, sample] of kept.entries()) {
    location.pushRange(samples.location, samples.locationStart[sample]!, samples.locationStart[sample + 1]!);
    for (let label = samples.labelStart[sample]!; label < samples.labelStart[sample + 1]!; label++)
      labels.push(label);
    values[row] = samples.values[sample * sampleTypes.length + sampleType]!;
    locationStart[row + 1] = location.length;
    labelStart[row + 1] = labels.length;
  }
  return {
    ...profile,
    sampleTypes: [sampleTypes[sampleType]!],
    samples: { length: kept.length, locationStart, location: location.finish(), values, labelStart },
    labels: pickLabels(profile.labels, labels.finish()),
  };
}

/** A profile for each sample type, in order; see {@link selectSampleType}. */
export function splitSampleTypes(profile: Profile): Profile[] {
  return profile.sampleTypes.map((_type, index) => selectSampleType(profile, index));
}

function pickLabels(labels: LabelTable, rows: Uint32Array): LabelTable {
  const number = new BigInt64Array(rows.length);
  for (const [i, row] of rows.entries()) number[i] = labels.number[row]!;
  return {
    length: rows.length,
    key: rows.map((row) => labels.key[row]!),
    text: rows.map((row) => labels.text[row]!),
    number,
    unit: rows.map((row) => labels.unit[row]!),
  };
}
