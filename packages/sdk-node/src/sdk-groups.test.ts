import { EventEmitter } from "node:events";
import { gunzipSync } from "node:zlib";
import { decodePprof } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { SdkError } from "./errors.ts";
import type { PyroscopeOptions } from "./options.ts";
import type { Host } from "./sdk.ts";
import { Sdk } from "./sdk.ts";
import { fakeFacts } from "./testing/fake-facts.ts";
import { createFakeNative, noInspector } from "./testing/fake-native.ts";
import { formatSamples } from "./testing/format-samples.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { MemoryHelper } from "./testing/memory-exporter.ts";
import { createRecordingLogger } from "./testing/recording-logger.ts";

class FakeProcess extends EventEmitter {
  readonly pid = 42;
  kill(): void {}
}

function createSdk(more: Partial<Host> = {}) {
  const native = createFakeNative();
  const exporter = new MemoryHelper();
  const logger = createRecordingLogger();
  const sdk = new Sdk({
    environment: () => ({ PYROSCOPE_APPLICATION_NAME: "app" }),
    loadNative: () => native,
    loadInspector: noInspector,
    readFacts: () => fakeFacts,
    inheritOptions: () => undefined,
    shareOptions: () => undefined,
    profileWorkers: () => () => {},
    createHelper: () => exporter,
    process: new FakeProcess(),
    clock: new ManualClock(),
    random: Math.random,
    platform: "linux",
    ...more,
  });
  const options: PyroscopeOptions = { logger };
  const sent = () =>
    exporter.uploads.flatMap(({ profiles }) =>
      profiles.map(({ name, pprof }) => `${name}: ${formatSamples(decodePprof(gunzipSync(pprof))).join()}`),
    );
  return { exporter, logger, native, options, sdk, sent };
}

describe("Sdk, profilers switched at run time", () => {
  it("stops CPU and wall profiles, sends what they have, and goes on with the heap", async () => {
    const { native, options, sdk, sent } = createSdk();
    sdk.start(options);
    native.profilers[0]?.tick("work");

    expect(await sdk.stopGroup("wall", undefined)).toMatchObject({ ok: true });

    expect(sent()).toEqual(["process_cpu: work 1000000", "wall: work 10000000"]);
    expect(native.profilers[0]?.calls).toEqual(["start", "stop", "dispose"]);
    expect(sdk.status()).toMatchObject({
      state: "running",
      profileTypes: ["inuse_objects", "inuse_space"],
    });
    expect(native.heapCalls).toEqual(["start 524288 64"]);
    await sdk.stop(0);
  });

  it("starts them again beside a heap that knows what was allocated before", async () => {
    const { native, options, sdk } = createSdk();
    sdk.start(options);
    await sdk.stopGroup("wall", undefined);

    sdk.start(undefined, "wall");
    sdk.start(undefined, "wall");

    expect(native.profilers.map(({ calls }) => calls.at(0))).toEqual(["start", "start"]);
    expect(native.heapCalls.filter((call) => call !== "read")).toEqual(["start 524288 64"]);
    expect(sdk.status().profileTypes).toEqual(["cpu", "wall", "inuse_objects", "inuse_space"]);
    await sdk.stop(0);
  });

  it("does the same for the heap", async () => {
    const { native, options, sdk } = createSdk();
    sdk.start({ ...options, profileTypes: ["wall", "inuse_space"] });
    await sdk.stopGroup("heap", undefined);
    expect(sdk.status().profileTypes).toEqual(["wall"]);

    sdk.start(undefined, "heap");

    expect(native.heapCalls.filter((call) => call !== "read")).toEqual([
      "start 524288 64",
      "stop",
      "start 524288 64",
    ]);
    expect(native.profilers).toHaveLength(1);
    expect(sdk.status().profileTypes).toEqual(["wall", "inuse_space"]);
    await sdk.stop(0);
  });

  it("adds the types that the start did not name", async () => {
    const { options, sdk } = createSdk();
    sdk.start({ ...options, profileTypes: ["wall"] });

    sdk.start(undefined, "heap");

    expect(sdk.status().profileTypes).toEqual(["wall", "inuse_objects", "inuse_space"]);
    await sdk.stop(0);
  });

  it("begins a run with one group, by given options or those of the start before", async () => {
    const { native, options, sdk } = createSdk();

    sdk.start({ ...options, heapStackDepth: 9 }, "heap");
    expect(sdk.status()).toMatchObject({ state: "running", profileTypes: ["inuse_objects", "inuse_space"] });
    await sdk.stop(0);
    sdk.start(undefined, "heap");

    expect(native.profilers).toEqual([]);
    expect(native.heapCalls.filter((call) => call.startsWith("start"))).toEqual([
      "start 524288 9",
      "start 524288 9",
    ]);
    sdk.start({ ...options, heapStackDepth: 9 });
    expect(native.profilers).toHaveLength(1);
    await sdk.stop(0);
  });

  it("ends the run with the last group", async () => {
    const { options, sdk } = createSdk();
    sdk.start(options);

    await sdk.stopGroup("heap", undefined);
    expect(sdk.status().state).toBe("running");
    expect(await sdk.stopGroup("wall", undefined)).toMatchObject({ ok: true });

    expect(sdk.status()).toMatchObject({ state: "off", profileTypes: [] });
    expect(await sdk.stopGroup("wall", undefined)).toMatchObject({ ok: true });
  });

  it("is switched on again by start() with the same options", async () => {
    const { logger, native, options, sdk } = createSdk();
    sdk.start(options);
    await sdk.stopGroup("wall", undefined);

    sdk.start({ ...options });

    expect(native.profilers).toHaveLength(2);
    expect(sdk.status().profileTypes).toContain("cpu");
    expect(logger.lines.filter((line) => line.startsWith("warn"))).toEqual([]);
    await sdk.stop(0);
  });

  it("says what does not start, and throws it with strict", async () => {
    const { logger, native, options, sdk } = createSdk();
    const create = native.createTimeProfiler;
    sdk.start({ ...options, profileTypes: ["inuse_space"] });
    native.createTimeProfiler = () => {
      throw new Error("another copy is active");
    };

    sdk.start(undefined, "wall");
    expect(logger.lines.at(-1)).toContain("another copy is active");
    expect(sdk.status().profileTypes).toEqual(["inuse_space"]);
    await sdk.stop(0);
    sdk.start({ ...options, profileTypes: ["inuse_space"], strict: true });

    expect(() => sdk.start(undefined, "wall")).toThrow(SdkError);
    native.createTimeProfiler = create;
    await sdk.stop(0);
  });
});
