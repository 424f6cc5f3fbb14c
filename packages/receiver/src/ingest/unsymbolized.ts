import type { Profile } from "@pyroscope-ts/protocol";

/** Above this share of bare addresses a flame graph says little. */
const MAX_ADDRESS_SHARE = 0.3;

/**
 * Whether more than 30 % of the places of a profile are addresses without a function: what an agent sends that finds no
 * symbols.
 */
export function isUnsymbolized({ locations, lines, functions, strings }: Profile): boolean {
  let bareCount = 0;
  for (let location = 0; location < locations.length; location++) {
    const line = locations.lineStart[location] ?? 0;
    // The last line of a location is the function that was really called.
    const end = locations.lineStart[location + 1] ?? 0;
    const name = line === end ? undefined : functions.name[lines.function[end - 1] ?? -1];
    if (name === undefined || isAddress(strings[name] ?? "")) bareCount++;
  }
  return bareCount > MAX_ADDRESS_SHARE * locations.length;
}

/** `0x7f3a9c` stands where an agent had no name; so does nothing at all. */
function isAddress(name: string): boolean {
  return name === "" || (name.startsWith("0x") && /^0x[0-9a-f]+$/i.test(name));
}
