import type { Profile } from "../profile/profile.ts";
import { repairCutStacks } from "./go-stack-repair.ts";

/**
 * Sets right what Go's profilers are known to get wrong: the names of generic functions, and stacks without their root.
 * A profile of another language is returned as it is. Totals stay.
 *
 * Depends on nothing but the profile: a replay fixes as admission did.
 *
 * Source: Pyroscope pkg/pprof/fix_go_profile.go.
 */
export function fixGoProfile(profile: Profile): Profile {
  return isGoProfile(profile) ? repairCutStacks(dropTypeParameters(profile)) : profile;
}

/** Whether some function stands in a file of Go. */
function isGoProfile({ functions, strings }: Profile): boolean {
  for (let row = 0; row < functions.length; row++) {
    if (strings[functions.file[row] ?? 0]?.endsWith(".go") === true) return true;
  }
  return false;
}

/** Begins what the compiler writes into a name for the type parameters of the instance it made. */
const SHAPE = "[go.shape.";

/**
 * Names functions `Get[...]` that Go names `Get[go.shape.int]`.
 *
 * Instances of a generic function share their code, and since Go 1.21 a profile names whichever instance it found
 * first (golang/go#64528): the parameters say nothing, and the same function has many names.
 */
function dropTypeParameters(profile: Profile): Profile {
  if (!profile.strings.some((text) => text.includes(SHAPE))) return profile;
  const { functions } = profile;
  const strings = [...profile.strings];
  const rows = new Map(strings.map((text, row) => [text, row]));
  const rename = (row: number): number => {
    const name = withoutShape(strings[row] ?? "");
    const known = rows.get(name);
    if (known !== undefined) return known;
    rows.set(name, strings.length);
    return strings.push(name) - 1;
  };
  const name = functions.name.map(rename);
  const systemName = functions.systemName.map(rename);
  return { ...profile, strings, functions: { ...functions, name, systemName } };
}

function withoutShape(name: string): string {
  const start = name.indexOf(SHAPE);
  const end = name.lastIndexOf("]");
  return start < 0 || end < start ? name : `${name.slice(0, start)}[...]${name.slice(end + 1)}`;
}
