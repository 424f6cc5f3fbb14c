import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { Sdk } from "./sdk.ts";
import { fakeFacts } from "./testing/fake-facts.ts";
import { createFakeNative, noInspector } from "./testing/fake-native.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { MemoryHelper } from "./testing/memory-exporter.ts";
import { createRecordingLogger } from "./testing/recording-logger.ts";

class FakeProcess extends EventEmitter {
  readonly pid = 42;
  kill(): void {}
}

function createRunningSdk() {
  const logger = createRecordingLogger();
  const sdk = new Sdk({
    environment: () => ({}),
    loadNative: () => createFakeNative(),
    loadInspector: noInspector,
    readFacts: () => fakeFacts,
    inheritOptions: () => undefined,
    shareOptions: () => undefined,
    profileWorkers: () => () => {},
    createHelper: () => new MemoryHelper(),
    process: new FakeProcess(),
    clock: new ManualClock(),
    random: Math.random,
    platform: "linux",
  });
  const start = () =>
    sdk.start({
      applicationName: "app",
      serverAddress: "http://127.0.0.1:1",
      profileTypes: ["wall"],
      logger,
    });
  return { logger, sdk, start };
}

const add = (a: number, b: number): number => a + b;

describe("Sdk.runHandler", () => {
  it("hands on this, arguments and result, with labels made from the arguments", () => {
    const { sdk, start } = createRunningSdk();
    start();
    const self = { seen: {} };
    function handler(this: typeof self, a: number, b: number): number {
      this.seen = sdk.getLabels();
      return a + b;
    }

    const sum = sdk.runHandler((a) => ({ route: `/${a}` }), handler, self, [1, 2]);

    expect(sum).toBe(3);
    expect(self.seen).toEqual({ route: "/1" });
    expect(sdk.getLabels()).toEqual({});
    void sdk.stop(0);
  });

  it("hands on what the handler throws and the rejection it returns", async () => {
    const { sdk, start } = createRunningSdk();
    start();
    const mine = new Error("mine");
    const throwMine = (): never => {
      throw mine;
    };

    expect(() => sdk.runHandler(() => ({ route: "/a" }), throwMine, undefined, [])).toThrow(mine);
    const rejected = sdk.runHandler(
      () => ({ route: "/a" }),
      () => Promise.reject(mine),
      undefined,
      [],
    );
    await expect(rejected).rejects.toBe(mine);
    void sdk.stop(0);
  });

  it("runs the handler without labels where they cannot be made, and says so once", () => {
    const { logger, sdk, start } = createRunningSdk();
    start();
    const hostile = (): never => {
      throw new Error("hostile");
    };

    expect(sdk.runHandler<undefined, [number, number], number>(hostile, add, undefined, [1, 2])).toBe(3);
    expect(sdk.runHandler<undefined, [number, number], number>(hostile, add, undefined, [3, 4])).toBe(7);

    expect(logger.lines.filter((line) => line.includes("hostile"))).toHaveLength(1);
    void sdk.stop(0);
  });

  it("makes no labels while nothing is profiled", () => {
    const { sdk } = createRunningSdk();
    let callCount = 0;
    const count = () => {
      callCount++;
      return {};
    };

    expect(sdk.runHandler<undefined, [number, number], number>(count, add, undefined, [1, 2])).toBe(3);

    expect(callCount).toBe(0);
  });
});
