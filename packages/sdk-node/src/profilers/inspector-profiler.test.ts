import { describe, expect, it } from "vitest";
import { formatSamples } from "../testing/format-samples.ts";
import { ManualClock, settle } from "../testing/manual-clock.ts";
import { createRecordingDiagnostics } from "../testing/recording-logger.ts";
import { findCpuClock } from "./cpu-clock.ts";
import type { InspectorSession } from "./inspector.ts";
import { loadInspector } from "./inspector.ts";
import { InspectorHeapSampler } from "./inspector-heap-sampler.ts";
import { InspectorProfiler } from "./inspector-profiler.ts";
import type { Recording } from "./profiler.ts";
import { runAtOnce } from "./slices.ts";

type Answer = (error: Error | null, result?: unknown) => void;

const frame = (functionName: string) => ({
  functionName,
  url: functionName.startsWith("(") ? "" : "file:///srv/app.js",
  scriptId: "7",
  lineNumber: 3,
  columnNumber: 0,
});

const profile = {
  startTime: 0,
  endTime: 50_000,
  nodes: [
    { id: 1, callFrame: frame("(root)"), hitCount: 0, children: [2, 3] },
    { id: 2, callFrame: frame("handle"), hitCount: 2, children: [4] },
    { id: 3, callFrame: frame("(idle)"), hitCount: 1 },
    { id: 4, callFrame: frame("parse"), hitCount: 2 },
  ],
};

/** A session of a runtime that answers at once, as Node does, or later. */
function createProfiler(isLate: boolean) {
  const posted: string[] = [];
  const waiting: (() => void)[] = [];
  const session = {
    connect: () => void posted.push("connect"),
    disconnect: () => void posted.push("disconnect"),
    on: () => session,
    post(method: string, params: unknown, callback?: Answer) {
      posted.push(method);
      const answer = typeof params === "function" ? (params as Answer) : callback;
      const tell = () => answer?.(null, method === "Profiler.stop" ? { profile } : {});
      if (isLate) waiting.push(tell);
      else tell();
    },
  } as unknown as InspectorSession;
  let cpuMicros = 0;
  const clock = new ManualClock();
  const { diagnostics, lines } = createRecordingDiagnostics();
  const profiler = new InspectorProfiler({
    loadInspector: () => ({ ...loadInspector(), createSession: () => session }),
    types: ["cpu", "wall"],
    sampleRateHz: 100,
    readCpuMicros: () => cpuMicros,
    clock,
    diagnostics,
  });
  return {
    clock,
    lines,
    posted,
    profiler,
    spend: (micros: number) => {
      cpuMicros += micros;
    },
    answer: () => {
      for (const tell of waiting.splice(0)) tell();
    },
  };
}

const read = (recording: Recording | undefined): readonly string[] =>
  recording === undefined
    ? []
    : runAtOnce(recording.convert()).map(
        ({ type, profile }) => `${type}: ${formatSamples(profile).join("; ")}`,
      );

describe("InspectorProfiler", () => {
  it("shares the CPU time of a window among the ticks at work, and gives the rest to other threads", () => {
    const { profiler, spend } = createProfiler(false);
    profiler.start();
    spend(20_000);

    expect(read(profiler.collect())).toEqual([
      "cpu: handle 10000000; handle parse 10000000",
      "wall: handle 20000000; handle parse 20000000",
    ]);
    spend(50_000);
    expect(read(profiler.stop())[0]).toBe(
      "cpu: Node.js Non JS threads activity 10000000; handle 20000000; handle parse 20000000",
    );
  });

  it("begins the next window when it ends one, and ends its session when it stops", () => {
    const { posted, profiler } = createProfiler(false);
    profiler.start();
    profiler.collect();
    profiler.stop();

    expect(posted.slice(3)).toEqual([
      "Profiler.start",
      "Profiler.stop",
      "Profiler.start",
      "Profiler.stop",
      "disconnect",
    ]);
    expect(profiler.stop()).toBeUndefined();
  });

  it("waits for a runtime that answers later", async () => {
    const { answer, posted, profiler } = createProfiler(true);
    profiler.start();
    const recording = profiler.stop();

    expect(read(recording)).toEqual([]);
    expect(posted).not.toContain("disconnect");
    answer();
    await recording?.ready;

    expect(read(recording)).toHaveLength(1);
    expect(posted.at(-1)).toBe("disconnect");
  });

  it("gives up on a runtime that never answers", async () => {
    const { clock, profiler } = createProfiler(true);
    profiler.start();
    const recording = profiler.collect();
    await clock.advance(1000);
    await settle();
    await recording.ready;

    expect(read(recording)).toEqual([]);
  });

  it("names the functions that ran, with this Node's own inspector", () => {
    const profiler = new InspectorProfiler({
      loadInspector,
      types: ["cpu", "wall"],
      sampleRateHz: 1000,
      readCpuMicros: findCpuClock(true),
      clock: new ManualClock(),
      diagnostics: createRecordingDiagnostics().diagnostics,
    });
    profiler.start();
    const burnInspected = () => {
      const before = process.cpuUsage();
      while (process.cpuUsage(before).user < 25_000) for (let i = 0; i < 1000; i++) Math.sqrt(i);
    };
    burnInspected();

    const [cpu, wall] = read(profiler.stop());
    expect(cpu).toContain("burnInspected");
    expect(wall).toContain("burnInspected");
  });
});

describe("InspectorHeapSampler", () => {
  it("finds what is alive by who allocated it, until it is stopped", () => {
    const sampler = new InspectorHeapSampler(loadInspector);
    const retainInspected = () => Array.from({ length: 20_000 }, (_, i) => ({ i }));

    sampler.startHeapSampler(1024, 64);
    const kept = retainInspected();
    const tree = JSON.stringify(sampler.readHeapSampler());
    sampler.stopHeapSampler();

    expect(kept).toHaveLength(20_000);
    expect(tree).toContain("retainInspected");
    expect(() => sampler.readHeapSampler()).toThrow(expect.objectContaining({ code: "PROFILER_FAILED" }));
  });
});
