import type { SampleTypeConfig } from "./sample-type-config.ts";

/** Display names that count where a client of `/ingest` sends no `sample_type_config`. */
const BUILT_IN_DISPLAY_NAMES: ReadonlyMap<string, string> = new Map([
  ["samples", "cpu"],
  ["goroutine", "goroutines"],
  ["contentions", "mutex_count"],
  ["delay", "mutex_duration"],
]);

/** What a display name must look like for a profile name, in the order in which they are tried. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/cpu/, "process_cpu"],
  [/alloc_|inuse_|^(?:space|objects)$/, "memory"],
  [/mutex_/, "mutex"],
  [/block_/, "block"],
  [/goroutines/, "goroutines"],
];

/**
 * Chooses the profile name (`__name__`) of a pprof that came to `/ingest`, where clients do not send one.
 *
 * A sample type `wall` decides for `wall`. Else the first sample type whose display name follows one of the rules
 * decides; else the last one's display name is the name. Display names come from the client's configuration; one
 * that is sent replaces the built-in ones, also for sample types that it does not list.
 *
 * @returns "" for a profile without sample types.
 *
 * Source: Pyroscope pkg/og/convert/pprof/profile.go `metricName`.
 */
export function profileName(
  sampleTypes: readonly string[],
  config?: ReadonlyMap<string, SampleTypeConfig>,
): string {
  if (sampleTypes.includes("wall")) return "wall";
  const displayNames = sampleTypes.map((sampleType) => displayName(sampleType, config));
  for (const name of displayNames) {
    const rule = RULES.find(([pattern]) => pattern.test(name));
    if (rule !== undefined) return rule[1];
  }
  return displayNames.at(-1) ?? "";
}

function displayName(sampleType: string, config: ReadonlyMap<string, SampleTypeConfig> | undefined): string {
  const configured =
    config === undefined ? BUILT_IN_DISPLAY_NAMES.get(sampleType) : config.get(sampleType)?.displayName;
  return configured === undefined || configured === "" ? sampleType : configured;
}
