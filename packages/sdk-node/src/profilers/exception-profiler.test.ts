import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { StorageLabelContext } from "../labels/label-context.ts";
import { LabelSets } from "../labels/label-set.ts";
import { toContext } from "../labels/sample-context.ts";
import { formatSamples } from "../testing/format-samples.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { ExceptionProfiler } from "./exception-profiler.ts";
import type { Recording } from "./profiler.ts";
import { runAtOnce } from "./slices.ts";

function createProfiler() {
  const labelSets = new LabelSets({ maxValues: 9, maxSets: 9, maxLabels: 9 }, () => undefined);
  const labels = new StorageLabelContext();
  const process = new EventEmitter();
  const clock = new ManualClock();
  const profiler = new ExceptionProfiler({
    ...{ labels: () => labels, labelSets, process, clock, random: Math.random },
  });
  profiler.start();
  const pay = toContext(labelSets.merge(labelSets.empty, { route: "/pay" }));
  return { profiler, process, labels, clock, pay };
}

/** Leaf and its caller of each sample, with labels and count. */
const samplesOf = (recording: Recording | undefined): readonly string[] =>
  recording === undefined
    ? []
    : runAtOnce(recording.convert()).flatMap(({ profile }) =>
        formatSamples(profile).map((line) => line.replace(/^.*(?=refuse )/, "")),
      );

class OutOfStock extends Error {}

const refuse = (): Error => new OutOfStock("no");

describe("ExceptionProfiler", () => {
  it("counts exceptions by stack and class, with their labels", () => {
    const { profiler, pay } = createProfiler();
    for (let i = 0; i < 3; i++) profiler.record(refuse(), pay);
    profiler.record(refuse(), undefined);

    const recording = profiler.collect();

    expect(samplesOf(recording)).toEqual(["refuse OutOfStock 1", "refuse OutOfStock {route=/pay} 3"]);
    const [typed] = runAtOnce(recording.convert());
    expect(typed).toMatchObject({ type: "exceptions", name: "exceptions" });
    expect(typed?.profile).toMatchObject({
      sampleTypes: [{ type: "samples", unit: "count" }],
      periodType: undefined,
    });
    expect(samplesOf(profiler.collect())).toEqual([]);
  });

  it("counts one exception once, wherever it is seen", () => {
    const { profiler, process, pay } = createProfiler();
    const error = refuse();
    profiler.record(error, pay);
    profiler.record(error, undefined);
    process.emit("uncaughtExceptionMonitor", error, "uncaughtException");

    expect(samplesOf(profiler.collect())).toEqual(["refuse OutOfStock {route=/pay} 1"]);
  });

  it("counts what nobody caught, with the labels of its code, until it is stopped", () => {
    const { profiler, process, labels, pay } = createProfiler();
    labels.run(pay, () => process.emit("uncaughtExceptionMonitor", refuse(), "uncaughtException"), []);

    expect(samplesOf(profiler.stop())).toEqual(["refuse OutOfStock {route=/pay} 1"]);
    expect(process.listenerCount("uncaughtExceptionMonitor")).toBe(0);
    profiler.record(refuse(), undefined);
    expect(profiler.stop()).toBeUndefined();
  });

  it("counts whatever is thrown, also where its properties throw", () => {
    const { profiler } = createProfiler();
    const hostile = Object.defineProperty({}, "stack", {
      get() {
        throw new Error("hostile");
      },
    });
    for (const thrown of ["text", undefined, null, { code: 1 }, hostile]) profiler.record(thrown, undefined);

    expect(samplesOf(profiler.collect())).toEqual([
      "Error 1",
      "Object 1",
      "object 1",
      "string 1",
      "undefined 1",
    ]);
  });

  it("looks at some of many, which stand for all", async () => {
    const { profiler, clock } = createProfiler();
    let readCount = 0;
    for (let i = 0; i < 20_000; i++) {
      const error = Object.defineProperty(new OutOfStock("no"), "stack", {
        get() {
          readCount++;
          return "";
        },
      });
      profiler.record(error, undefined);
      if (i % 100 === 0) await clock.advance(10);
    }

    const total = Number(samplesOf(profiler.collect())[0]?.split(" ").at(-1));
    expect(readCount).toBeLessThan(1000);
    expect(total).toBeGreaterThan(14_000);
    expect(total).toBeLessThan(26_000);
  });
});
