import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectSampled, expectSplit } from "./harness/expectations.ts";
import { recordFixtures } from "./harness/fixtures.ts";
import { type InteropLab, startInteropLab } from "./harness/interop-lab.ts";
import { findMissingTools, goProgram, runWorkload, suiteName } from "./harness/tools.ts";

const missing = findMissingTools(["go"]);
const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const SECOND_NS = 1e9;

let lab: InteropLab;
const program = goProgram("interop");

beforeAll(async () => {
  if (missing.length > 0) return;
  lab = await startInteropLab();
});

afterAll(() => lab?.stop());

describe.skipIf(missing.length > 0)(suiteName("pyroscope-go", missing), () => {
  let cpuSeconds: number;

  beforeAll(async () => {
    const result = await runWorkload(program, ["sdk", lab.recorder.address, "shop", "3"]);
    ({ cpuSeconds } = result as { cpuSeconds: number });
    recordFixtures("go", lab.recorder.exchanges);
  }, 120_000);

  it("gets 200 for each of its pushes", () => {
    expect(lab.recorder.exchanges.map(({ status }) => status)).toEqual(lab.recorder.exchanges.map(() => 200));
    expect(lab.recorder.exchanges.length).toBeGreaterThan(4);
  });

  it("shows its hot function, with its label, and the CPU time that it used", async () => {
    const totals = await lab.readTotals(`${CPU}{service_name="shop",region="eu"}`);
    const labelled = await lab.readTotals(`${CPU}{service_name="shop",route="/checkout"}`);
    const total = totals.get("total") ?? 0;

    // Of 300 samples, and what the profiler does itself.
    expectSampled(total / SECOND_NS / cpuSeconds);
    expectSplit({ totals, labelled, hot: "main.hotCheckout", cold: "main.coldSearch" });
  });

  it.for([
    { type: "goroutine:goroutine:count:goroutine:count", name: "main.parkedWorker", count: 40 },
    { type: "goroutine_leak:goroutineleak:count:goroutineleak:count", name: "main.leakedWorker", count: 7 },
    { type: "mutex:contentions:count:contentions:count", name: "main.holdLock", count: 20 },
    { type: "block:contentions:count:contentions:count", name: "main.waitForAnswer", count: 30 },
  ])("counts what $name did: $count", async ({ type, name, count }) => {
    expect((await lab.readTotals(`${type}{service_name="shop"}`)).get(name)).toBe(count);
  });

  it.for([
    { type: "mutex:delay:nanoseconds:contentions:count", name: "main.holdLock", least: 0.15 },
    { type: "block:delay:nanoseconds:contentions:count", name: "main.waitForAnswer", least: 0.3 },
  ])("adds up the delays of $name", async ({ type, name, least }) => {
    const seconds = ((await lab.readTotals(`${type}{service_name="shop"}`)).get(name) ?? 0) / SECOND_NS;

    expect(seconds).toBeGreaterThan(least);
  });

  it.for([
    { type: "memory:inuse_space:bytes:space:bytes", size: 64 * 2 ** 20 },
    { type: "memory:inuse_objects:count:space:bytes", size: 8 },
    { type: "memory:alloc_space:bytes:space:bytes", size: 64 * 2 ** 20 },
    { type: "memory:alloc_objects:count:space:bytes", size: 8 },
  ])("shows the memory that it holds as $type", async ({ type, size }) => {
    const held = (await lab.readTotals(`${type}{service_name="shop"}`)).get("main.retainPages") ?? 0;

    // One sample in 512 KiB: pages of 8 MiB are all taken.
    expect(held / size).toBeGreaterThan(0.95);
    expect(held / size).toBeLessThan(1.05);
  });

  it("lets go tool pprof read what the receiver answers", () => {
    const parameters = new URLSearchParams({
      query: `${CPU}{service_name="shop"}`,
      from: "now-1h",
      format: "pprof",
    });
    const top = execFileSync(
      goProgram("pprof"),
      ["-top", "-cum", `${lab.receiverAddress}/render?${parameters}`],
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );

    expect(top).toMatch(/^Type: cpu$/m);
    expect(top).toMatch(/ main\.hotCheckout\b/);
  });
});
