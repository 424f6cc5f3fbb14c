import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { formatSamples } from "../testing/format-samples.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { GcProfiler } from "./gc-profiler.ts";
import type { Recording } from "./profiler.ts";
import { runAtOnce } from "./slices.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Records of collections come a turn of the event loop later. */
async function collectAndWait(): Promise<void> {
  collectGarbage();
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const samplesOf = (recording: Recording | undefined): readonly string[] =>
  recording === undefined
    ? []
    : runAtOnce(recording.convert()).flatMap(({ profile }) => formatSamples(profile));

describe("GcProfiler", () => {
  it("gives the collections of each window, and nothing after its stop", async () => {
    const clock = new ManualClock();
    const profiler = new GcProfiler(clock);
    expect(profiler.stop()).toBeUndefined();
    profiler.start();

    await collectAndWait();
    await clock.advance(1000);
    const first = profiler.collect();
    await collectAndWait();
    const last = profiler.stop();

    expect(samplesOf(first).join()).toMatch(/Node\.js Garbage Collection major \d{5,}/);
    expect(first.durationNanos).toBe(1_000_000_000n);
    expect(samplesOf(last).join()).toMatch(/Node\.js Garbage Collection major \d{5,}/);
    expect(profiler.stop()).toBeUndefined();
  });
});
