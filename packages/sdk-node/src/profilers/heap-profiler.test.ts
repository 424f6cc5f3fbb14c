import { describe, expect, it } from "vitest";
import { createFakeNative } from "../testing/fake-native.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { createRecordingDiagnostics } from "../testing/recording-logger.ts";
import { HeapProfiler } from "./heap-profiler.ts";

function createProfiler() {
  const native = createFakeNative();
  const clock = new ManualClock();
  const { diagnostics } = createRecordingDiagnostics();
  const types = ["inuse_space"] as const;
  const profiler = new HeapProfiler({
    sampler: native,
    types,
    intervalBytes: 1024,
    stackDepth: 9,
    clock,
    diagnostics,
  });
  return { profiler, native, clock };
}

describe("HeapProfiler", () => {
  it("has nothing to say while it is paused, and begins anew afterwards", async () => {
    const { profiler, native, clock } = createProfiler();
    profiler.start();

    profiler.pause();
    profiler.pause();
    expect([profiler.collect(), profiler.snapshot()]).toEqual([undefined, undefined]);
    await clock.advance(5000);
    profiler.resume();
    profiler.resume();
    await clock.advance(1000);

    expect(profiler.collect()?.durationNanos).toBe(1_000_000_000n);
    expect(native.heapCalls).toEqual(["start 1024 9", "stop", "start 1024 9", "read"]);
  });

  it("leaves the sampler to whoever paused it, also when it is stopped and started meanwhile", () => {
    const { profiler, native } = createProfiler();
    profiler.start();
    profiler.pause();

    expect(profiler.stop()).toBeUndefined();
    profiler.start();
    expect(profiler.collect()).toBeUndefined();
    expect(native.heapCalls).toEqual(["start 1024 9", "stop"]);
    profiler.resume();

    expect(profiler.collect()).toBeDefined();
    expect(native.heapCalls).toEqual(["start 1024 9", "stop", "start 1024 9", "read"]);
  });

  it("does not begin by being resumed", () => {
    const { profiler, native } = createProfiler();

    profiler.pause();
    profiler.resume();

    expect(native.heapCalls).toEqual([]);
  });
});
