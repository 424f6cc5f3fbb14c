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

const missing = findMissingTools(["python3"]);
const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const SECOND_NS = 1e9;

let lab: InteropLab;
let python: string;

beforeAll(async () => {
  if (missing.length > 0) return;
  const environment = makeCacheFolder("python");
  python = join(environment, "bin/python");
  const folder = programFolder("python");
  if (!existsSync(python)) build("python3", ["-m", "venv", environment], folder);
  build(python, ["-m", "pip", "install", "--quiet", "--requirement", "requirements.txt"], folder);
  lab = await startInteropLab();
}, 600_000);

afterAll(() => lab?.stop());

describe.skipIf(missing.length > 0)(suiteName("pyroscope-io", missing), () => {
  let wallSeconds: number;

  beforeAll(async () => {
    const args = [join(programFolder("python"), "workload.py"), lab.recorder.address, "shop", "3"];
    ({ wallSeconds } = (await runWorkload(python, args)) as { wallSeconds: number });
    recordFixtures("python", lab.recorder.exchanges);
  }, 120_000);

  it("gets 200 for each of its pushes", () => {
    expect(lab.recorder.exchanges.map(({ status }) => status)).toEqual(lab.recorder.exchanges.map(() => 200));
    expect(lab.recorder.exchanges.length).toBeGreaterThan(1);
  });

  it("shows its hot function, with its label, and the time that it ran", async () => {
    const totals = await lab.readTotals(`${CPU}{service_name="shop",region="eu"}`);
    const labelled = await lab.readTotals(`${CPU}{service_name="shop",route="/checkout"}`);
    const total = totals.get("total") ?? 0;

    // It looks at running threads, not at CPU time.
    expectSampled(total / SECOND_NS / wallSeconds);
    expectSplit({ totals, labelled, hot: "hot_checkout", cold: "cold_search" });
  });
});
