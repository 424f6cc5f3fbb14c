import { describe, expect, it } from "vitest";
import { createFakeNative } from "../testing/fake-native.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { createRecordingDiagnostics } from "../testing/recording-logger.ts";
import { AllocationSampler } from "./allocation-sampler.ts";
import type { AllocationTypeName } from "./allocation-windows.ts";
import { AllocationWindows } from "./allocation-windows.ts";
import type { Inspector } from "./inspector.ts";
import type { Recording } from "./profiler.ts";
import { runAtOnce } from "./slices.ts";

/** An inspector that refuses to sample with `refusal`. */
function createFakeInspector(calls: string[], refusal: Error | null): Inspector {
  const post = (method: string, _parameters: unknown, done: (error: Error | null) => void): void => {
    calls.push(method);
    done(refusal);
  };
  const session = {
    connect: () => undefined,
    disconnect: () => void calls.push("disconnect"),
    post,
    on: () => undefined,
  };
  const unused = () => undefined;
  // A session has a signature for each of its hundred methods; the sampler posts one.
  const createSession = () => session as unknown as ReturnType<Inspector["createSession"]>;
  return { createSession, console: { profile: unused, profileEnd: unused } };
}

function createWindows(types: readonly AllocationTypeName[] = [], refusal: Error | null = null) {
  const native = createFakeNative();
  const calls = native.heapCalls;
  const clock = new ManualClock();
  const recordings: Recording[] = [];
  const { diagnostics, lines } = createRecordingDiagnostics();
  const loadInspector = () => createFakeInspector(calls, refusal);
  const windows = new AllocationWindows({
    sampler: new AllocationSampler({ native, loadInspector, intervalBytes: 1024, stackDepth: 9 }),
    live: { heap: { pause: () => void calls.push("pause"), resume: () => void calls.push("resume") } },
    types,
    windowMs: 1000,
    periodMs: 60_000,
    intervalBytes: 1024,
    clock,
    random: () => 0,
    diagnostics,
    record: (recording) => void recordings.push(recording),
  });
  return { windows, calls, clock, recordings, lines, native };
}

describe("AllocationWindows", () => {
  it("has the heap sampler for itself during a window, and gives it back", async () => {
    const { windows, calls, clock, recordings } = createWindows();
    windows.start();

    const captured = windows.capture(2000);
    expect(calls).toEqual(["pause", "HeapProfiler.startSampling", "start 1024 9"]);
    await clock.advance(2000);

    expect(await captured).toEqual({ ok: true, error: undefined });
    expect(calls.slice(3)).toEqual(["read", "stop", "disconnect", "resume"]);
    expect(recordings.map(({ durationNanos }) => durationNanos)).toEqual([2_000_000_000n]);
  });

  it("lets a second call join the window that is on", async () => {
    const { windows, clock, recordings } = createWindows();
    windows.start();

    const both = Promise.all([windows.capture(2000), windows.capture(9000)]);
    await clock.advance(2000);

    expect((await both).map(({ ok }) => ok)).toEqual([true, true]);
    expect(recordings).toHaveLength(1);
  });

  it("records windows by a schedule, each with its own length, where types are wanted", async () => {
    const scheduled = createWindows(["alloc_space"]);
    const other = createWindows();
    for (const { windows } of [scheduled, other]) windows.start();

    for (const { clock } of [scheduled, other]) await clock.advance(130_000);

    expect(scheduled.recordings.map(({ durationNanos }) => durationNanos)).toEqual([
      1_000_000_000n,
      1_000_000_000n,
    ]);
    expect(other.recordings).toEqual([]);
    expect(scheduled.windows.scheduledTypes).not.toEqual([]);
    expect(other.windows.scheduledTypes).toEqual([]);
  });

  it("keeps what a window has when it is stopped, with its true length", async () => {
    const { windows, clock, recordings } = createWindows();
    windows.start();
    const captured = windows.capture(10_000);
    await clock.advance(300);

    windows.stop();

    expect((await captured).ok).toBe(true);
    expect(recordings.map(({ durationNanos }) => durationNanos)).toEqual([300_000_000n]);
    expect(await windows.capture(1000)).toEqual({ ok: false, error: "nothing is profiled" });
    expect(clock.pendingCount).toBe(0);
  });

  it("gives the heap sampler back where it cannot start", async () => {
    const { windows, calls, lines } = createWindows([], new Error("already started"));
    windows.start();

    expect(await windows.capture(1000)).toEqual({
      ok: false,
      error: "starting the allocation profiler: already started",
    });
    expect(calls).toEqual(["pause", "HeapProfiler.startSampling", "disconnect", "resume"]);
    expect(lines).toEqual(["warn pyroscope: starting the allocation profiler: already started"]);
  });

  it("gives the heap sampler back where another profiler stopped it", async () => {
    const { windows, calls, clock, recordings, native } = createWindows();
    windows.start();
    const captured = windows.capture(1000);
    native.stopHeapFromElsewhere();

    await clock.advance(1000);

    expect((await captured).ok).toBe(false);
    expect(recordings).toEqual([]);
    expect(calls.at(-1)).toBe("resume");
  });

  it("makes no profile of no allocation", async () => {
    const { windows, clock, recordings } = createWindows();
    windows.start();
    const captured = windows.capture(1000);
    await clock.advance(1000);
    await captured;

    expect(recordings.flatMap((recording) => runAtOnce(recording.convert()))).toEqual([]);
  });
});
