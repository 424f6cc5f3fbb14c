import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createReceiverClient } from "./harness/client.ts";
import { type ReadSample, readSamples, withReceiver } from "./harness/fake-receiver.ts";
import { makeDataDirectory, startReadyReceiver } from "./harness/receiver-process.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

const program = fixturePath("sdk-accuracy.mjs");

// A minute on every Node by `pnpm test:accuracy`, which wants a machine to itself. Here seconds beside other tests: a few
// hundred samples, of which a starved thread gets fewer, and each of those stands for two intervals at most.
const isLong = process.env.ACCURACY !== undefined;
const run = isLong
  ? { seconds: 60, ratio: 0.02, lostWall: 0.02, points: 2, nodes: allNodes }
  : { seconds: 4, ratio: 0.05, lostWall: 0.5, points: 15, nodes: allNodes.slice(0, 1) };
const TIMEOUT_MS = isLong ? 200_000 : 60_000;

const sum = (samples: readonly ReadSample[]): number =>
  samples.reduce((total, { value }) => total + value, 0);

/** What a scenario printed, and its samples by the name of their profile. */
async function measure(node: string, scenario: string) {
  return withReceiver(async (receiver) => {
    const args = [program, scenario, receiver.url, String(run.seconds)];
    const { code, stdout, stderr } = await runProgram(node, args).result;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const samples: Record<string, ReadSample[]> = {};
    const durationsMs: Record<string, number> = {};
    // Of several windows the last.
    for (const { labels, profile } of receiver.profiles()) {
      samples[labels.__name__ ?? ""] = readSamples(profile);
      durationsMs[labels.__name__ ?? ""] = Number(profile.durationNanos) / 1e6;
    }
    const printed: Readonly<Record<string, number>> = JSON.parse(stdout);
    return { printed, samples, durationsMs };
  });
}

describe.for(run.nodes)("the SDK on Node $major", ({ path }) => {
  it("has the CPU time of the process and all time on the event loop, as it was measured", {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { printed, samples, durationsMs } = await measure(path, "mixed");

    const cpuRatio = sum(samples.process_cpu ?? []) / 1e6 / (printed.cpuMs ?? 0);
    // The window is longer than the work by what a flush takes.
    const wallRatio = sum(samples.wall ?? []) / 1e6 / (durationsMs.wall ?? 0);
    expect(durationsMs.wall).toBeGreaterThan(printed.elapsedMs ?? 0);
    console.log(`CPU ${cpuRatio.toFixed(4)}, wall ${wallRatio.toFixed(4)} of what was measured`);
    expect(Math.abs(cpuRatio - 1)).toBeLessThan(run.ratio);
    expect(wallRatio).toBeLessThan(1 + run.ratio);
    expect(wallRatio).toBeGreaterThan(1 - run.lostWall);
  });

  it("shows a planted split of 70, 20 and 10 % as it is", { timeout: TIMEOUT_MS }, async () => {
    const { samples } = await measure(path, "planted");

    const shares = ["most", "some", "little"].map((name) =>
      sum((samples.process_cpu ?? []).filter(({ frames }) => frames.some((frame) => frame.name === name))),
    );
    const total = shares.reduce((all, share) => all + share, 0);
    const points = shares.map((share) => (100 * share) / total);
    console.log(`planted 70, 20, 10: ${points.map((point) => point.toFixed(1)).join(", ")}`);
    for (const [i, expected] of [70, 20, 10].entries())
      expect(Math.abs((points[i] ?? 0) - expected)).toBeLessThan(run.points);
  });

  it("shows 64 MiB that are alive within 15 %", async () => {
    const { samples } = await measure(path, "heap");

    const kept = (samples.memory ?? []).filter(({ frames }) =>
      frames.some(({ name }) => name === "keepAlive"),
    );
    const ratio = sum(kept) / (64 * 1024 ** 2);
    console.log(`live bytes ${ratio.toFixed(3)} of what is known`);
    expect(Math.abs(ratio - 1)).toBeLessThan(0.15);
  });
});

describe("the receiver", () => {
  it("takes a function for the same after lines were added above it", async () => {
    const data = await makeDataDirectory();
    const receiver = await startReadyReceiver({ directory: data.path });
    const directory = await mkdtemp(join(tmpdir(), "accuracy-"));
    try {
      const file = join(directory, "app.mjs");
      const source = `function hotOne() {
        const before = process.cpuUsage();
        while (process.cpuUsage(before).user < 400_000) for (let i = 0; i < 10_000; i++) Math.sqrt(i);
      }
      hotOne();`;
      for (const release of [source, `\n\n\n${source}`]) {
        await writeFile(file, release);
        const register = new URL("../packages/sdk-node/dist/register.js", import.meta.url);
        const result = await runProgram(process.execPath, [`--import=${register}`, file], {
          PYROSCOPE_APPLICATION_NAME: "released",
          PYROSCOPE_SERVER_ADDRESS: receiver.address,
          PYROSCOPE_EXIT_TIMEOUT: "30s",
        }).result;
        expect({ code: result.code, file: fileURLToPath(register) }).toMatchObject({ code: 0 });
      }

      const query = encodeURIComponent(
        'process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="released"}',
      );
      const client = createReceiverClient(receiver.address);
      const { body } = await client.get(`/render?query=${query}&from=now-1h&format=collapsed`);
      const own = String(body)
        .split("\n")
        .filter((line) => line.includes("hotOne"))
        .map((line) => line.replace(/ \d+$/, "").replace(/^.*;hotOne/, "hotOne"));

      // Both releases' time is of one function: its stack is there once.
      expect(own.filter((path) => path === "hotOne")).toHaveLength(1);
    } finally {
      await receiver.stop();
      await data.remove();
      await rm(directory, { recursive: true });
    }
  });
});
