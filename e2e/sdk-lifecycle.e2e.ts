import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { functionNames, profileTypes, startFakeReceiver, withReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, type RunningProgram, runProgram } from "./harness/run-program.ts";

const program = fixturePath("sdk-program.mjs");

/** By its place in the package: a program's own folder need not know the package. */
const register = fileURLToPath(new URL("../packages/sdk-node/dist/register.js", import.meta.url));

const everyType = ["memory:inuse_objects", "memory:inuse_space", "process_cpu:cpu", "wall:wall"];

describe.for(allNodes)("the SDK on Node $major", ({ path }) => {
  it("lets a program that only calls start() end by itself", async () => {
    await withReceiver(async ({ url }) => {
      expect(await runProgram(path, [program, "only-start", url]).result).toMatchObject({
        code: 0,
        signal: null,
      });
    });
  });

  it("runs what it wraps before start, while running and after stop", async () => {
    await withReceiver(async ({ url }) => {
      const { code, stdout } = await runProgram(path, [program, "wrappers", url]).result;

      const once = [3, "async", "no labels", "mine", "mine too", "still run"];
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual([...once, ...once, ...once]);
    });
  });

  it("nests labels and gives the caller its own back, also after a throw", async () => {
    await withReceiver(async ({ url }) => {
      const { code, stdout } = await runProgram(path, [program, "nesting", url]).result;

      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual([
        {},
        { route: "/a" },
        { route: "/b", step: "x" },
        { route: "/a" },
        { route: "/a" },
        { route: "/a", user: "1" },
        { only: "true" },
        {},
        {},
      ]);
    });
  });

  it.for(["SIGTERM", "SIGINT"] as const)(
    "sends the last window on %s and ends by that signal",
    async (signal) => {
      await withReceiver(async (receiver) => {
        const running = runProgram(path, [program, "wait-for-signal", receiver.url, "30s"]);
        await running.waitForOutput("ready");

        running.process.kill(signal);

        expect(await running.result).toMatchObject({ code: null, signal });
        expect(profileTypes(receiver.profiles())).toEqual(everyType);
        expect(functionNames(receiver.profiles(), "wall")).toContain("burn");
        expect(functionNames(receiver.profiles(), "memory")).toContain("retain");
      });
    },
  );

  it("starts and stops 20 times without harm", async () => {
    await withReceiver(async ({ url }) => {
      const result = await runProgram(path, [program, "start-stop-cycles", url]).result;

      expect(result).toMatchObject({ code: 0, signal: null });
    });
  });

  it("runs in worker threads, also in one that is terminated", async () => {
    await withReceiver(async (receiver) => {
      const { code, stdout, stderr } = await runProgram(path, [program, "worker", receiver.url]).result;

      expect({ code, stderr: stderr.replaceAll(/pyroscope: profiling .*\n/g, "") }).toEqual({
        code: 0,
        stderr: "",
      });
      expect(JSON.parse(stdout)).toMatchObject({ code: 0, killedCode: 1, stopped: { ok: true } });
      const worker = receiver.profiles().filter(({ labels }) => labels.service_name === "worker");
      expect(profileTypes(worker)).toEqual(everyType);
      expect(functionNames(worker, "wall")).toContain("burnInWorker");
    });
  });

  it("profiles a program that knows nothing of it, up to its natural end", async () => {
    await withReceiver(async (receiver) => {
      const { code, stdout, stderr } = await runProgram(
        path,
        ["--import", register, fixturePath("sdk-unaware.mjs")],
        {
          PYROSCOPE_APPLICATION_NAME: "unaware",
          PYROSCOPE_SERVER_ADDRESS: receiver.url,
          PYROSCOPE_EXIT_TIMEOUT: "30s",
        },
      ).result;

      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "done\n", stderr: "" });
      expect(functionNames(receiver.profiles(), "wall")).toContain("burnUnaware");
      expect(receiver.requests).toHaveLength(1);
    });
  });

  it("loads by require()", async () => {
    await withReceiver(async (receiver) => {
      const { code, stdout } = await runProgram(path, [fixturePath("sdk-require.cjs"), receiver.url]).result;

      expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: "true" });
      expect(functionNames(receiver.profiles(), "wall")).toContain("burnInCjs");
    });
  });
});

describe("signals", () => {
  async function terminate(args: readonly string[], node: string = process.execPath) {
    const running: RunningProgram = runProgram(node, [program, ...args]);
    await running.waitForOutput("ready");
    running.process.kill("SIGTERM");
    return running;
  }

  it("belong to the program where it has a handler", async () => {
    await withReceiver(async ({ url }) => {
      const running = await terminate(["own-handler", url]);

      expect(await running.result).toMatchObject({ code: 7, signal: null });
    });
  });

  it("reach libraries that end the process only where nobody else listens", async () => {
    await withReceiver(async ({ url }) => {
      const running = await terminate(["exit-library", url]);

      expect(await running.result).toMatchObject({ code: null, signal: "SIGTERM" });
    });
  });

  it("end the process when the program's handler is gone again", async () => {
    await withReceiver(async (receiver) => {
      const running = await terminate(["handler-that-stays", receiver.url]);
      await running.waitForOutput("signal 1");
      running.process.kill("SIGTERM");
      await running.waitForOutput("signal 2");
      running.process.kill("SIGTERM");

      expect(await running.result).toMatchObject({ code: null, signal: "SIGTERM" });
      expect(receiver.requests).toHaveLength(1);
    });
  });

  it("end the process in time when the server never answers", async () => {
    const receiver = await startFakeReceiver(() => {});
    try {
      const running = await terminate(["wait-for-signal", receiver.url, "2s"]);

      expect(await running.result).toMatchObject({ code: null, signal: "SIGTERM" });
      expect(receiver.requests).toHaveLength(1);
    } finally {
      await receiver.close();
    }
  });

  it("end the process at once when they come twice", async () => {
    const receiver = await startFakeReceiver(() => {});
    try {
      const running = await terminate(["wait-for-signal", receiver.url, "1m"]);
      await receiver.waitForRequests(1);
      running.process.kill("SIGTERM");

      expect(await running.result).toMatchObject({ code: null, signal: "SIGTERM" });
    } finally {
      await receiver.close();
    }
  });
});

describe("exit codes", () => {
  it.for([
    ["exit", 3],
    ["throw", 1],
  ] as const)("of a program that ends by %s are its own", async ([scenario, code]) => {
    await withReceiver(async ({ url }) => {
      expect(await runProgram(process.execPath, [program, scenario, url]).result).toMatchObject({
        code,
        signal: null,
      });
    });
  });
});

describe("register", () => {
  it("leaves package managers alone", async () => {
    await withReceiver(async (receiver) => {
      const npm = join(mkdtempSync(join(tmpdir(), "sdk-register-")), "npm-cli.js");
      writeFileSync(npm, "console.log('npm');\n");
      const { code, stderr } = await runProgram(process.execPath, ["--import", register, npm], {
        PYROSCOPE_SERVER_ADDRESS: receiver.url,
      }).result;

      // Started, it would warn that the application has no name.
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(receiver.requests).toEqual([]);
    });
  });
});
