import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { createReceiverClient } from "./harness/client.ts";
import { type ReadSample, type ReceivedProfile, readSamples, withReceiver } from "./harness/fake-receiver.ts";
import { makeDataDirectory, startReadyReceiver, startReceiver } from "./harness/receiver-process.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

const program = fixturePath("sdk-profile-types.mjs");
const programLines = readFileSync(program, "utf8").split("\n");

const lineOf = (comment: string): number =>
  programLines.findIndex((line) => line.endsWith(`// ${comment}`)) + 1;

/** Runs a scenario to its end; what it pushed. */
async function profilesOf(node: string, scenario: string): Promise<readonly ReceivedProfile[]> {
  return withReceiver(async (receiver) => {
    expect(await runProgram(node, [program, scenario, receiver.url]).result).toMatchObject({ code: 0 });
    return receiver.profiles();
  });
}

/** The samples of a scenario by profile type. */
async function samplesOf(node: string, scenario: string): Promise<Readonly<Record<string, ReadSample[]>>> {
  const samples: Record<string, ReadSample[]> = {};
  for (const { labels, profile } of await profilesOf(node, scenario)) {
    const type = `${labels.__name__}:${profile.sampleTypes[0]?.type}`;
    samples[type] = [...(samples[type] ?? []), ...readSamples(profile)];
  }
  return samples;
}

const sum = (samples: readonly ReadSample[]): number =>
  samples.reduce((total, { value }) => total + value, 0);

describe.for(allNodes)("profile types on Node $major", ({ path }) => {
  it("tell the hot lines of one function apart", async () => {
    const samples = await samplesOf(path, "lines");

    for (const type of ["process_cpu:cpu", "wall:wall"]) {
      const hot = (samples[type] ?? []).filter(({ frames }) => frames[0]?.name === "twoLines");
      const at = (line: number) => sum(hot.filter(({ frames }) => frames[0]?.line === line));
      expect(at(lineOf("often"))).toBeGreaterThan(0.55 * sum(hot));
      expect(at(lineOf("seldom"))).toBeGreaterThan(0.05 * sum(hot));
      expect(at(lineOf("often"))).toBeGreaterThan(1.5 * at(lineOf("seldom")));
    }
  });
});

/** The receiver's totals of profiles, read by an engine of its own. */
async function readTotals(directory: string) {
  const { DuckDBInstance } = createRequire(new URL("../packages/receiver/package.json", import.meta.url))(
    "@duckdb/node-api",
  );
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  const reader = await connection.runAndReadAll(
    "SELECT total, duration FROM read_parquet($1) WHERE type LIKE 'memory:alloc_space:%'",
    [`${directory}/**/totals.parquet`],
  );
  const rows: readonly (readonly [bigint, bigint])[] = reader.getRows();
  return rows.map(([total, duration]) => ({ total: Number(total), durationMs: Number(duration) / 1e6 }));
}

const has = (name: string) => (sample: ReadSample) => sample.frames.some((frame) => frame.name === name);

describe.for(allNodes)("profile types on Node $major", ({ path }) => {
  it("show who blocks the event loop, and not who works beside", async () => {
    const samples = await samplesOf(path, "block");

    expect(Object.keys(samples).sort()).toEqual(["block:contentions", "block:delay"]);
    const { "block:contentions": contentions = [], "block:delay": delay = [] } = samples;
    expect(sum(delay.filter(has("blockTheLoop")))).toBeGreaterThan(0.9 * sum(delay));
    expect(sum(delay.filter(has("blockTheLoop")))).toBeGreaterThan(3 * 250e6);
    expect(sum(delay.filter(has("workBriefly")))).toBeLessThan(0.05 * sum(delay));
    expect(sum(contentions.filter(has("blockTheLoop")))).toBe(3);
  });

  it("show what was allocated in a window, also of what is garbage", async () => {
    const samples = await samplesOf(path, "allocations");

    const bytes = sum((samples["memory:alloc_space"] ?? []).filter(has("makeGarbage")));
    const objects = sum((samples["memory:alloc_objects"] ?? []).filter(has("makeGarbage")));
    expect(bytes).toBeGreaterThan(0.7 * 9.6e6);
    expect(bytes).toBeLessThan(1.6 * 9.6e6);
    expect(objects).toBeGreaterThan(50_000);
    expect(samples["memory:inuse_space"]?.some(has("makeGarbage")) ?? false).toBe(false);
  });

  it("show allocations in scheduled windows with their own length", async () => {
    const profiles = await profilesOf(path, "scheduled allocations");

    expect(profiles.length).toBeGreaterThan(0);
    for (const { labels, profile } of profiles) {
      expect([labels.__name__, profile.sampleTypes[0]?.type]).toEqual(["memory", "alloc_space"]);
      expect(readSamples(profile).some(has("makeGarbage"))).toBe(true);
      expect(profile.durationNanos).toBeLessThan(2_500_000_000n);
    }
  });

  it("show the time of garbage collections by their sort", async () => {
    const { "gc:gc": gc = [], ...others } = await samplesOf(path, "gc");

    expect(others).toEqual({});
    expect(gc.map(({ frames }) => frames.map(({ name }) => name).join(" < "))).toContain(
      "minor < Garbage Collection < Node.js",
    );
    expect(sum(gc)).toBeGreaterThan(1e6);
  });
});

describe("the receiver", () => {
  it("stores scheduled windows of allocations with their own length: bytes in a second of them are the program's", async () => {
    const directory = await makeDataDirectory();
    const receiver = await startReadyReceiver({ directory: directory.path });
    try {
      const args = [program, "scheduled allocations", receiver.address];
      const { code, stdout } = await runProgram(process.execPath, args).result;
      expect(code).toBe(0);
      const { bytesPerSecond } = JSON.parse(stdout);
      // What is in memory becomes a block.
      await receiver.stop();

      const totals = await readTotals(directory.path);

      expect(totals.length).toBeGreaterThan(0);
      for (const { durationMs } of totals) {
        expect(durationMs).toBeGreaterThanOrEqual(299);
        expect(durationMs).toBeLessThan(2500);
      }
      const profiledMs = totals.reduce((sum, { durationMs }) => sum + durationMs, 0);
      const bytes = totals.reduce((sum, { total }) => sum + total, 0);
      expect(bytes / (profiledMs / 1000)).toBeGreaterThan(0.4 * bytesPerSecond);
      expect(bytes / (profiledMs / 1000)).toBeLessThan(2.5 * bytesPerSecond);
    } finally {
      await receiver.stop();
      await directory.remove();
    }
  });

  it("shows the hot lines of one function as frames of their own", async () => {
    const directory = await makeDataDirectory();
    const receiver = await startReceiver({ directory: directory.path });
    try {
      expect(await runProgram(process.execPath, [program, "lines", receiver.address]).result).toMatchObject({
        code: 0,
      });

      const query = encodeURIComponent('process_cpu:cpu:nanoseconds:cpu:nanoseconds{service_name="program"}');
      const { body } = await createReceiverClient(receiver.address).get(
        `/render?query=${query}&from=now-1h&frames=line`,
      );
      const text = JSON.stringify(body);
      for (const comment of ["often", "seldom"]) expect(text).toMatch(new RegExp(`:${lineOf(comment)}\\b`));
    } finally {
      await receiver.stop();
      await directory.remove();
    }
  });
});
