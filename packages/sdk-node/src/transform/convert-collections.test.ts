import { describe, expect, it } from "vitest";
import { runAtOnce } from "../profilers/slices.ts";
import { formatSamples } from "../testing/format-samples.ts";
import { convertCollections } from "./convert-collections.ts";

const window = { startUnixNanos: 7n, durationNanos: 9n };

describe("convertCollections", () => {
  it("gives each sort of collection its nanoseconds", () => {
    const totals = new Map([
      ["minor", 1.5],
      ["major", 20],
    ]);

    const [typed] = runAtOnce(convertCollections(totals, window));

    expect(typed).toMatchObject({ type: "gc", name: "gc" });
    expect(typed?.profile).toMatchObject({
      sampleTypes: [{ type: "gc", unit: "nanoseconds" }],
      periodType: undefined,
      timeUnixNanos: 7n,
      durationNanos: 9n,
    });
    expect(typed && formatSamples(typed.profile)).toEqual([
      "Node.js Garbage Collection major 20000000",
      "Node.js Garbage Collection minor 1500000",
    ]);
  });

  it("makes no profile of none", () => {
    expect(runAtOnce(convertCollections(new Map(), window))).toEqual([]);
  });
});
