import { gunzipSync } from "node:zlib";
import { decodePprof } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { Agent } from "./agent.ts";
import type { ProfileUpload } from "./exporters/exporter.ts";
import { toContext } from "./labels/sample-context.ts";
import type { PyroscopeOptions } from "./options.ts";
import { resolveConfig } from "./resolve-config.ts";
import { createResource } from "./resource.ts";
import { createFakeNative, noInspector } from "./testing/fake-native.ts";
import { formatSamples } from "./testing/format-samples.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { MemoryHelper } from "./testing/memory-exporter.ts";
import { createRecordingDiagnostics } from "./testing/recording-logger.ts";

function createAgent(options: PyroscopeOptions = {}, platform: NodeJS.Platform = "linux") {
  const native = createFakeNative();
  const clock = new ManualClock();
  const helper = new MemoryHelper();
  const { exporter } = helper;
  const { diagnostics, lines } = createRecordingDiagnostics();
  const { config } = resolveConfig({ applicationName: "app", ...options }, {});
  const agent = new Agent({
    config,
    native,
    loadInspector: noInspector,
    helper,
    resource: createResource(config),
    clock,
    random: () => 0.5,
    diagnostics,
    isMainThread: true,
    platform,
  });
  return { agent, clock, exporter, helper, lines, native };
}

/** Each upload as its profiles, each as its name and samples. */
function read({ uploads }: { readonly uploads: readonly ProfileUpload[] }): readonly (readonly string[])[] {
  return uploads.map(({ profiles }) =>
    profiles.map(({ name, pprof }) => `${name}: ${formatSamples(decodePprof(gunzipSync(pprof))).join("; ")}`),
  );
}

