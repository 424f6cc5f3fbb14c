import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { SdkError } from "./errors.ts";
import { loadInspector } from "./profilers/inspector.ts";
import type { Host } from "./sdk.ts";
import { Sdk } from "./sdk.ts";
import { fakeFacts } from "./testing/fake-facts.ts";
import type { FakeNative } from "./testing/fake-native.ts";
import { createFakeNative, noInspector } from "./testing/fake-native.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { MemoryHelper } from "./testing/memory-exporter.ts";
import { createRecordingLogger } from "./testing/recording-logger.ts";

class FakeProcess extends EventEmitter {
  readonly pid = 42;
  kill(): void {}
}

function createSdk(more: Partial<Host> = {}) {
  const native: FakeNative = createFakeNative();
  const clock = new ManualClock();
  const process = new FakeProcess();
  const logger = createRecordingLogger();
  const helper = new MemoryHelper();
  const { exporter } = helper;
  const sdk = new Sdk({
    environment: () => ({}),
    loadNative: () => native,
    loadInspector: noInspector,
    readFacts: () => fakeFacts,
    inheritOptions: () => undefined,
    shareOptions: () => undefined,
    profileWorkers: () => () => {},
    createHelper: () => helper,
    process,
    clock,
    random: Math.random,
    platform: "linux",
    ...more,
  });
  const options = {
    applicationName: "app",
    profileTypes: ["wall"],
    logger,
  } as const;
  return { clock, exporter, helper, logger, native, options, process, sdk };
}

const unavailable = (): never => {
  throw new SdkError("native profiler: no binding", { code: "NATIVE_UNAVAILABLE" });
};

