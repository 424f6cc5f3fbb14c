import { describe, expect, it } from "vitest";
import { LabelSets } from "../labels/label-set.ts";
import { toContext } from "../labels/sample-context.ts";
import { createFakeNative } from "../testing/fake-native.ts";
import { formatSamples } from "../testing/format-samples.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { createRecordingDiagnostics } from "../testing/recording-logger.ts";
import type { Recording } from "./profiler.ts";
import { runAtOnce } from "./slices.ts";
import type { WallProfilerOptions } from "./wall-profiler.ts";
import { WallProfiler } from "./wall-profiler.ts";

const sets = new LabelSets({ maxValues: 9, maxSets: 9, maxLabels: 9 }, () => undefined);

function createProfiler(more: Partial<WallProfilerOptions> = {}, hasFrames = false) {
  const native = createFakeNative(hasFrames);
  const clock = new ManualClock();
  const { diagnostics, lines } = createRecordingDiagnostics();
  const profiler = new WallProfiler({
    native,
    types: ["wall"],
    sampleRateHz: 100,
    windowMs: 15_000,
    isMainThread: true,
    platform: "linux",
    labelSets: sets,
    clock,
    diagnostics,
    ...more,
  });
  return { clock, lines, native, profiler };
}

function samplesOf(recording: Recording | undefined): readonly string[] {
  if (recording === undefined) return [];
  return runAtOnce(recording.convert()).flatMap(({ profile }) => formatSamples(profile));
}

