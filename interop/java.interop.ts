import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectSampled, expectSplit } from "./harness/expectations.ts";
import { recordFixtures } from "./harness/fixtures.ts";
import { type InteropLab, startInteropLab } from "./harness/interop-lab.ts";
import {
  build,
  findMissingTools,
  makeCacheFolder,
  programFolder,
  runWorkload,
  suiteName,
} from "./harness/tools.ts";

const missing = findMissingTools(["java", "javac", "mvn"]);
const AGENT_VERSION = "2.9.2";
const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const SECOND_NS = 1e9;

let lab: InteropLab;
let agent: string;
let classes: string;

beforeAll(async () => {
  if (missing.length > 0) return;
  classes = makeCacheFolder("java");
  agent = join(classes, `agent-${AGENT_VERSION}.jar`);
  const artifact = `io.pyroscope:agent:${AGENT_VERSION}`;
  // Maven takes half a minute to find out that it has it.
  if (!existsSync(agent)) {
    const copy = ["dependency:copy", `-Dartifact=${artifact}`, `-DoutputDirectory=${classes}`];
    build("mvn", ["-q", "-B", ...copy], classes);
  }
  build("javac", ["-cp", agent, "-d", classes, "Workload.java"], programFolder("java"));
  lab = await startInteropLab();
}, 600_000);

afterAll(() => lab?.stop());

describe.skipIf(missing.length > 0)(suiteName("io.pyroscope:agent", missing), () => {
  let cpuSeconds: number;

  beforeAll(async () => {
    const result = await runWorkload(
      "java",
      [`-javaagent:${agent}`, "-cp", `${classes}:${agent}`, "Workload", "3"],
      {
        PYROSCOPE_APPLICATION_NAME: "shop",
        PYROSCOPE_SERVER_ADDRESS: lab.recorder.address,
        PYROSCOPE_FORMAT: "jfr",
        PYROSCOPE_PROFILER_EVENT: "itimer",
        PYROSCOPE_PROFILER_ALLOC: "512k",
        PYROSCOPE_PROFILER_LOCK: "1ms",
        PYROSCOPE_UPLOAD_INTERVAL: "1s",
        PYROSCOPE_LABELS: "region=eu",
        PYROSCOPE_LOG_LEVEL: "error",
      },
    );
    ({ cpuSeconds } = result as { cpuSeconds: number });
    recordFixtures("java", lab.recorder.exchanges);
  }, 120_000);

  it("gets 200 for each of its pushes", () => {
    expect(lab.recorder.exchanges.map(({ status }) => status)).toEqual(lab.recorder.exchanges.map(() => 200));
    expect(lab.recorder.exchanges.length).toBeGreaterThan(2);
  });

  it("shows its hot function, with its label, and the CPU time that it used", async () => {
    const totals = await lab.readTotals(`${CPU}{service_name="shop",region="eu",jfr_event="itimer"}`);
    const labelled = await lab.readTotals(`${CPU}{service_name="shop",route="/checkout"}`);
    const [hot, cold] = [totals.get("Workload.hotCheckout") ?? 0, totals.get("Workload.coldSearch") ?? 0];

    // The compiler's threads count, too.
    expectSampled((hot + cold) / SECOND_NS / cpuSeconds);
    expectSplit({ totals, labelled, hot: "Workload.hotCheckout", cold: "Workload.coldSearch" });
  });

  it("shows what it allocated", async () => {
    const inside = await lab.readTotals(
      'memory:alloc_in_new_tlab_bytes:bytes:space:bytes{service_name="shop"}',
    );
    const outside = await lab.readTotals(
      'memory:alloc_outside_tlab_bytes:bytes:space:bytes{service_name="shop"}',
    );
    const allocated = [inside, outside].map((totals) => totals.get("Workload.allocatePages") ?? 0);

    // 256 arrays of 1 MiB, sampled every 512 KiB.
    expect(allocated.reduce((sum, bytes) => sum + bytes, 0) / 2 ** 28).toBeGreaterThan(0.5);
  });

  it("shows the lock that its threads waited for", async () => {
    const count = await lab.readTotals('mutex:contentions:count:mutex:count{service_name="shop"}');
    const delay = await lab.readTotals('mutex:delay:nanoseconds:mutex:count{service_name="shop"}');

    // In each of ten rounds one of two waits 40 ms for the other, where the machine lets both come in time.
    expect(count.get("Workload.holdTill")).toBeGreaterThanOrEqual(5);
    expect((delay.get("Workload.holdTill") ?? 0) / SECOND_NS).toBeGreaterThan(0.1);
  });
});
