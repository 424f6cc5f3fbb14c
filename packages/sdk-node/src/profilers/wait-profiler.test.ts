import { channel } from "node:diagnostics_channel";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterEach, describe, expect, it } from "vitest";
import { CallAccounts } from "../labels/call-accounts.ts";
import { StorageLabelContext } from "../labels/label-context.ts";
import { LabelSets } from "../labels/label-set.ts";
import { toContext } from "../labels/sample-context.ts";
import { formatSamples } from "../testing/format-samples.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { createRecordingDiagnostics } from "../testing/recording-logger.ts";
import type { Recording, TypedProfile } from "./profiler.ts";
import { runAtOnce } from "./slices.ts";
import { WaitProfiler } from "./wait-profiler.ts";

const beganHttp = channel("http.client.request.created");
const endedHttp = channel("http.client.response.finish");
let stop: () => unknown = () => undefined;

afterEach(() => stop());

function createProfiler() {
  const clock = new ManualClock();
  const labelSets = new LabelSets({ maxValues: 9, maxSets: 9, maxLabels: 9 }, () => undefined);
  const labels = new StorageLabelContext();
  const calls = new CallAccounts();
  const { diagnostics, lines } = createRecordingDiagnostics();
  const profiler = new WaitProfiler({
    ...{ labels: () => labels, labelSets, calls, clock, random: Math.random, diagnostics },
  });
  profiler.start();
  stop = () => profiler.stop();
  const pay = toContext(labelSets.merge(labelSets.empty, { route: "/pay" }));
  /** A call of `waitMs` in a request and `otherMs` in what is no wait. */
  async function callPay(waitMs: number, otherMs: number): Promise<void> {
    const startMs = clock.nowMonotonicMs();
    calls.begin(pay.labels, startMs);
    await labels.run(pay, callStock, [clock, waitMs]);
    await clock.advance(otherMs);
    calls.end(pay.labels, undefined, startMs, clock.nowMonotonicMs());
  }
  return { clock, calls, pay, profiler, lines, callPay };
}

async function callStock(clock: ManualClock, waitMs: number): Promise<void> {
  const request = {};
  beganHttp.publish({ request });
  await clock.advance(waitMs);
  endedHttp.publish({ request });
}

/** The samples of each sample type, with the stack of the test runner cut off. */
function samplesOf(recording: Recording | undefined, window: readonly TypedProfile[] = []) {
  const profiles = recording === undefined ? [] : runAtOnce(recording.convert(undefined, window));
  return Object.fromEntries(
    profiles.map(({ profile }) => [
      profile.sampleTypes[0]?.type,
      formatSamples(profile).map((line) => line.replace(/^.*(?=callStock)/, "")),
    ]),
  );
}

/** A wall profile of one label set. */
const wallOf = (route: string, ms: number): TypedProfile => ({
  type: "wall",
  name: "wall",
  profile: profileFromText("main", {
    values: [ms * 1_000_000],
    labels: [{ route, span_id: "b7ad6b7169203331" }],
  }),
});

describe("WaitProfiler", () => {
  it("gives the wait its callers and labels, and the rest of the call as unattributed", async () => {
    const { profiler, callPay } = createProfiler();
    await callPay(50, 20);

    expect(samplesOf(profiler.collect(), [wallOf("/pay", 5)])).toEqual({
      delay: ["callStock (http request) {route=/pay} 50000000", "unattributed {route=/pay} 15000000"],
      calls: ["(calls) {route=/pay} 1"],
      elapsed: ["(elapsed) {route=/pay} 70000000"],
      on_loop: ["(on_loop) {route=/pay} 5000000"],
    });
  });

  it("counts a wait in the window in which it ends, and its call's rest only when that ends", async () => {
    const { profiler, clock, calls, pay } = createProfiler();
    calls.begin(pay.labels, clock.nowMonotonicMs());
    const request = {};
    beganHttp.publish({ request });
    await clock.advance(100);
    expect(samplesOf(profiler.collect())).toEqual({});

    endedHttp.publish({ request });
    const second = profiler.collect();
    const startMs = clock.nowMonotonicMs() - 100;
    calls.end(pay.labels, undefined, startMs, clock.nowMonotonicMs());
    const third = profiler.collect();

    expect(second.durationNanos).toBe(0n);
    expect(samplesOf(second).delay?.join()).toContain("(http request) 100000000");
    expect(samplesOf(third)).toMatchObject({ elapsed: ["(elapsed) {route=/pay} 100000000"] });
  });

  it("takes what one window had too much of waits from the calls that were open", async () => {
    const { profiler, clock, calls, pay, callPay } = createProfiler();
    const startMs = clock.nowMonotonicMs();
    calls.begin(pay.labels, startMs);
    await callPay(60, 0);
    // 60 ms of the open call were waited for under its own labels, before it ends.
    const first = profiler.collect();
    expect(samplesOf(first, [wallOf("/pay", 40)]).delay).toEqual([
      "callStock (http request) {route=/pay} 60000000",
    ]);

    await clock.advance(10);
    calls.end(pay.labels, undefined, startMs, clock.nowMonotonicMs());

    // Of the 70 ms of the call that ended now 40 were work of the window before.
    expect(samplesOf(profiler.collect()).delay).toEqual(["unattributed {route=/pay} 30000000"]);
  });

  it("records nothing after its stop, and can be started again", async () => {
    const { profiler, callPay } = createProfiler();
    profiler.stop();
    await callPay(50, 0);
    expect(profiler.stop()).toBeUndefined();

    profiler.start();
    await callPay(10, 0);
    expect(samplesOf(profiler.stop()).delay?.[0]).toContain("(http request) {route=/pay} 10000000");
  });

  it("ends with one warning where the stacks of the program cannot be read", async () => {
    const { profiler, callPay, lines } = createProfiler();
    const own = Object.getOwnPropertyDescriptor(Error, "captureStackTrace");
    Object.defineProperty(Error, "captureStackTrace", {
      configurable: true,
      value: () => {
        throw new Error("frozen");
      },
    });
    try {
      await callPay(50, 0);
      await callPay(50, 0);
    } finally {
      if (own !== undefined) Object.defineProperty(Error, "captureStackTrace", own);
    }

    expect(lines).toEqual(["warn pyroscope: waits are not profiled any more: frozen"]);
    expect(samplesOf(profiler.stop())).not.toHaveProperty("on_loop");
  });
});
