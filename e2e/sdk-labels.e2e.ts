import { describe, expect, it } from "vitest";
import { readSamples, startFakeReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

/** Nanoseconds of the samples whose stack says which route they belong to, by whether their label agrees. */
interface Shares {
  right: number;
  foreign: number;
  unlabelled: number;
}

// `pnpm test:stress`.
const isStress = (process.env.STRESS ?? "") !== "";

async function measure(node: string, how: string, flags: readonly string[] = [], size = "2500") {
  const receiver = await startFakeReceiver();
  try {
    const args = [...flags, fixturePath("sdk-labels.mjs"), receiver.url, size, how];
    const result = await runProgram(node, args).result;
    const shares: Record<string, Shares> = {};
    for (const { labels, profile } of receiver.profiles()) {
      const name = labels.__name__ ?? "";
      shares[name] ??= { right: 0, foreign: 0, unlabelled: 0 };
      for (const sample of readSamples(profile)) {
        const burner = sample.frames.find((frame) => frame.name.startsWith("burn_"))?.name;
        if (burner === undefined) continue;
        const route = sample.labels.route;
        const kind = route === undefined ? "unlabelled" : route === `/${burner.at(-1)}` ? "right" : "foreign";
        shares[name][kind] += sample.value;
      }
    }
    return { result, shares };
  } finally {
    await receiver.close();
  }
}

function expectLabelled(shares: Shares | undefined): void {
  const { right, foreign, unlabelled } = shares ?? { right: 0, foreign: 0, unlabelled: 0 };
  expect(foreign).toBe(0);
  expect(right / (right + unlabelled)).toBeGreaterThanOrEqual(0.99);
}

describe.for(allNodes)("labels on Node $major", ({ major, path }) => {
  it("follow 40 concurrent requests through 9 kinds of hop and many windows", async () => {
    const { result, shares } = await measure(path, "tagWrapper");

    expect(result).toMatchObject({ code: 0, stderr: "" });
    const { ok, labelMechanism, sentCount } = JSON.parse(result.stdout);
    expect(ok).toBe(true);
    expect(sentCount).toBeGreaterThan(2);
    expect(labelMechanism).toBe(Number(major) >= 24 ? "async-context-frame" : "async-hooks");
    expectLabelled(shares.wall);
    expectLabelled(shares.process_cpu);
  });

  it.runIf(isStress)("tell 10,000 requests at once apart", async () => {
    const { result, shares } = await measure(path, "crowd", [], "10000");

    expect(result).toMatchObject({ code: 0, stderr: "" });
    expectLabelled(shares.wall);
    expectLabelled(shares.process_cpu);
  });

  it("set by setLabels stay with the request that set them", async () => {
    const { result, shares } = await measure(path, "setLabels");

    expect(result.code).toBe(0);
    expectLabelled(shares.wall);
  });
});

describe("labels on a Node whose async context frames are switched the other way", () => {
  const flagged = allNodes.flatMap(({ major, path }) => {
    if (major === "22")
      return [{ major, path, flag: "--experimental-async-context-frame", mechanism: "async-context-frame" }];
    if (major === "24") return [{ major, path, flag: "--no-async-context-frame", mechanism: "async-hooks" }];
    return [];
  });

  it.for(flagged)("$major with $flag", async ({ path, flag, mechanism }) => {
    const { result, shares } = await measure(path, "tagWrapper", [flag]);

    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout).labelMechanism).toBe(mechanism);
    expectLabelled(shares.wall);
  });
});
