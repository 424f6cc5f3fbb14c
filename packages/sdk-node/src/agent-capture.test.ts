import { gunzipSync } from "node:zlib";
import { decodePprof } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { Agent } from "./agent.ts";
import type { PyroscopeOptions } from "./options.ts";
import { PullSource } from "./pull-source.ts";
import { resolveConfig } from "./resolve-config.ts";
import { createResource } from "./resource.ts";
import { createFakeNative, noInspector } from "./testing/fake-native.ts";
import { formatSamples } from "./testing/format-samples.ts";
import { ManualClock, settle } from "./testing/manual-clock.ts";
import { type MemoryExporter, MemoryHelper } from "./testing/memory-exporter.ts";
import { createRecordingDiagnostics } from "./testing/recording-logger.ts";

function createRunningAgent(options: PyroscopeOptions = {}) {
  const native = createFakeNative();
  const clock = new ManualClock();
  const helper = new MemoryHelper(options.protocol === "none" ? [] : undefined);
  const { exporter } = helper;
  const { diagnostics, lines } = createRecordingDiagnostics();
  const { config } = resolveConfig({ applicationName: "app", profileTypes: ["wall"], ...options }, {});
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
    platform: "linux",
  });
  agent.start();
  const pulls = new PullSource({ clock, current: () => agent });
  const tick = (name: string) => native.profilers[0]?.tick(name);
  return { agent, clock, exporter, lines, native, pulls, tick };
}

const readUploads = ({ uploads }: MemoryExporter): readonly string[] =>
  uploads.flatMap(({ profiles }) =>
    profiles.flatMap(({ pprof }) => formatSamples(decodePprof(gunzipSync(pprof)))),
  );

function createGate(): { readonly opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const never = new AbortController().signal;

describe("Agent.capture", () => {
  it("gives what was sampled in its time, while every sample is pushed", async () => {
    const { agent, exporter, tick } = createRunningAgent();
    const until = createGate();

    tick("before");
    const captured = agent.capture("wall", until.opened);
    tick("first");
    await agent.flush(1000);
    tick("second");
    until.open();
    const profile = await captured;
    tick("after");
    await agent.stop(1000);

    expect(profile && formatSamples(profile)).toEqual(["first 10000000", "second 10000000"]);
    expect(readUploads(exporter).map((line) => line.split(" ")[0])).toEqual([
      "before",
      "first",
      "second",
      "after",
    ]);
  });

  it("ends with the run", async () => {
    const { agent, tick, lines } = createRunningAgent();
    const until = createGate();

    const captured = agent.capture("wall", until.opened);
    tick("last");
    await agent.stop(1000);
    until.open();

    const profile = await captured;
    expect(profile && formatSamples(profile)).toEqual(["last 10000000"]);
    expect(lines.filter((line) => line.startsWith("warn"))).toEqual([]);
  });

  it("sends nothing with the protocol none", async () => {
    const { agent, exporter, tick } = createRunningAgent({ protocol: "none" });
    const until = createGate();

    const captured = agent.capture("wall", until.opened);
    tick("first");
    until.open();
    const profile = await captured;
    tick("second");

    expect(await agent.stop(1000)).toMatchObject({ ok: true });
    expect(profile && formatSamples(profile)).toEqual(["first 10000000"]);
    expect(exporter.uploads).toEqual([]);
  });
});

describe("PullSource", () => {
  it("takes one profile of a kind at a time", async () => {
    const { agent, clock, pulls } = createRunningAgent({ profileTypes: ["cpu", "wall"] });

    const first = pulls.pull("wall", 1000, never);
    const other = pulls.pull("cpu", 1000, never);

    expect(await pulls.pull("wall", 1000, never)).toMatchObject({ ok: false, reason: "busy" });
    await clock.advance(1000);
    expect(await first).toMatchObject({ ok: true });
    expect(await other).toMatchObject({ ok: true });
    void agent.stop(0);
  });

  it("is free again at once when the one who asked has gone", async () => {
    const { agent, clock, pulls } = createRunningAgent();
    const gone = new AbortController();

    const first = pulls.pull("wall", 60_000, gone.signal);
    gone.abort();

    expect(await first).toMatchObject({ ok: true });
    const second = pulls.pull("wall", 10, never);
    await settle();
    await clock.advance(10);
    expect(await second).toMatchObject({ ok: true });
    void agent.stop(0);
  });

  it("says what is not profiled", async () => {
    const { agent, pulls } = createRunningAgent();

    expect(await pulls.pull("heap", 0, never)).toEqual({
      ok: false,
      reason: "off",
      message: "heap is not profiled: profileTypes has none of inuse_objects, inuse_space",
    });
    void agent.stop(0);
  });

  it("reads the heap without touching the windows that are pushed", async () => {
    const { agent, exporter, native, pulls } = createRunningAgent({ profileTypes: ["inuse_space"] });

    const result = await pulls.pull("heap", 0, never);

    expect(result).toMatchObject({ ok: true });
    expect(native.heapCalls).toEqual(["start 524288 64", "read"]);
    expect(exporter.uploads).toEqual([]);
    void agent.stop(0);
  });

  it("answers an empty profile for a time in which nothing ran", async () => {
    const { agent, clock, pulls } = createRunningAgent();

    const pulling = pulls.pull("wall", 1000, never);
    await clock.advance(1000);
    const result = await pulling;

    const profile = decodePprof(gunzipSync(result.ok ? result.pprof : Buffer.alloc(0)));
    expect([profile.sampleTypes, profile.samples.length]).toEqual([
      [{ type: "wall", unit: "nanoseconds" }],
      0,
    ]);
    void agent.stop(0);
  });
});
