import type { Profile, ValueType } from "@pyroscope-ts/protocol";
import type { TypedProfile } from "../profilers/profiler.ts";

// What `@pyroscope/nodejs` sends, as Pyroscope stores it: `wall:cpu:nanoseconds:wall:nanoseconds` and
// `memory:inuse_space:bytes:inuse_space:bytes`.
const WALL_PERIOD: ValueType = { type: "wall", unit: "nanoseconds" };
const HEAP_PERIOD: ValueType = { type: "inuse_space", unit: "bytes" };

/**
 * `typed` with the profile type and the function names that `@pyroscope/nodejs` gives: `./src/cart.ts:price:12`. For
 * dashboards that were made for them. Types that it does not know stay as they are.
 *
 * @param directory - what file names are relative to, as `process.cwd()`.
 */
export function toLegacyNames(typed: TypedProfile, directory: string): TypedProfile {
  const profile = renameFunctions(typed.profile, directory);
  switch (typed.type) {
    case "cpu":
    case "wall":
      return { ...typed, name: "wall", profile: { ...profile, periodType: WALL_PERIOD } };
    case "inuse_objects":
    case "inuse_space":
      return { ...typed, profile: { ...profile, periodType: HEAP_PERIOD } };
    default:
      return { ...typed, profile };
  }
}

function renameFunctions(profile: Profile, directory: string): Profile {
  const { functions } = profile;
  const strings = [...profile.strings];
  const rows = new Map(strings.map((text, row) => [text, row]));
  const name = functions.name.map((nameRow, row) => {
    const file = relativeName(strings[functions.file[row] ?? 0] ?? "", directory);
    const text = `${file}:${profile.strings[nameRow]}:${functions.startLine[row]}`;
    const known = rows.get(text);
    if (known !== undefined) return known;
    rows.set(text, strings.length);
    return strings.push(text) - 1;
  });
  return { ...profile, strings, functions: { ...functions, name } };
}

function relativeName(file: string, directory: string): string {
  return file.startsWith(`${directory}/`) ? `.${file.slice(directory.length)}` : file;
}