describe("WallProfiler", () => {
  it("asks for contexts, CPU time and a buffer that holds more than one window", () => {
    const { native, profiler } = createProfiler({ windowMs: 300_000, sampleRateHz: 200 });

    profiler.start();

    expect(native.profilers[0]?.options).toMatchObject({
      intervalMicros: 5000,
      durationMillis: 300_000,
      withContexts: true,
      collectCpuTime: true,
      workaroundV8Bug: false,
      useCPED: false,
      isMainThread: true,
    });
  });

  it("reads V8's context slot where AsyncLocalStorage lives in it", () => {
    const { native, profiler } = createProfiler({}, true);

    profiler.start();

    expect(native.profilers[0]?.options.useCPED).toBe(true);
    expect(native.profilers[0]?.options.CPEDKey).toBeDefined();
    expect(profiler.labels.mechanism).toBe("async-context-frame");
  });

  it("asks for neither contexts nor CPU time on Windows, which has none", () => {
    const { native, profiler } = createProfiler({ platform: "win32" }, true);

    profiler.start();

    expect(native.profilers[0]?.options).toMatchObject({
      withContexts: false,
      collectCpuTime: false,
      useCPED: false,
    });
    expect(profiler.labels.mechanism).toBe("none");
  });

  it("disposes of a native profiler that cannot be read any more", () => {
    const { native, profiler } = createProfiler();
    profiler.start();
    const [running] = native.profilers;
    if (running === undefined) throw new Error("nothing runs");
    running.stop = () => {
      throw new Error("broken");
    };

    expect(() => profiler.stop()).toThrow("broken");
    expect(running.calls).toEqual(["start", "dispose"]);
    expect(profiler.stop()).toBeUndefined();
  });

  it("restarts one native profiler at the end of a window, and disposes of it at the end", () => {
    const { native, profiler } = createProfiler();
    profiler.start();
    profiler.start();
    native.profilers[0]?.tick("first");

    const first = profiler.collect();
    native.profilers[0]?.tick("second");
    const last = profiler.stop();

    expect(samplesOf(first)).toEqual(["first 10000000"]);
    expect(samplesOf(last)).toEqual(["second 10000000"]);
    expect(native.profilers.map(({ calls }) => calls)).toEqual([["start", "restart", "stop", "dispose"]]);
    expect(profiler.stop()).toBeUndefined();
    expect(() => profiler.collect()).toThrow(expect.objectContaining({ code: "PROFILER_FAILED" }));
  });

  it("leaves a sample its labels when as many were counted in the last window", () => {
    const { native, profiler } = createProfiler();
    profiler.start();
    const labelled = (value: string) => toContext(sets.merge(sets.empty, { route: value }));
    const [running] = native.profilers;
    const { labels } = profiler;
    let recording: Recording | undefined;

    labels.run(labelled("/a"), () => {
      running?.tick("first");
      labels.run(labelled("/a"), () => undefined, []);
      profiler.collect();
      running?.tick("second");
      labels.run(labelled("/b"), () => {
        recording = profiler.stop();
      }, []);
    }, []);

    expect(samplesOf(recording)).toEqual(["second {route=/a} 10000000"]);
  });

  it("knows which samples are after the end of their span, though the clock is set before they are written", () => {
    let aheadMs = 0;
    let nowMs = 1_000_000_000_000;
    // Moves by 10 µs when it is read.
    const clock = Object.assign(new ManualClock(), {
      nowUnixMs: () => {
        nowMs += 0.01;
        return Math.floor(nowMs + aheadMs);
      },
      nowMonotonicMs: () => nowMs - 1_000_000_000_000,
    });
    const { native, profiler } = createProfiler({ clock }, true);
    profiler.start();
    const [running] = native.profilers;
    if (running === undefined) throw new Error("nothing runs");
    const tree = running.stop(true);
    const span = { traceId: undefined, spanId: "00f067aa0ba902b7", name: undefined, endTimeMs: 5 };
    const context = { ...toContext(sets.empty), span };
    const [at, after] = [1_000_000_000_004_950n, 1_000_000_000_005_050n];
    const node = { ...tree.topDownRoot, name: "work", hitCount: 2 };
    running.stop = () => ({
      ...tree,
      topDownRoot: {
        ...tree.topDownRoot,
        children: [{ ...node, contexts: [at, after].map((timestamp) => ({ timestamp, context })) }],
      },
    });

    const recording = profiler.stop();
    aheadMs = 3_600_000;

    expect(samplesOf(recording)).toEqual(["work 10000000", "work {span_id=00f067aa0ba902b7} 10000000"]);
  });

  it("gives a native profiler back that does not start, and can start later", () => {
    const fake = createFakeNative();
    const { profiler } = createProfiler({
      native: {
        ...fake,
        createTimeProfiler(options) {
          const made = fake.createTimeProfiler(options);
          if (fake.profilers.length === 1 && fake.profilers[0] !== undefined)
            fake.profilers[0].startError = new Error("another profiler is already active");
          return made;
        },
      },
    });

    expect(() => profiler.start()).toThrow("another profiler is already active");
    profiler.start();

    expect(fake.profilers.map(({ calls }) => calls)).toEqual([["start", "dispose"], ["start"]]);
  });

  it("knows where a window began from where it ended", () => {
    const { clock, profiler } = createProfiler();
    profiler.start();

    const recording = profiler.collect();

    // The fake's window is 10 ms long.
    expect(recording.durationNanos).toBe(10_000_000n);
    expect(recording.startUnixNanos).toBe(BigInt(clock.nowUnixMs() - 10) * 1_000_000n);
  });

  it("heals itself when V8's bug is suspected twice in a row, but not certain", () => {
    const { native, profiler } = createProfiler();
    profiler.start();
    const [first] = native.profilers;
    if (first !== undefined) first.stuck = 1;

    profiler.collect();
    expect(first?.calls).toEqual(["start", "restart"]);
    profiler.collect();

    expect(native.profilers).toHaveLength(1);
    expect(first?.calls).toEqual(["start", "restart", "restart", "stop", "start"]);
  });

  it("heals itself at once when V8's bug is certain, and what is under way keeps its labels", () => {
    const { lines, native, profiler } = createProfiler({}, true);
    profiler.start();
    const before = profiler.labels;
    const [first] = native.profilers;
    if (first !== undefined) first.stuck = 2;

    profiler.collect();

    expect(native.profilers).toHaveLength(1);
    expect(first?.calls).toEqual(["start", "restart", "stop", "start"]);
    expect(profiler.labels).toBe(before);
    expect(lines).toHaveLength(1);
  });

  it("reports a native profiler that does not start, and can be stopped all the same", () => {
    const { native, profiler } = createProfiler();
    native.createTimeProfiler = () => {
      throw new Error("Only one profiler per thread");
    };

    expect(() => profiler.start()).toThrow(
      expect.objectContaining({
        code: "PROFILER_FAILED",
        message: expect.stringContaining("Only one profiler"),
      }),
    );
    expect(profiler.stop()).toBeUndefined();
  });

  it("goes on without line numbers where there is no inspector, and says so once", () => {
    const loadInspector = () => {
      throw new Error("no inspector");
    };
    const { lines, native, profiler } = createProfiler({ loadInspector });

    profiler.start();
    native.profilers[0]?.tick("main");

    expect(samplesOf(profiler.collect())).toEqual(["main 10000000"]);
    expect(samplesOf(profiler.stop())).toEqual([]);
    expect(lines).toEqual(["warn pyroscope: lineNumbers is of no effect: no inspector"]);
  });

  it("watches the event loop only where blocked turns have a profile, and only while it runs", () => {
    const watching = createProfiler({ blockThresholdMs: 50, windowMs: 1000 });
    const other = createProfiler({ windowMs: 1000 });

    for (const { profiler } of [watching, other]) profiler.start();
    expect([watching.clock.pendingCount, other.clock.pendingCount]).toEqual([1, 0]);

    watching.profiler.stop();
    expect(watching.clock.pendingCount).toBe(0);
  });

  it("reads a long window in pieces, which make one recording", async () => {
    const { clock, native, profiler } = createProfiler({ types: ["cpu", "wall"], windowMs: 10_000 });
    profiler.start();
    const [fake] = native.profilers;

    fake?.tick("first");
    await clock.advance(2500);
    fake?.tick("second");
    fake?.tick("first");
    await clock.advance(2500);
    fake?.tick("third");
    const recording = profiler.collect();

    expect(fake?.calls).toEqual(["start", "restart", "restart", "restart"]);
    // Each piece of the double lasts 10 ms.
    expect(recording.durationNanos).toBe(30_000_000n);
    const profiles = runAtOnce(recording.convert());
    expect(profiles.map(({ name, profile }) => [name, profile.durationNanos])).toEqual([
      ["process_cpu", 30_000_000n],
      ["wall", 30_000_000n],
    ]);
    expect(samplesOf(recording)).toEqual([
      "first 2000000",
      "second 1000000",
      "third 1000000",
      "first 20000000",
      "second 10000000",
      "third 10000000",
    ]);
    expect(samplesOf(profiler.stop())).toEqual([]);
    expect(clock.pendingCount).toBe(0);
  });

  it("counts pieces from the end of the last window, and reads short windows whole", async () => {
    const { clock, native, profiler } = createProfiler({ windowMs: 5000 });
    const short = createProfiler({ windowMs: 2500 });
    for (const each of [profiler, short.profiler]) each.start();

    await clock.advance(2000);
    profiler.collect();
    await clock.advance(2000);
    expect(native.profilers[0]?.calls).toEqual(["start", "restart"]);
    await clock.advance(500);
    expect(native.profilers[0]?.calls).toEqual(["start", "restart", "restart"]);

    await short.clock.advance(10_000);
    expect(short.native.profilers[0]?.calls).toEqual(["start"]);
  });

  it("takes another rate from the end of the window on, and loses no sample by it", () => {
    const { native, profiler } = createProfiler();
    profiler.start();

    native.profilers[0]?.tick("before");
    profiler.setSampleRate(50);
    native.profilers[0]?.tick("before");
    const before = profiler.collect();
    native.profilers[1]?.tick("after");

    expect(samplesOf(before)).toEqual(["before 20000000"]);
    expect(samplesOf(profiler.stop())).toEqual(["after 20000000"]);
    expect(native.profilers.map(({ options, calls }) => [options.intervalMicros, ...calls])).toEqual([
      [10_000, "start", "stop", "dispose"],
      [20_000, "start", "stop", "dispose"],
    ]);
  });
});
