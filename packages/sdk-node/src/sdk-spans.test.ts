import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import type { ContextMaker } from "./labels/label-context.ts";
import type { ProfiledSpan } from "./labels/sample-context.ts";
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

const createSpan = (spanId: string): ProfiledSpan => ({
  traceId: undefined,
  spanId,
  name: undefined,
  endTimeMs: undefined,
});
/** A tracer whose contexts are known to nobody. */
const plainMaker: ContextMaker<string> = { storage: undefined, run: (_value, fn) => fn() };
const outer = createSpan("1");
const inner = createSpan("2");

function startSdk(platform: NodeJS.Platform = "linux") {
  const native = createFakeNative();
  const logger = createRecordingLogger();
  const sdk = new Sdk({
    environment: () => ({}),
    loadNative: () => native,
    loadInspector: noInspector,
    readFacts: () => fakeFacts,
    inheritOptions: () => undefined,
    shareOptions: () => undefined,
    profileWorkers: () => () => {},
    createHelper: () => new MemoryHelper(),
    process: new FakeProcess(),
    clock: new ManualClock(),
    random: Math.random,
    platform,
  });
  sdk.start({ applicationName: "app", serverAddress: "http://127.0.0.1:1", profileTypes: ["wall"], logger });
  /** The span and labels that the next sample would get. */
  const look = (): unknown => {
    const context = native.profilers[0]?.context as { current: { span?: ProfiledSpan } } | undefined;
    return [context?.current.span?.spanId, sdk.getLabels()];
  };
  return { logger, look, sdk };
}

describe("Sdk.runInSpan", () => {
  it("nests, and gives the caller its own span back, also after a throw", async () => {
    const { look, sdk } = startSdk();
    const seen: unknown[] = [];

    sdk.runInSpan(outer, plainMaker, "ctx", () => {
      seen.push(look());
      sdk.runInSpan(inner, plainMaker, "ctx", () => seen.push(look()));
      seen.push(look());
      expect(() =>
        sdk.runInSpan(undefined, plainMaker, "ctx", () => {
          seen.push(look());
          throw new Error("mine");
        }),
      ).toThrow("mine");
      seen.push(look());
    });

    expect(seen.map((pair) => (pair as unknown[])[0])).toEqual(["1", "2", "1", undefined, "1"]);
    expect(look()).toEqual([undefined, {}]);
    await sdk.stop(0);
  });

  it("knows the span that is active, and wants nothing done while nothing is profiled", async () => {
    const { sdk } = startSdk();
    const look = (): boolean[] => [undefined, outer, inner].map((span) => sdk.isSpanActive(span));

    const seen = [look(), sdk.runInSpan(outer, plainMaker, "ctx", look)];
    await sdk.stop(0);

    expect(seen).toEqual([
      [true, false, false],
      [false, true, false],
    ]);
    expect(look()).toEqual([true, true, true]);
  });

  it("keeps labels, and labels keep the span", async () => {
    const { look, sdk } = startSdk();

    const seen = sdk.runWithLabels(
      { route: "/a", trace_id: "t" },
      () => sdk.runInSpan(outer, plainMaker, "ctx", () => sdk.runWithLabels({ step: "load" }, look, [])),
      [],
    );

    expect(seen).toEqual(["1", { route: "/a", step: "load", trace_id: "t" }]);
    await sdk.stop(0);
  });

  it("stays when labels are entered; ids that were labels do not", async () => {
    const { look, sdk } = startSdk();
    const seen = await sdk.runInSpan(outer, plainMaker, "ctx", () =>
      sdk.runWithLabels({ route: "/a", span_id: "x" }, async () => {
        await Promise.resolve();
        sdk.enterLabels({ step: "load" }, false);
        return look();
      }, []),
    );

    expect(seen).toEqual(["1", { step: "load" }]);
    await sdk.stop(0);
  });

  it("runs what it is given with its arguments before start and after stop", async () => {
    const { sdk } = startSdk();
    await sdk.stop(0);

    expect(sdk.runInSpan(outer, plainMaker, "ctx", () => 2)).toBe(2);
    expect(sdk.labelMechanism).toBe("none");
    expect(sdk.isRunning).toBe(false);
  });

  it("runs what it is given where samples cannot be labelled", async () => {
    const { sdk } = startSdk("win32");

    expect(sdk.runInSpan(outer, plainMaker, "ctx", () => 2)).toBe(2);
    expect([sdk.labelMechanism, sdk.isRunning]).toEqual(["none", true]);
    await sdk.stop(0);
  });
});

describe("Sdk.warnOnce", () => {
  it("says the same once, through the logger of the run", async () => {
    const { logger, sdk } = startSdk();

    sdk.warnOnce("key", "text");
    sdk.warnOnce("key", "text");

    expect(logger.lines.filter((line) => line.includes("text"))).toEqual(["warn pyroscope: text"]);
    await sdk.stop(0);
  });
});
