import { type Profile, ProfileBuilder } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { joinProfiles } from "./join-profiles.ts";

function draw(type: string, unit: string, samples: Readonly<Record<string, bigint>>): Profile {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type, unit }],
    defaultSampleType: type,
    durationNanos: 5n,
    timeUnixNanos: 7n,
  });
  for (const [name, value] of Object.entries(samples)) {
    builder.addSample([builder.location({ lines: [{ function: builder.function({ name }) }] })], [value], []);
  }
  return builder.build();
}

describe("joinProfiles", () => {
  it("puts the values of equal stacks side by side", () => {
    const space = draw("inuse_space", "bytes", { both: 100n, large: 50n });
    const objects = draw("inuse_objects", "count", { both: 3n, small: 1n });

    const joined = joinProfiles([space, objects]);

    expect(joined.sampleTypes).toEqual([
      { type: "inuse_space", unit: "bytes" },
      { type: "inuse_objects", unit: "count" },
    ]);
    expect([...joined.samples.values]).toEqual([100n, 3n, 50n, 0n, 0n, 1n]);
    expect(joined).toMatchObject({ durationNanos: 5n, timeUnixNanos: 7n, defaultSampleType: "inuse_space" });
  });

  it("leaves one profile as it is", () => {
    const joined = joinProfiles([draw("inuse_space", "bytes", { a: 1n })]);

    expect([...joined.samples.values]).toEqual([1n]);
  });
});
