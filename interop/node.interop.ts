import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectSampled, expectSplit } from "./harness/expectations.ts";
import { recordFixtures } from "./harness/fixtures.ts";
import { type InteropLab, startInteropLab } from "./harness/interop-lab.ts";
import { programFolder, runWorkload } from "./harness/tools.ts";

const SECOND_NS = 1e9;

let lab: InteropLab;

beforeAll(async () => {
  lab = await startInteropLab();
}, 60_000);

afterAll(() => lab?.stop());

describe("@pyroscope/nodejs", () => {
  let cpuSeconds: number;

  beforeAll(async () => {
    const args = [join(programFolder("node"), "workload.mjs"), lab.recorder.address, "shop", "3"];
    ({ cpuSeconds } = (await runWorkload(process.execPath, args)) as { cpuSeconds: number });
    recordFixtures("node", lab.recorder.exchanges);
  }, 120_000);

  it("gets 200 for each of its pushes", () => {
    expect(lab.recorder.exchanges.map(({ status }) => status)).toEqual(lab.recorder.exchanges.map(() => 200));
    expect(lab.recorder.exchanges.length).toBeGreaterThan(1);
  });

  it("shows its hot function, with its label, and the CPU time that it used", async () => {
    const type = "wall:cpu:nanoseconds:wall:nanoseconds";
    const totals = sumByFunction(await lab.readTotals(`${type}{service_name="shop",region="eu"}`));
    const labelled = sumByFunction(await lab.readTotals(`${type}{service_name="shop",route="/checkout"}`));
    const [hot, cold] = [totals.get("hotCheckout") ?? 0, totals.get("coldSearch") ?? 0];

    expectSampled((hot + cold) / SECOND_NS / cpuSeconds);
    expectSplit({ totals, labelled, hot: "hotCheckout", cold: "coldSearch" });
  });

  it("shows the memory that it holds", async () => {
    const type = "memory:inuse_space:bytes:inuse_space:bytes";
    const totals = sumByFunction(await lab.readTotals(`${type}{service_name="shop"}`));

    // 400,000 objects of about 90 bytes.
    expect(totals.get("retainRecords")).toBeGreaterThan(10e6);
  });
});

/** Its names are `path:function:line`: one function has several. */
function sumByFunction(totals: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [name, value] of totals) {
    const [, plain = name] = name.split(":");
    sums.set(plain, (sums.get(plain) ?? 0) + value);
  }
  return sums;
}
