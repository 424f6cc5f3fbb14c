import { checkSameTypes, copySamples } from "./merge-profiles.ts";
import type { Profile } from "./profile.ts";
import { addHeaderStrings, buildProfile } from "./profile-builder.ts";
import { ProfileCopier } from "./profile-copier.ts";
import { SampleTables } from "./sample-tables.ts";
import { SymbolTables } from "./symbol-tables.ts";

/**
 * What `other` has more than `base`: `other - base`, sample by sample. Values are negative where `base` has more.
 *
 * Samples whose values all cancel out vanish, with the symbols only they used. Everything else of the profile is `other`'s.
 *
 * Laws: the diff of equals has no samples; the total of each sample type is `other`'s less `base`'s; merging `base` and
 * the diff gives the samples of `other`, save those of value 0.
 *
 * @throws {@link ProtocolError} `PROFILE_MISMATCH` for different sample types or period types; `PROFILE_OVERFLOW` when a
 * difference leaves int64.
 */
export function diffProfiles(base: Profile, other: Profile): Profile {
  checkSameTypes("diffing with", base, other);
  const samples = new SampleTables(other.sampleTypes.length);
  const symbols = new SymbolTables();
  copySamples(new ProfileCopier(other, symbols, samples), other);
  copySamples(new ProfileCopier(base, symbols, samples, { isNegated: true }), base);
  return dropZeroSamples(buildProfile(other, symbols, samples));
}

/** A profile without the samples whose values are all 0 and without symbols that nothing uses. */
export function dropZeroSamples(profile: Profile): Profile {
  const width = profile.sampleTypes.length;
  return copyProfile(profile, (sample) => {
    for (let i = sample * width; i < (sample + 1) * width; i++)
      if (profile.samples.values[i] !== 0n) return true;
    return false;
  });
}

/** A profile with those samples that are kept, equal ones summed, and without symbols that nothing uses. */
function copyProfile(profile: Profile, isKept: (sample: number) => boolean): Profile {
  const symbols = new SymbolTables();
  addHeaderStrings(symbols, profile);
  const samples = new SampleTables(profile.sampleTypes.length);
  const copier = new ProfileCopier(profile, symbols, samples);
  for (let sample = 0; sample < profile.samples.length; sample++)
    if (isKept(sample)) copier.copySample(sample);
  return buildProfile(profile, symbols, samples);
}
