import type { Profile } from "@pyroscope-ts/protocol";

/** Each sample of a profile with one sample type as `root caller leaf {name=value} number`, in order. */
export function formatSamples(profile: Profile): readonly string[] {
  return Array.from({ length: profile.samples.length }, (_, sample) => {
    const labels = formatLabels(profile, sample);
    const parts = [...frameNames(profile, sample), ...(labels === "" ? [] : [`{${labels}}`])];
    return `${parts.join(" ")} ${profile.samples.values[sample]}`;
  }).sort();
}

function frameNames({ samples, locations, lines, functions, strings }: Profile, sample: number): string[] {
  const rows = samples.location.subarray(samples.locationStart[sample], samples.locationStart[sample + 1]);
  const names = Array.from(rows, (location) => {
    const fn = lines.function[locations.lineStart[location] ?? 0] ?? 0;
    return strings[functions.name[fn] ?? 0] ?? "";
  });
  return names.reverse();
}

function formatLabels({ samples, labels, strings }: Profile, sample: number): string {
  const pairs: string[] = [];
  for (let row = samples.labelStart[sample] ?? 0; row < (samples.labelStart[sample + 1] ?? 0); row++) {
    pairs.push(`${strings[labels.key[row] ?? 0]}=${strings[labels.text[row] ?? 0]}`);
  }
  return pairs.join(",");
}
