import { NO_FUNCTION, type Profile } from "./profile.ts";
import { addHeaderStrings, buildProfile } from "./profile-builder.ts";
import { ProfileCopier } from "./profile-copier.ts";
import { SampleTables } from "./sample-tables.ts";
import { SymbolTables } from "./symbol-tables.ts";

/** Tests the name of a frame's function. */
export type NamePredicate = (name: string) => boolean;

/** Which stacks and frames stay; a predicate that is not given changes nothing. */
export interface PruneOptions {
  /** Keeps only stacks with a frame that matches. */
  readonly focus?: NamePredicate;
  /** Drops stacks with a frame that matches. */
  readonly ignore?: NamePredicate;
  /** Takes matching frames out of their stacks. */
  readonly hide?: NamePredicate;
  /** Takes frames that do not match out of their stacks. */
  readonly show?: NamePredicate;
}

/**
 * Drops stacks and takes frames out of stacks, by the names of functions.
 *
 * `focus` and `ignore` look at whole stacks, before `hide` and `show` take frames out. A stack that loses all its frames keeps
 * its value, and so `hide` and `show` change no total; pprof drops such a stack. A frame without a function has
 * the name ""; a location without lines has no frame, matches nothing and stays. Stacks that become equal are summed.
 *
 * Laws: with neither focus nor ignore every total is conserved; focus and ignore with one predicate split a profile into
 * two whose totals add up to its own.
 */
export function pruneProfile(profile: Profile, options: PruneOptions): Profile {
  const isFocused = testLines(profile, options.focus);
  const isIgnored = testLines(profile, options.ignore);
  const isHidden = testLines(profile, options.hide);
  const isShown = testLines(profile, options.show);
  const symbols = new SymbolTables();
  addHeaderStrings(symbols, profile);
  const samples = new SampleTables(profile.sampleTypes.length);
  const copier = new ProfileCopier(profile, symbols, samples, {
    isLineKept: (line) => isHidden?.[line] !== 1 && isShown?.[line] !== 0,
  });
  for (let sample = 0; sample < profile.samples.length; sample++) {
    if (isFocused !== undefined && !hasLine(profile, sample, isFocused)) continue;
    if (isIgnored !== undefined && hasLine(profile, sample, isIgnored)) continue;
    copier.copySample(sample);
  }
  return buildProfile(profile, symbols, samples);
}

/** For each line 1 where the predicate matches its function's name; undefined without a predicate. */
function testLines(profile: Profile, predicate: NamePredicate | undefined): Uint8Array | undefined {
  if (predicate === undefined) return undefined;
  const { functions, lines, strings } = profile;
  // Each function once: names are matched by expressions, and lines are many.
  const matches = Uint8Array.from(functions.name, (name) => (predicate(strings[name]!) ? 1 : 0));
  const unnamed = predicate("") ? 1 : 0;
  return Uint8Array.from(lines.function, (row) => (row === NO_FUNCTION ? unnamed : matches[row]!));
}

function hasLine({ samples, locations }: Profile, sample: number, matches: Uint8Array): boolean {
  for (let i = samples.locationStart[sample]!; i < samples.locationStart[sample + 1]!; i++) {
    const location = samples.location[i]!;
    for (let line = locations.lineStart[location]!; line < locations.lineStart[location + 1]!; line++) {
      if (matches[line] === 1) return true;
    }
  }
  return false;
}
