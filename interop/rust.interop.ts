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

const missing = findMissingTools(["cargo"]);
const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const SECOND_NS = 1e9;

let lab: InteropLab;
let target: string;

beforeAll(async () => {
  if (missing.length > 0) return;
  target = makeCacheFolder("rust");
  build("cargo", ["build", "--quiet", "--release", "--locked"], programFolder("rust"), {
    CARGO_TARGET_DIR: target,
  });
  lab = await startInteropLab();
}, 900_000);

afterAll(() => lab?.stop());

describe.skipIf(missing.length > 0)(suiteName("pyroscope for Rust", missing), () => {
  let cpuSeconds: number;

  beforeAll(async () => {
    const result = await runWorkload(join(target, "release/interop"), [lab.recorder.address, "shop", "3"]);
    ({ cpuSeconds } = result as { cpuSeconds: number });
    recordFixtures("rust", lab.recorder.exchanges);
  }, 120_000);

  it("gets 200 for each of its pushes", () => {
    expect(lab.recorder.exchanges.map(({ status }) => status)).toEqual(lab.recorder.exchanges.map(() => 200));
    expect(lab.recorder.exchanges.length).toBeGreaterThan(1);
  });

  it("shows its hot function, with its label, and the CPU time that it used", async () => {
    const totals = await lab.readTotals(`${CPU}{service_name="shop",region="eu"}`);
    const labelled = await lab.readTotals(`${CPU}{service_name="shop",route="/checkout"}`);

    expectSampled((totals.get("total") ?? 0) / SECOND_NS / cpuSeconds);
    expectSplit({ totals, labelled, hot: "hot_checkout", cold: "cold_search" });
  });
});
