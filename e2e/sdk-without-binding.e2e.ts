import { describe, expect, it } from "vitest";
import { functionNames, readSamples, withReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

const run = (node: string, ...args: string[]) =>
  runProgram(node, [
    "--require",
    fixturePath("without-binding.cjs"),
    fixturePath("sdk-without-binding.mjs"),
    ...args,
  ]).result;

describe.for(allNodes)("a program without the native profiler on Node $major", ({ path }) => {
  it("is profiled by the inspector, with one warning and without labels", async () => {
    await withReceiver(async (receiver) => {
      const { code, stderr, stdout } = await run(path, receiver.url);

      expect({ code, stdout }).toEqual({ code: 0, stdout: "done inspector\ntrue\n" });
      expect(stderr.trim().split("\n")).toEqual([
        expect.stringMatching(
          /No native build.*; the inspector profiles cpu, wall, inuse_space, without labels$/,
        ),
      ]);
      const profiles = receiver.profiles();
      expect(functionNames(profiles, "process_cpu")).toContain("burnDegraded");
      expect(functionNames(profiles, "wall")).toContain("burnDegraded");
      expect(profiles.map(({ labels }) => labels.__name__)).toContain("memory");
      const cpu = profiles.filter(({ labels }) => labels.__name__ === "process_cpu");
      const samples = cpu.flatMap(({ profile }) => readSamples(profile));
      expect(samples.map(({ labels }) => labels)).toEqual(samples.map(() => ({})));
    });
  });
});

describe("start() without the native profiler", () => {
  it("throws where strict is set, and the program goes on", async () => {
    const { code, stdout } = await run(process.execPath, "http://127.0.0.1:1", "strict");

    expect({ code, stdout }).toEqual({ code: 0, stdout: "NATIVE_UNAVAILABLE\ndone undefined\ntrue\n" });
  });
});
