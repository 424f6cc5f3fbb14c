import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { decodePprof } from "@pyroscope-ts/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionNames, readSamples, withReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, type RunningProgram, runProgram } from "./harness/run-program.ts";

const bin = fileURLToPath(new URL("../packages/sdk-node/bin/pyroscope-node.js", import.meta.url));

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sdk-attach-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Any free port, so that tests do not meet at 9229. */
async function withTarget(
  node: string,
  flags: readonly string[],
  use: (pid: string, target: RunningProgram) => Promise<void>,
): Promise<void> {
  const target = runProgram(node, ["--inspect-port=0", ...flags, fixturePath("sdk-attached.mjs")]);
  try {
    await target.waitForOutput("ready");
    await use(String(target.process.pid), target);
  } finally {
    target.process.kill("SIGKILL");
    await target.result;
  }
}

const attach = (...args: readonly string[]) => runProgram(process.execPath, [bin, "attach", ...args]).result;

describe.for(allNodes)("pyroscope-node attach to Node $major", ({ major, path }) => {
  it("writes CPU and wall time of a program that knows nothing of it, which then goes on", async () => {
    await withTarget(path, [], async (pid, target) => {
      const output = join(directory, `${major}.pb.gz`);

      const { code, stderr, stdout } = await attach(pid, "--duration=500ms", "--output", output);

      expect({ code, stderr, stdout }).toMatchObject({ code: 0, stderr: "" });
      const profile = decodePprof(gunzipSync(await readFile(output)));
      expect(profile.sampleTypes).toEqual([
        { type: "cpu", unit: "nanoseconds" },
        { type: "wall", unit: "nanoseconds" },
      ]);
      const names = readSamples(profile).flatMap(({ frames }) => frames.map(({ name }) => name));
      expect(names).toContain("burnAttached");
      // The inspector opened and was closed again, and nothing else happened to the program.
      target.process.kill("SIGTERM");
      const ended = await target.result;
      expect(ended).toMatchObject({ code: 42, signal: null, stdout: "ready\nalive after some turns\n" });
      expect(ended.stderr).toMatch(/Debugger listening on[\s\S]*Debugger ending on/);
    });
  });
});

describe("pyroscope-node attach", () => {
  const node = process.execPath;

  it("sends to a server under a name, with the Node of the target, also twice", async () => {
    const other = allNodes.find(({ path }) => path !== node) ?? { path: node };
    await withReceiver(async (receiver) => {
      await withTarget(other.path, [], async (pid) => {
        const flags = ["--application-name", "attached", "--server-address", receiver.url];
        for (let i = 0; i < 2; i++) {
          expect(await attach(pid, "--duration", "300ms", ...flags)).toMatchObject({ code: 0, stderr: "" });
        }
      });
      const profiles = receiver.profiles();
      expect(new Set(profiles.map(({ labels }) => labels.__name__))).toEqual(
        new Set(["process_cpu", "wall"]),
      );
      expect(profiles[0]?.labels.service_name).toBe("attached");
      expect(profiles[0]?.labels["process.runtime.version"]).toMatch(/^\d+\./);
      expect(functionNames(profiles, "process_cpu")).toContain("burnAttached");
    });
  });

  it("leaves an inspector open that was open before", async () => {
    const target = runProgram(node, ["--inspect=127.0.0.1:0", fixturePath("sdk-attached.mjs")]);
    await target.waitForOutput("ready");
    const pid = String(target.process.pid);
    for (let i = 0; i < 2; i++) {
      const flags = ["--duration", "100ms", "--output", join(directory, "open.pb.gz")];
      expect(await attach(pid, ...flags)).toMatchObject({ code: 0, stderr: "" });
    }

    target.process.kill("SIGTERM");
    const { stderr } = await target.result;
    expect(stderr.match(/Debugger listening/g)).toHaveLength(1);
  });

  it("profiles a loop that never ends, and says that the inspector is open for as long as it goes on", async () => {
    // Optimised while it runs: a profiler that comes later knows of no such code by itself.
    const script =
      "function spinForever() { let x = 1; while (x > 0) x = Math.sqrt(x + 1); } setTimeout(spinForever, 100); console.log('ready');";
    const loop = runProgram(node, ["--inspect-port=0", "-e", script]);
    await loop.waitForOutput("ready");
    const output = join(directory, "loop.pb.gz");
    await new Promise((resolve) => setTimeout(resolve, 500));
    const flags = ["--duration", "300ms", "--output", output];
    const { code, stderr } = await attach(String(loop.process.pid), ...flags);

    loop.process.kill("SIGKILL");
    await loop.result;
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("still open at port"),
    });
    const samples = readSamples(decodePprof(gunzipSync(await readFile(output))));
    expect(samples.flatMap(({ frames }) => frames.map(({ name }) => name))).toContain("spinForever");
  });

  it("writes what there is when it is interrupted", async () => {
    await withTarget(node, [], async (pid) => {
      const output = join(directory, "interrupted.pb.gz");
      const running = runProgram(node, [bin, "attach", pid, "--duration", "5m", "--output", output]);
      await running.waitForOutput("profiling PID");
      await new Promise((resolve) => setTimeout(resolve, 300));
      running.process.kill("SIGINT");

      expect(await running.result).toMatchObject({ code: 0 });
      expect(decodePprof(gunzipSync(await readFile(output))).samples.length).toBeGreaterThan(0);
    });
  });

  it("says that the port of the inspector is taken, and leaves the program alone", async () => {
    const holder = createServer((socket) => socket.on("error", () => {}).resume());
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const address = holder.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    try {
      await withTarget(node, [`--inspect-port=127.0.0.1:${port}`], async (pid, target) => {
        const result = await attach(pid, "--duration", "1s", "--output", "never.pb.gz");

        expect(result).toMatchObject({ code: 1 });
        expect(result.stderr).toContain(`port ${port} is taken by another process`);
        target.process.kill("SIGTERM");
        expect(await target.result).toMatchObject({ code: 42 });
      });
    } finally {
      await new Promise((resolve) => holder.close(resolve));
    }
  });

  it("sends no signal to what it would end", async () => {
    const deaf = runProgram(node, ["--disable-sigusr1", fixturePath("sdk-attached.mjs")]);
    await deaf.waitForOutput("ready");

    const { code, stderr } = await attach(String(deaf.process.pid), "--output", "never.pb.gz");
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("--disable-sigusr1") });
    deaf.process.kill("SIGTERM");
    expect(await deaf.result).toMatchObject({ code: 42 });
  });

  it.for([
    [["1", "--output", "x"], 1, /PID 1 /],
    [["2147483646", "--output", "x"], 1, /there is no process with PID 2147483646/],
    [["self"], 2, /expected the PID of a Node process/],
    [[], 2, /expected the PID of a Node process/],
    [["1"], 2, /expected --output FILE to write it, or --application-name NAME to send it to http:/],
    [["1", "--duration", "0"], 2, /--duration=0: expected/],
    [["1", "x", "--output", "x"], 2, /x is no flag/],
    [["1", "--output", "x", "--sample-rate", "fast"], 2, /PYROSCOPE_SAMPLE_RATE="fast"/],
  ] as const)("refuses %j", async ([args, exitCode, message]) => {
    const { code, stderr } = await attach(...args);

    expect({ code, stderr }).toEqual({ code: exitCode, stderr: expect.stringMatching(message) });
  });
});
