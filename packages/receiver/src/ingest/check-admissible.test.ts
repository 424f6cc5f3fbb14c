import { type Profile, ProfileBuilder, type ValueType } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { checkAdmissible } from "./check-admissible.ts";

const MAX = 2n ** 63n - 1n;
const cpu = { type: "cpu", unit: "nanoseconds" };

function profileOf(
  samples: readonly (readonly bigint[])[],
  sampleTypes: readonly ValueType[] = [cpu],
  periodType?: ValueType,
): Profile {
  const builder = new ProfileBuilder({ sampleTypes, periodType });
  for (const [i, values] of samples.entries()) {
    builder.addSample([builder.location({ address: BigInt(i + 1) })], values);
  }
  return builder.build();
}

const check = (...args: Parameters<typeof profileOf>) =>
  checkAdmissible(profileOf(...args), "process_cpu")?.message;

describe("checkAdmissible", () => {
  it("takes a profile without samples, with zeros, and with sums up to the largest int64", () => {
    expect(check([])).toBeUndefined();
    expect(check([[0n]])).toBeUndefined();
    expect(check([[MAX - 5n], [5n]])).toBeUndefined();
  });

  it("refuses a sum above the largest int64, in any column", () => {
    const types = [{ type: "samples", unit: "count" }, cpu];

    expect(check([[MAX], [1n]])).toBe(`sum of cpu is ${MAX + 1n}: above the largest int64`);
    expect(
      check(
        [
          [1n, MAX],
          [1n, MAX],
        ],
        types,
      ),
    ).toBe(`sum of cpu is ${2n * MAX}: above the largest int64`);
  });

  it.for([-1n, -(2n ** 63n)])("refuses the value %s", (value) => {
    const types = [{ type: "samples", unit: "count" }, cpu];

    expect(
      check(
        [
          [1n, 1n],
          [1n, value],
        ],
        types,
      ),
    ).toBe(`sample 1 has value ${value} nanoseconds: negative`);
  });

  it("refuses a sample type with a dash, with Pyroscope's text", () => {
    expect(check([], [{ type: "inuse-space", unit: "bytes" }])).toBe("sample type contains -");
  });

  it("takes a dash in a unit, and names with blanks", () => {
    expect(check([], [{ type: "in use", unit: "kilo-bytes" }])).toBeUndefined();
  });

  it.for([
    ["sample type", [{ type: "a:b", unit: "c" }], undefined],
    ["unit", [{ type: "a", unit: "a:b" }], undefined],
    ["period type", [cpu], { type: "a:b", unit: "" }],
    ["period unit", [cpu], { type: "", unit: "a:b" }],
  ] as const)("refuses a colon in the %s", ([, sampleTypes, periodType]) => {
    expect(check([], sampleTypes, periodType)).toBe('part "a:b" of the profile type contains :');
  });

  it("refuses a colon in the profile name", () => {
    expect(checkAdmissible(profileOf([]), "a:b")?.reason).toBe("malformed_profile");
  });

  it("refuses a sample type that stands twice; the same type in two units is two", () => {
    expect(check([], [cpu, cpu])).toBe("sample type cpu:nanoseconds stands twice");
    expect(check([], [cpu, { type: "cpu", unit: "count" }])).toBeUndefined();
  });
});
