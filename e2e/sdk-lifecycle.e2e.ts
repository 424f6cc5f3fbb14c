import { describe, expect, it } from "vitest";
import {
  type FakeReceiver,
  type ReceivedProfile,
  readSamples,
  startFakeReceiver,
} from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, type RunningProgram, runProgram } from "./harness/run-program.ts";

const program = fixturePath("sdk-program.mjs");

async function withReceiver<T>(use: (receiver: FakeReceiver) => Promise<T>): Promise<T> {
  const receiver = await startFakeReceiver();
  try {
    return await use(receiver);
  } finally {
    await receiver.close();
  }
}

function names(profiles: readonly ReceivedProfile[]): string[] {
  return profiles.map(({ profile, labels }) => `${labels.__name__}:${profile.sampleTypes[0]?.type}`).sort();
}

function functionNames(profiles: readonly ReceivedProfile[], name: string): Set<string> {
  const samples = profiles
    .filter(({ labels }) => labels.__name__ === name)
    .flatMap(({ profile }) => readSamples(profile));
  return new Set(samples.flatMap(({ frames }) => frames.map((frame) => frame.name)));
}

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
        expect(names(receiver.profiles())).toEqual(everyType);
        expect(functionNames(receiver.profiles(), "wall")).toContain("burn");
      });
    },
  );

  it("starts and stops 40 times without harm", async () => {
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
      expect(names(worker)).toEqual(everyType);
      expect(functionNames(worker, "wall")).toContain("burnInWorker");
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
      const running = await terminate(["wait-for-signal", receiver.url, "100ms"]);

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

describe("start", () => {
  it("changes nothing with the same options and replaces the run with others, losing no window", async () => {
    await withReceiver(async (receiver) => {
      const { code, stdout, stderr } = await runProgram(process.execPath, [
        program,
        "start-twice",
        receiver.url,
      ]).result;

      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual({ ok: true, state: "off" });
      expect(stderr.match(/start\(\) called again/g)).toHaveLength(1);
      const cpu = receiver.profiles().filter(({ labels }) => labels.__name__ === "process_cpu");
      expect(cpu.map(({ labels }) => labels.service_name).sort()).toEqual(["program", "second"]);
    });
  });

  it("reports bad options in one line each, without their secrets, and profiles all the same", async () => {
    await withReceiver(async (receiver) => {
      const { code, stdout, stderr } = await runProgram(process.execPath, [
        program,
        "bad-options",
        receiver.url,
      ]).result;

      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual({
        ok: true,
        warnings: [
          "unknown option huh ignored",
          expect.stringContaining("tags="),
          expect.stringContaining('heapStackDepth="deep" ignored'),
          "authToken=[redacted] ignored: expected printable ASCII without line breaks",
        ],
      });
      expect(stderr).not.toContain("break\n");
      expect(receiver.profiles().length).toBeGreaterThan(0);
    });
  });

  it("throws on a bad option only where strict is set", async () => {
    await withReceiver(async ({ url }) => {
      const { code, stdout } = await runProgram(process.execPath, [program, "strict", url]).result;

      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual({ name: "SdkError", code: "CONFIG_INVALID" });
    });
  });

  it("survives a logger that throws", async () => {
    const { code, stdout } = await runProgram(process.execPath, [
      program,
      "broken-logger",
      "http://127.0.0.1:1",
    ]).result;

    expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: "false" });
  });

  it("takes everything from the environment", async () => {
    await withReceiver(async (receiver) => {
      const { code } = await runProgram(process.execPath, [program, "environment"], {
        PYROSCOPE_APPLICATION_NAME: "from-env",
        PYROSCOPE_SERVER_ADDRESS: `${receiver.url}/a/prefix/`,
        PYROSCOPE_LABELS: "region=eu,my-zone=1",
        PYROSCOPE_BASIC_AUTH_USER: "me",
        PYROSCOPE_BASIC_AUTH_PASSWORD: "pässword",
        PYROSCOPE_TENANT_ID: "team-a",
        PYROSCOPE_HTTP_HEADERS: "X-Extra=1",
        PYROSCOPE_PROFILE_TYPES: "cpu,wall",
      }).result;

      expect(code).toBe(0);
      const [request] = receiver.requests;
      expect(request).toMatchObject({
        method: "POST",
        url: "/a/prefix/push.v1.PusherService/Push",
        headers: {
          "content-type": "application/proto",
          authorization: `Basic ${Buffer.from("me:pässword").toString("base64")}`,
          "x-scope-orgid": "team-a",
          "x-extra": "1",
        },
      });
      expect(names(receiver.profiles())).toEqual(["process_cpu:cpu", "wall:wall"]);
      expect(receiver.profiles()[0]?.labels).toMatchObject({
        service_name: "from-env",
        region: "eu",
        my_zone: "1",
        "process.runtime.name": "nodejs",
        "process.runtime.version": process.versions.node,
        "otel.scope.name": "@pyroscope-ts/sdk-node",
        __session_id__: expect.stringMatching(/^[0-9a-f]{16}$/),
      });
    });
  });
});

describe("flush", () => {
  it("sends each window and goes on", async () => {
    await withReceiver(async (receiver) => {
      const { code, stdout } = await runProgram(process.execPath, [program, "flush", receiver.url]).result;

      expect(code).toBe(0);
      const sent = { ok: true, waitingCount: 0 };
      expect(JSON.parse(stdout)).toEqual({ first: sent, second: sent, sentCount: 2, state: "running" });
      expect(receiver.requests).toHaveLength(2);
    });
  });
});

describe("a pushed profile", () => {
  it("has one sample type, its period, true times, and names apart from files and lines", async () => {
    await withReceiver(async (receiver) => {
      const beforeMs = Date.now();
      await runProgram(process.execPath, [program, "environment"], {
        PYROSCOPE_APPLICATION_NAME: "shape",
        PYROSCOPE_SERVER_ADDRESS: receiver.url,
      }).result;

      const byType = new Map(
        receiver.profiles().map(({ profile }) => [profile.sampleTypes[0]?.type, profile]),
      );
      const nanoseconds = (type: string) => ({ type, unit: "nanoseconds" });
      expect(byType.get("cpu")).toMatchObject({
        sampleTypes: [nanoseconds("cpu")],
        periodType: nanoseconds("cpu"),
        period: 10_000_000n,
      });
      expect(byType.get("wall")).toMatchObject({
        sampleTypes: [nanoseconds("wall")],
        periodType: nanoseconds("wall"),
        period: 10_000_000n,
      });
      for (const [type, unit] of [
        ["inuse_space", "bytes"],
        ["inuse_objects", "count"],
      ] as const) {
        expect(byType.get(type)).toMatchObject({
          sampleTypes: [{ type, unit }],
          periodType: { type: "space", unit: "bytes" },
          period: 524_288n,
        });
      }
      const wall = byType.get("wall");
      if (wall === undefined) throw new Error("no wall profile");
      const startMs = Number(wall.timeUnixNanos / 1_000_000n);
      const endMs = startMs + Number(wall.durationNanos / 1_000_000n);
      expect(startMs).toBeGreaterThanOrEqual(beforeMs);
      expect(endMs).toBeLessThanOrEqual(Date.now());
      const burn = readSamples(wall)
        .flatMap(({ frames }) => frames)
        .find(({ name }) => name === "burn");
      expect(burn?.file).toBe(program);
      expect(burn?.line).toBeGreaterThan(0);
      expect([...functionNames(receiver.profiles(), "wall")]).not.toContain("(idle)");
    });
  });
});
