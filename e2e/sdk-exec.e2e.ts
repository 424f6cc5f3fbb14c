import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { functionNames, withReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

const bin = fileURLToPath(new URL("../packages/sdk-node/bin/pyroscope-node.js", import.meta.url));

// A busy machine needs more than the default for the last window.
const PATIENT = ["--exit-timeout", "1m"];

describe.for(allNodes)("pyroscope-node exec on Node $major", ({ major, path }) => {
  it("profiles a program, its worker threads and its children", async () => {
    await withReceiver(async (receiver) => {
      const flags = ["--application-name", "unaware", "--server-address", receiver.url, ...PATIENT];
      const program = fixturePath("sdk-unaware-threads.mjs");
      const { code, stdout, stderr } = await runProgram(path, [bin, "exec", ...flags, "--", path, program])
        .result;

      expect({ code, stdout, stderr }).toEqual({ code: 7, stdout: "child\nworker\nmain\n", stderr: "" });
      const names = functionNames(receiver.profiles(), "wall");
      expect(names).toContain("burnInMain");
      expect(names).toContain("burnInWorker");
      expect(names).toContain("burnInChild");
      const labelsOf = (name: string) =>
        receiver.profiles().find((profile) => functionNames([profile], "wall").has(name))?.labels ?? {};
      expect(labelsOf("burnInWorker")).toMatchObject({
        service_name: "unaware",
        thread_id: expect.stringMatching(/^\d+$/),
      });
      expect(labelsOf("burnInMain").thread_id).toBeUndefined();
      expect(labelsOf("burnInMain").hostname).toBe(hostname());
      const sessions = ["burnInMain", "burnInWorker", "burnInChild"].map(
        (name) => labelsOf(name).__session_id__,
      );
      expect(new Set(sessions).size).toBe(3);
    });
  });

  it.skipIf(major === "20")("profiles a program in TypeScript", async () => {
    await withReceiver(async (receiver) => {
      const flags = ["--server-address", receiver.url, "--application-name=typed", ...PATIENT];
      const program = fixturePath("sdk-unaware-typed.ts");
      const { code } = await runProgram(path, [bin, "exec", ...flags, path, program]).result;

      expect(code).toBe(0);
      expect(functionNames(receiver.profiles(), "wall")).toContain("burnTyped");
    });
  });
});

describe("pyroscope-node", () => {
  const run = (...args: string[]) => runProgram(process.execPath, [bin, ...args]).result;

  it("hands on signals, and ends as its command ends", async () => {
    const script = "setInterval(() => {}, 1000); console.log('ready')";
    const args = [bin, "exec", "--enabled", "false", "--", process.execPath, "-e", script];
    const running = runProgram(process.execPath, args);
    await running.waitForOutput("ready");

    running.process.kill("SIGTERM");

    expect(await running.result).toMatchObject({ code: null, signal: "SIGTERM" });
  });

  it("says what is wrong with its usage", async () => {
    expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining("pyroscope-node exec") });
    expect(await run("exec")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("expected a command"),
    });
    expect(await run("exec", "--huh", "1", "node")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--huh: no such flag"),
    });
    expect(await run("exec", "/no/such/command")).toMatchObject({
      code: 127,
      stderr: expect.stringContaining("ENOENT"),
    });
    expect(await run("--help")).toMatchObject({ code: 0, stdout: expect.stringContaining("exec") });
  });
});
