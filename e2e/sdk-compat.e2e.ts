import { describe, expect, it } from "vitest";
import { functionNames, readSamples, withReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

// What @pyroscope/nodejs 0.6.4 has on its default export.
const exportNames = [
  "SourceMapper",
  "expressMiddleware",
  "fastifyMiddleware",
  "getLabels",
  "getWallLabels",
  "init",
  "setLabels",
  "setLogger",
  "setWallLabels",
  "start",
  "startCpuProfiling",
  "startHeapProfiling",
  "startWallProfiling",
  "stop",
  "stopCpuProfiling",
  "stopHeapProfiling",
  "stopWallProfiling",
  "wrapWithLabels",
];

describe.for(allNodes)("a program for @pyroscope/nodejs on Node $major", ({ path }) => {
  it("runs with another import, and its profiles keep their types and names", async () => {
    await withReceiver(async (receiver) => {
      const { code, stdout, stderr } = await runProgram(path, [fixturePath("sdk-compat.cjs"), receiver.url])
        .result;

      expect({ code, stderr: stderr.replaceAll(/pyroscope: start\(\) called again.*\n/g, "") }).toEqual({
        code: 0,
        stderr: "",
      });
      expect(JSON.parse(stdout)).toEqual(["runs before init", "returned", "runs after stop", exportNames]);
      const profiles = receiver.profiles();
      const ids = profiles.map(({ labels, profile }) => {
        const [type] = profile.sampleTypes;
        const { type: period, unit } = profile.periodType ?? {};
        return `${labels.__name__}:${type?.type}:${type?.unit}:${period}:${unit}`;
      });
      expect([...new Set(ids)].sort()).toEqual([
        "memory:inuse_objects:count:inuse_space:bytes",
        "memory:inuse_space:bytes:inuse_space:bytes",
        "wall:cpu:nanoseconds:wall:nanoseconds",
        "wall:wall:nanoseconds:wall:nanoseconds",
      ]);
      expect(profiles[0]?.labels).toMatchObject({ service_name: "shop", region: "eu" });
      const names = [...functionNames(profiles, "wall")];
      expect(names).toContainEqual(expect.stringMatching(/^\.\/.*sdk-compat\.cjs:burnInCompat:5$/));
      const labelled = profiles
        .filter(({ labels }) => labels.__name__ === "wall")
        .flatMap(({ profile }) => readSamples(profile))
        .filter(({ frames }) => frames.some(({ name }) => name.includes("burnInCompat")));
      expect(new Set(labelled.map(({ labels }) => labels.route))).toEqual(new Set(["/cart"]));
    });
  });
});
