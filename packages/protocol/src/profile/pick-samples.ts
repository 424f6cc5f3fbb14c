import type { Profile } from "./profile.ts";
import { addHeaderStrings, buildProfile } from "./profile-builder.ts";
import { ProfileCopier } from "./profile-copier.ts";
import { SampleTables } from "./sample-tables.ts";
import { SymbolTables } from "./symbol-tables.ts";

/**
 * Copies some samples of a profile, in the order of `rows`, with the symbols that they need and no others.
 *
 * Law: profiles of rows that are each in one of them add up to the profile of all rows.
 *
 * @param rows - rows of samples.
 */
export function pickSamples(profile: Profile, rows: ArrayLike<number>): Profile {
  const symbols = new SymbolTables();
  addHeaderStrings(symbols, profile);
  const samples = new SampleTables(profile.sampleTypes.length);
  const copier = new ProfileCopier(profile, symbols, samples);
  for (let i = 0; i < rows.length; i++) copier.copySample(rows[i]!);
  return buildProfile(profile, symbols, samples);
}
