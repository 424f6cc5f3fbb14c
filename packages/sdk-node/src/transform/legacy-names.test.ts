import { ProfileBuilder } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import type { TypedProfile } from "../profilers/profiler.ts";
import { formatSamples } from "../testing/format-samples.ts";
import { toLegacyNames } from "./legacy-names.ts";

function draw(type: TypedProfile["type"], name: string): TypedProfile {
  const builder = new ProfileBuilder({
    sampleTypes: [{ type, unit: "count" }],
    periodType: { type: "p", unit: "u" },
  });
  const stack = [
    { name: "price", file: "/srv/app/src/cart.ts", startLine: 12 },
    { name: "price", file: "/srv/app/src/cart.ts", startLine: 40 },
    { name: "readFileSync", file: "node:fs", startLine: 3 },
    { name: "other", file: "/srv/application/x.js", startLine: 1 },
    { name: "(program)" },
  ];
  const rows = stack.map((fn) => builder.location({ lines: [{ function: builder.function(fn) }] }));
  builder.addSample(rows, [1n], []);
  return { type, name, profile: builder.build() };
}

describe("toLegacyNames", () => {
  it("puts file, function and line into the names of functions", () => {
    const { profile } = toLegacyNames(draw("wall", "wall"), "/srv/app");

    expect(formatSamples(profile)).toEqual([
      ":(program):0 /srv/application/x.js:other:1 node:fs:readFileSync:3 ./src/cart.ts:price:40 ./src/cart.ts:price:12 1",
    ]);
  });

  it.for([
    ["cpu", "process_cpu", "wall", { type: "wall", unit: "nanoseconds" }],
    ["wall", "wall", "wall", { type: "wall", unit: "nanoseconds" }],
    ["inuse_objects", "memory", "memory", { type: "inuse_space", unit: "bytes" }],
    ["inuse_space", "memory", "memory", { type: "inuse_space", unit: "bytes" }],
  ] as const)("gives %s of %s the name %s and its period type", ([type, name, legacyName, periodType]) => {
    const renamed = toLegacyNames(draw(type, name), "/srv/app");

    expect([renamed.name, renamed.profile.periodType]).toEqual([legacyName, periodType]);
  });

  it("leaves what it is given as it was", () => {
    const typed = draw("cpu", "process_cpu");
    const before = formatSamples(typed.profile);

    toLegacyNames(typed, "/srv/app");

    expect(formatSamples(typed.profile)).toEqual(before);
  });
});