describe("Agent", () => {
  it("sends each window as one upload with every profile of it", async () => {
    const { agent, exporter, helper, native } = createAgent({ profileTypes: ["cpu", "wall"] });
    agent.start();

    native.profilers[0]?.tick("first");
    await agent.flush(1000);
    native.profilers[0]?.tick("second");
    const result = await agent.stop(1000);

    expect(result).toEqual({ ok: true, waitingCount: 0, error: undefined });
    expect(read(exporter)).toEqual([
      ["process_cpu: first 1000000", "wall: first 10000000"],
      ["process_cpu: second 1000000", "wall: second 10000000"],
    ]);
    expect([exporter.isShutDown, helper.isShutDown]).toEqual([true, true]);
  });

  it("sends nothing for a window without samples", async () => {
    const { agent, exporter } = createAgent({ profileTypes: ["wall"] });
    agent.start();

    expect(await agent.flush(1000)).toEqual({ ok: true, waitingCount: 0, error: undefined });

    expect(exporter.uploads).toEqual([]);
    await agent.stop(1000);
  });

  it("collects at every period by itself", async () => {
    const { agent, clock, native } = createAgent({ profileTypes: ["wall"], uploadRate: "2s" });
    agent.start();

    await clock.advance(1600);

    expect(native.profilers[0]?.calls).toEqual(["start", "restart"]);
    await agent.stop(1000);
  });

  it("puts labels of the asynchronous context on samples", async () => {
    const { agent, exporter, native } = createAgent({ profileTypes: ["wall"] });
    agent.start();

    const labels = agent.labelSets.merge(agent.labelSets.empty, { route: "/a" });
    agent.labels.run(toContext(labels), () => native.profilers[0]?.tick("work"), []);
    await agent.stop(1000);

    expect(read(exporter)).toEqual([["wall: work {route=/a} 10000000"]]);
  });

  it("names the window's time and the process in every upload", async () => {
    const { agent, clock, exporter, native } = createAgent({
      profileTypes: ["wall"],
      tags: { region: "eu" },
    });
    agent.start();
    native.profilers[0]?.tick("work");

    await agent.stop(1000);

    const endUnixMs = clock.nowUnixMs();
    expect(exporter.uploads[0]).toMatchObject({ startUnixMs: endUnixMs - 10, endUnixMs });
    expect(exporter.uploads[0]?.labels.map(({ name }) => name)).toEqual([
      "__session_id__",
      "otel.scope.name",
      "otel.scope.version",
      "process.runtime.name",
      "process.runtime.version",
      "region",
      "service_name",
    ]);
    expect(new Set(exporter.uploads[0]?.profiles.map(({ id }) => id)).size).toBe(1);
  });

  it("reads the heap before the wall profiler, whose reading allocates", async () => {
    const { agent, exporter, native } = createAgent();
    const order: string[] = [];
    const { readHeapSampler } = native;
    native.readHeapSampler = () => {
      order.push(`heap, wall ${native.profilers[0]?.calls.at(-1)}`);
      return readHeapSampler();
    };
    agent.start();

    await agent.flush(1000);

    expect(order).toEqual(["heap, wall start"]);
    expect(read(exporter)[0]?.[0]).toMatch(/^memory: \(external\)/);
    await agent.stop(1000);
  });

  it("starts a heap sampler again that somebody else stopped, says so once, and keeps the other profiles", async () => {
    const { agent, exporter, lines, native } = createAgent();
    agent.start();
    native.profilers[0]?.tick("work");
    native.stopHeapFromElsewhere();

    await agent.flush(1000);
    await agent.stop(1000);

    expect(native.heapCalls).toEqual(["start 524288 64", "read", "start 524288 64", "read", "stop"]);
    expect(read(exporter)[0]?.map((profile) => profile.split(":")[0])).toEqual(["process_cpu", "wall"]);
    expect(lines.filter((line) => line.includes("another profiler"))).toHaveLength(1);
  });

  it("goes on with the profilers that start, and fails only when none does", async () => {
    const { agent, exporter, native } = createAgent();
    native.createTimeProfiler = () => {
      throw new Error("no");
    };
    agent.start();
    await agent.stop(1000);
    expect(read(exporter)[0]?.map((profile) => profile.split(":")[0])).toEqual(["memory"]);

    const cpuOnly = createAgent({ profileTypes: ["cpu"] });
    cpuOnly.native.createTimeProfiler = native.createTimeProfiler;
    expect(() => cpuOnly.agent.start()).toThrow(expect.objectContaining({ code: "PROFILER_FAILED" }));
  });

  it("gives wall time without CPU and labels on Windows, with one warning", async () => {
    const { agent, exporter, lines, native } = createAgent({ profileTypes: ["cpu", "wall"] }, "win32");
    agent.start();
    native.profilers[0]?.tick("work");

    await agent.stop(1000);

    expect(read(exporter)).toEqual([["wall: work 10000000"]]);
    expect(lines).toEqual([expect.stringMatching(/^warn .*Windows/)]);
  });

  it("stops at once, stops once, and answers every call for it", async () => {
    const { agent, native } = createAgent({ profileTypes: ["wall"] });
    agent.start();

    const first = agent.stop(1000);

    expect(native.profilers[0]?.calls).toEqual(["start", "stop", "dispose"]);
    expect(agent.stop(5)).toBe(first);
    await first;
  });

  it("says what was lost when the server does not answer in time", async () => {
    const { agent, clock, exporter, lines, native } = createAgent({ profileTypes: ["wall"] });
    exporter.export = () => new Promise(() => undefined);
    agent.start();
    native.profilers[0]?.tick("work");

    const stopping = agent.stop(1500);
    expect(clock.holdingCount).toBe(1);
    // Compression runs on another thread: real time passes until the upload waits.
    while (agent.uploads.waitingCount === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1500);

    await expect(stopping).resolves.toEqual({
      ok: false,
      waitingCount: 1,
      error: "no answer within 1500 ms",
    });
    expect(lines.at(-1)).toContain("stopped with 1 windows not sent");
    expect(agent.uploads).toMatchObject({ sentCount: 0, droppedCount: 1 });
    expect(clock.holdingCount).toBe(0);
  });

  it("makes the window longer while the last one is still being converted", async () => {
    const { agent, clock, native } = createAgent({ profileTypes: ["wall"], uploadRate: 1000 });
    agent.start();
    native.profilers[0]?.tick("work");

    // The first window's compression needs the event loop, which does not turn in between.
    await clock.advance(3000);

    expect(native.profilers[0]?.calls).toEqual(["start", "restart"]);
    await agent.stop(1000);
  });

  it("survives a stop in the turn in which a window ends", async () => {
    for (const stopsFirst of [true, false]) {
      const { agent, clock, native, lines } = createAgent({ profileTypes: ["wall"], uploadRate: 1000 });
      let stopped: Promise<unknown> | undefined;
      const stop = () => {
        stopped = agent.stop(1000);
      };
      // With random() at 0.5 the first window ends after 750 ms.
      if (stopsFirst) clock.after(750, stop);
      agent.start();
      if (!stopsFirst) clock.after(750, stop);
      native.profilers[0]?.tick("work");

      await clock.advance(750);

      expect(await stopped).toMatchObject({ ok: true });
      expect(native.profilers[0]?.calls.slice(-2)).toEqual(["stop", "dispose"]);
      expect(lines.filter((line) => line.startsWith("warn"))).toEqual([]);
    }
  });

  it("says so where none of the profile types is possible", () => {
    const { agent } = createAgent({ profileTypes: ["block"] }, "win32");

    expect(() => agent.start()).toThrow("profileTypes=block: none of them is possible on win32");
  });

  it("sends all that is left at the exit of the process, also a window on its way to the queue", async () => {
    const { agent, exporter, helper, native } = createAgent({ profileTypes: ["wall"] });
    const finished: (readonly string[])[] = [];
    helper.finish = (batches, timeoutMs) => {
      const uploads = batches.flatMap((batch) => batch.uploads);
      finished.push([`${timeoutMs} ms`, ...read({ uploads }).flat()]);
      return uploads.length;
    };
    agent.start();
    native.profilers[0]?.tick("first");
    void agent.flush(1000);
    native.profilers[0]?.tick("second");

    agent.finish(1500);

    expect(finished).toEqual([["1500 ms", "wall: first 10000000", "wall: second 10000000"]]);
    expect(native.profilers[0]?.calls).toEqual(["start", "restart", "stop", "dispose"]);
    // What was on its way must not be sent once more.
    await new Promise((resolve) => setImmediate(resolve));
    expect(exporter.uploads).toEqual([]);
  });

  it("says at the exit what was not sent", () => {
    const { agent, helper, lines, native } = createAgent({ profileTypes: ["wall"] });
    helper.finish = () => 0;
    agent.start();
    native.profilers[0]?.tick("work");

    agent.finish(1500);

    expect(lines.at(-1)).toBe("warn pyroscope: exited with 1 windows not sent within 1500 ms");
  });

  it("survives an exporter that throws at the exit", () => {
    const { agent, helper, lines, native } = createAgent({ profileTypes: ["wall"] });
    helper.finish = () => {
      throw new Error("no shared memory");
    };
    agent.start();
    native.profilers[0]?.tick("work");

    agent.finish(1500);

    expect(lines.at(-1)).toContain("sending the last window: no shared memory");
  });

  it("sends nothing at the exit where that is not wanted, and stops the profilers", () => {
    const { agent, helper, native } = createAgent({ profileTypes: ["wall"] });
    helper.finish = () => {
      throw new Error("called");
    };
    agent.start();

    agent.finish(0);

    expect(native.profilers[0]?.calls).toEqual(["start", "stop", "dispose"]);
  });

  it("takes fewer samples while windows cost more than the budget, and as many as before when they do not", async () => {
    const { agent, clock, exporter, helper, lines, native } = createAgent({
      profileTypes: ["wall"],
      uploadRate: "2s",
      overheadBudget: 3,
    });
    agent.start();
    const intervals = () => native.profilers.map(({ options }) => options.intervalMicros);
    const runWindows = async (seconds: number) => {
      for (let i = 0; i < seconds; i++) {
        native.profilers.at(-1)?.tick("work");
        await clock.advance(1000);
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      }
    };

    helper.encodeMs = 100;
    await runWindows(14);
    expect(intervals()).toEqual([10_000, 20_000]);
    expect(agent.overhead).toMatchObject({ sampleRateHz: 50, budgetPercent: 3 });

    helper.encodeMs = 0;
    await runWindows(30);
    expect(intervals()).toEqual([10_000, 20_000, 10_000]);
    expect(lines.filter((line) => line.includes("overheadBudget=3"))).toHaveLength(1);
    // Nothing is lost where the rate changes.
    await agent.stop(1000);
    const total = read(exporter)
      .flat()
      .filter((profile) => profile.includes("work"));
    expect(total).toHaveLength(exporter.uploads.length);
  });
});
