import type { Profile, ValueType } from "@pyroscope-ts/protocol";
import { Refusal } from "./refusal.ts";

const MAX_INT64 = 2n ** 63n - 1n;

// Sums below this are exact enough in float64 to say that int64 holds them; larger ones are summed again exactly.
const SURELY_INT64 = 2 ** 62;

const HIGH_LANE_VALUE = 2 ** 32;

/**
 * Refuses profiles that decode, but could not be found or summed exactly once they were stored.
 *
 * @param profileName - `__name__` of the series.
 */
export function checkAdmissible(profile: Profile, profileName: string): Refusal | undefined {
  return checkProfileTypes(profile, profileName) ?? checkValues(profile);
}

function checkProfileTypes({ sampleTypes, periodType }: Profile, profileName: string): Refusal | undefined {
  const seen = new Set<string>();
  for (const { type, unit } of sampleTypes) {
    if (type.includes("-")) return new Refusal("malformed_profile", "sample type contains -");
    // The parts of a profile type id are joined by colons: with one inside, the id could never be selected.
    const parts = [profileName, type, unit, periodType?.type ?? "", periodType?.unit ?? ""];
    const part = parts.find((text) => text.includes(":"));
    if (part !== undefined) {
      return new Refusal("malformed_profile", `part ${JSON.stringify(part)} of the profile type contains :`);
    }
    // Two columns of one name would be one profile type, whose identity could count only one of them.
    const key = `${type}:${unit}`;
    if (seen.has(key)) return new Refusal("malformed_profile", `sample type ${key} stands twice`);
    seen.add(key);
  }
  return undefined;
}

/**
 * A value below zero is a difference between two profiles, not a profile: a flame graph of it has no widths. Pyroscope
 * drops such samples and answers 200, after which its totals are not those that were sent; here the profile is refused.
 */
function checkValues({ samples, sampleTypes }: Profile): Refusal | undefined {
  const width = sampleTypes.length;
  const { values } = samples;
  // 32-bit lanes: reading a BigInt64Array makes a BigInt for every element, ten times the cost.
  const lanes = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const sums = new Float64Array(width);
  for (let i = 0; i < values.length; i++) {
    const high = lanes[2 * i + 1] ?? 0;
    const column = i % width;
    if (high < 0) return negativeValue(values[i] ?? 0n, (i - column) / width, sampleTypes[column]);
    sums[column] = (sums[column] ?? 0) + high * HIGH_LANE_VALUE + ((lanes[2 * i] ?? 0) >>> 0);
  }
  const large = sums.findIndex((sum) => sum >= SURELY_INT64);
  return large === -1 ? undefined : checkExactSums(values, sampleTypes);
}

function negativeValue(value: bigint, row: number, sampleType: ValueType | undefined): Refusal {
  return new Refusal("malformed_profile", `sample ${row} has value ${value} ${sampleType?.unit}: negative`);
}

function checkExactSums(values: BigInt64Array, sampleTypes: readonly ValueType[]): Refusal | undefined {
  const width = sampleTypes.length;
  for (const [column, { type }] of sampleTypes.entries()) {
    let sum = 0n;
    for (let i = column; i < values.length; i += width) sum += values[i] ?? 0n;
    if (sum > MAX_INT64) {
      return new Refusal("malformed_profile", `sum of ${type} is ${sum}: above the largest int64`);
    }
  }
  return undefined;
}