describe("Sdk", () => {
  it("warns once and goes on without profiles where there is no native profiler", async () => {
    const { logger, options, sdk, process } = createSdk({ loadNative: unavailable });

    sdk.start(options);

    expect(sdk.runWithLabels({ route: "/a" }, (x: number) => x, [1])).toBe(1);
    expect(await sdk.stop(undefined)).toMatchObject({ ok: true });
    expect(sdk.status().state).toBe("off");
    expect(logger.lines).toEqual(["warn pyroscope: profiling is off: native profiler: no binding"]);
    expect(process.eventNames()).toEqual([]);
  });

  it("goes on with the inspector where there is one, and says so once", async () => {
    const { logger, options, sdk } = createSdk({ loadNative: unavailable, loadInspector });

    sdk.start({ ...options, profileTypes: ["cpu", "wall", "inuse_objects", "inuse_space", "block"] });

    expect(logger.lines.filter((line) => line.startsWith("warn"))).toEqual([
      "warn pyroscope: native profiler: no binding; the inspector profiles cpu, wall, inuse_space, without labels",
    ]);
    expect(sdk.status()).toMatchObject({ state: "running", backend: "inspector", labelMechanism: "none" });
    expect(sdk.runWithLabels({ route: "/a" }, (x: number) => x, [1])).toBe(1);
    await sdk.stop(0);
    expect(sdk.status().backend).toBeUndefined();
  });

  it("has worker threads profiled while it runs, unless they load the SDK anyway or have nowhere to send to", async () => {
    const calls: string[] = [];
    const profileWorkers = () => {
      calls.push("profile");
      return () => void calls.push("leave");
    };
    const { options, sdk } = createSdk({ profileWorkers });
    sdk.start(options);
    await sdk.stop(0);
    sdk.start({ ...options, exporters: [{ name: "own", export: async () => {} }] });
    await sdk.stop(0);
    const preloaded = createSdk({ profileWorkers });
    preloaded.sdk.startPreloaded();
    await preloaded.sdk.stop(0);

    expect(calls).toEqual(["profile", "leave"]);
  });

  it("replaces what the program did not ask for by what it asks for, without a warning", async () => {
    const theirs = createRecordingLogger();
    const { logger, options, sdk } = createSdk({
      inheritOptions: () => ({ profileTypes: ["wall"], logger: theirs }),
    });
    sdk.startInherited();
    expect(sdk.status().state).toBe("running");
    sdk.start(options);
    expect([...theirs.lines, ...logger.lines]).toEqual([]);
    sdk.start({ ...options, applicationName: "again" });
    expect(logger.lines.filter((line) => line.startsWith("warn"))).toEqual([
      "warn pyroscope: start() called again: profiling goes on with the new options",
    ]);
    await sdk.stop(0);
  });

  it("holds a thread for as long as an exit, where that stops a run that it did not start", async () => {
    const { clock, exporter, native, options, sdk } = createSdk({
      inheritOptions: () => ({ profileTypes: ["wall"], uploadTimeout: "5m", exitTimeout: 300 }),
    });
    exporter.export = () => new Promise(() => {});
    sdk.startInherited();
    native.profilers[0]?.tick("work");

    const stopped = sdk.stop(undefined);
    sdk.start(options);
    await clock.advance(300);

    expect(await stopped).toMatchObject({ ok: false, error: "no answer within 300 ms" });
    expect(clock.holdingCount).toBe(0);
    await sdk.stop(0);
  });

  it("throws that with strict", () => {
    const { options, sdk } = createSdk({ loadNative: unavailable });

    expect(() => sdk.start({ ...options, strict: true })).toThrow(
      expect.objectContaining({ code: "NATIVE_UNAVAILABLE" }),
    );
  });

  it("takes strict from the environment too", () => {
    const { options, sdk } = createSdk({
      environment: () => ({ PYROSCOPE_STRICT: "1", PYROSCOPE_SAMPLE_RATE: "x" }),
    });

    expect(() => sdk.start(options)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });

  it("takes the options of the thread that started this one, where it has none of its own", async () => {
    const shared: unknown[] = [];
    const { options, sdk } = createSdk({
      inheritOptions: () => ({ ...options, applicationName: "of the main thread" }),
      shareOptions: (given) => void shared.push(given),
    });

    sdk.start(undefined);
    expect(sdk.status().applicationName).toBe("of the main thread");
    await sdk.stop(0);
    sdk.start({ ...options, applicationName: "own" });

    expect(sdk.status().applicationName).toBe("own");
    expect(shared).toMatchObject([{ applicationName: "of the main thread" }, { applicationName: "own" }]);
    await sdk.stop(0);
  });

  it("profiles with options that cannot be handed to other threads, and says so", async () => {
    const { logger, options, sdk } = createSdk({ shareOptions: (given) => void JSON.stringify(given) });
    const circle: Record<string, unknown> = {};
    circle.self = circle;

    sdk.start({ ...options, ...{ framework: circle } });

    expect(sdk.status().state).toBe("running");
    const lines = logger.lines.join("\n");
    expect(lines).toContain(
      "warn pyroscope: worker threads do not inherit these options: Converting circular",
    );
    expect(lines).not.toContain("profiling is off");
    await sdk.stop(0);
  });

  it("names a program without a name after its package, and says so", async () => {
    const { logger, options, sdk } = createSdk({
      readFacts: () => ({ ...fakeFacts, packageName: "checkout" }),
    });

    sdk.start({ ...options, applicationName: undefined });

    expect(sdk.status().applicationName).toBe("checkout");
    expect(logger.lines).toContain("warn pyroscope: applicationName is not set: profiles appear as checkout");
    await sdk.stop(0);
  });

  it("does nothing when it is not enabled", () => {
    const { native, options, sdk } = createSdk({ environment: () => ({ PYROSCOPE_ENABLED: "false" }) });

    sdk.start(options);

    expect(native.profilers).toEqual([]);
    expect(sdk.status().state).toBe("off");
  });

  it("starts one run for the same options, and replaces it for others", async () => {
    const { logger, native, options, sdk } = createSdk();

    sdk.start(options);
    sdk.start({ ...options });
    expect(native.profilers).toHaveLength(1);
    sdk.start({ ...options, sampleRate: 50 });

    expect(native.profilers.map(({ calls }) => calls)).toEqual([["start", "stop", "dispose"], ["start"]]);
    expect(logger.lines.filter((line) => line.startsWith("warn"))).toEqual([
      "warn pyroscope: start() called again: profiling goes on with the new options",
    ]);
    expect(sdk.status().state).toBe("running");
    await sdk.stop(0);
  });

  it("takes its listeners off the process when it stops", async () => {
    const { options, process, sdk } = createSdk();

    sdk.start(options);
    expect(process.eventNames().sort()).toEqual(["SIGINT", "SIGTERM", "beforeExit", "exit"]);
    await sdk.stop(0);

    expect(process.eventNames()).toEqual([]);
  });

  it("listens to neither signals nor the end where that is not wanted", async () => {
    const { options, process, sdk } = createSdk();

    sdk.start({ ...options, flushOnExit: false });

    expect(process.eventNames()).toEqual(["exit"]);
    await sdk.stop(0);
  });

  it("stops the native profiler when the process exits: its timer signals must not come any more", () => {
    const { native, options, process, sdk } = createSdk();
    sdk.start(options);

    process.emit("exit");

    expect(native.profilers[0]?.calls).toEqual(["start", "stop", "dispose"]);
  });

  it("sends the last window in the exit event, before listeners of the program", () => {
    const { helper, native, options, process, sdk } = createSdk();
    const order: string[] = [];
    helper.finish = (batches) => {
      const uploads = batches.flatMap((batch) => batch.uploads);
      order.push(`${uploads.length} uploads`);
      return uploads.length;
    };
    process.on("exit", () => order.push("program"));
    sdk.start(options);
    native.profilers[0]?.tick("work");

    process.emit("beforeExit");
    process.emit("exit");

    expect(order).toEqual(["1 uploads", "program"]);
  });

  it("sends it in that event also while stop() is under way", async () => {
    const { helper, native, options, process, sdk } = createSdk();
    let count = 0;
    helper.finish = (batches) => {
      const uploads = batches.flatMap((batch) => batch.uploads);
      count += uploads.length;
      return uploads.length;
    };
    sdk.start(options);
    native.profilers[0]?.tick("work");

    const stopping = sdk.stop(1000);
    process.emit("exit");

    expect(count).toBe(1);
    await stopping;
    expect(process.eventNames()).toEqual([]);
  });

  it("flushes before the natural end where the exit event is too late for its exporter", async () => {
    const { exporter, native, options, process, sdk } = createSdk();
    sdk.start(options);
    native.profilers[0]?.tick("work");

    process.emit("beforeExit");
    await sdk.flush(1000);

    expect(exporter.uploads).toHaveLength(1);
    await sdk.stop(0);
  });

  it("has work for the thread that sends only where profiles are pushed, and not before the first window", async () => {
    const pushing = createSdk();
    const pullingHelper = new MemoryHelper([]);
    const pulling = createSdk({ createHelper: () => pullingHelper });
    const counts = () => [pushing.helper.encodedCount > 0, pullingHelper.encodedCount > 0];

    pushing.sdk.start(pushing.options);
    pulling.sdk.start({ ...pulling.options, protocol: "none" });
    for (const { native } of [pushing, pulling]) native.profilers[0]?.tick("work");
    expect(counts()).toEqual([false, false]);
    await Promise.all([pushing.sdk.stop(1000), pulling.sdk.stop(1000)]);

    expect(counts()).toEqual([true, false]);
  });

  it("says what it does", async () => {
    const { options, sdk } = createSdk();
    expect(sdk.status()).toEqual({
      state: "off",
      applicationName: undefined,
      serverAddress: undefined,
      profileTypes: [],
      labelMechanism: "none",
      uploads: undefined,
      exporters: [],
      overhead: undefined,
      sourceMaps: undefined,
      warnings: [],
    });

    sdk.start({ ...options, sampleRate: 0 });

    expect(sdk.status()).toMatchObject({
      state: "running",
      applicationName: "app",
      serverAddress: "http://localhost:4040",
      profileTypes: ["wall"],
      labelMechanism: "async-hooks",
      uploads: { sentCount: 0, waitingCount: 0 },
      warnings: [expect.stringContaining("sampleRate=0 ignored")],
    });
    const stopping = sdk.stop(0);
    expect(sdk.status().state).toBe("stopping");
    await stopping;
    expect(sdk.status().state).toBe("off");
  });

  it("runs what it wraps when labels throw", async () => {
    const { logger, options, sdk } = createSdk();
    sdk.start(options);
    const labels = {
      get route(): string {
        throw new Error("hostile");
      },
    };

    expect(sdk.runWithLabels(labels, () => "run", [])).toBe("run");
    sdk.enterLabels(labels, true);

    expect(logger.lines.filter((line) => line.includes("hostile"))).toHaveLength(1);
    await sdk.stop(0);
  });

  it("survives options that are none", () => {
    const { native, sdk } = createSdk({
      environment: () => ({ PYROSCOPE_APPLICATION_NAME: "app", PYROSCOPE_LOG_LEVEL: "off" }),
    });

    sdk.start(null as unknown as undefined);

    expect(native.profilers).toHaveLength(1);
    void sdk.stop(0);
  });
});
