import { EventEmitter } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { loadInspector } from "./profilers/inspector.ts";
import { Sdk } from "./sdk.ts";
import { fakeFacts } from "./testing/fake-facts.ts";
import { createFakeNative } from "./testing/fake-native.ts";
import { ManualClock, settle } from "./testing/manual-clock.ts";
import { MemoryHelper } from "./testing/memory-exporter.ts";
import { createRecordingLogger } from "./testing/recording-logger.ts";

class FakeProcess extends EventEmitter {
  readonly pid = 42;
  kill(): void {}
}

let stop: () => Promise<unknown> = async () => undefined;

afterEach(() => stop());

function createSdk() {
  const clock = new ManualClock();
  const sdk = new Sdk({
    environment: () => ({}),
    loadNative: () => createFakeNative(),
    loadInspector,
    readFacts: () => fakeFacts,
    inheritOptions: () => undefined,
    shareOptions: () => undefined,
    profileWorkers: () => () => {},
    createHelper: () => new MemoryHelper(),
    process: new FakeProcess(),
    clock,
    random: Math.random,
    platform: "linux",
  });
  const logger = createRecordingLogger();
  stop = () => sdk.stop(0);
  return {
    sdk,
    clock,
    start: () => sdk.start({ applicationName: "app", profileTypes: ["wall"], logger }),
  };
}

describe("Sdk.captureAllocations", () => {
  it("says that nothing is profiled before the start", async () => {
    const { sdk } = createSdk();

    expect(await sdk.captureAllocations(1000)).toEqual({ ok: false, error: "nothing is profiled" });
  });

  it.for([0, 0.5, 300_001, Number.NaN, "10s", undefined])("refuses a window of %s ms", async (durationMs) => {
    const { sdk, start } = createSdk();
    start();

    expect(await sdk.captureAllocations(durationMs)).toEqual({
      ok: false,
      error: `durationMs=${durationMs}: expected 1 to 300000`,
    });
  });

  it.for([1, 300_000])("resolves after a window of %s ms", async (durationMs) => {
    const { sdk, clock, start } = createSdk();
    start();
    let isOver = false;
    const captured = sdk.captureAllocations(durationMs).then((result) => {
      isOver = true;
      return result;
    });

    await clock.advance(durationMs - 1);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await settle();

    expect(await captured).toEqual({ ok: true, error: undefined });
  });
});
