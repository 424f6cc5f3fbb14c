import { gunzipSync } from "node:zlib";
import { decodePprof } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { functionNames, profileTypes, readSamples, withReceiver } from "./harness/fake-receiver.ts";
import { fixturePath, runProgram } from "./harness/run-program.ts";

const program = fixturePath("sdk-program.mjs");

describe("the protocol ingest", () => {
  it("sends one pprof for each profile type with a value, named in the query", async () => {
    await withReceiver(async (receiver) => {
      const { code } = await runProgram(process.execPath, [program, "environment"], {
        PYROSCOPE_APPLICATION_NAME: "old",
        PYROSCOPE_SERVER_ADDRESS: `${receiver.url}/prefix/`,
        PYROSCOPE_PROTOCOL: "ingest",
        PYROSCOPE_PROFILE_TYPES: "cpu,wall",
        PYROSCOPE_LABELS: "region=eu",
      }).result;

      expect(code).toBe(0);
      const requests = receiver.requests.map(({ method, url, headers, body }) => {
        const { pathname, searchParams } = new URL(url, receiver.url);
        const [sampleType] = decodePprof(gunzipSync(body)).sampleTypes;
        expect(searchParams.get("name")).toMatch(/^old\{__session_id__=.*,region=eu\}$/);
        expect(Number(searchParams.get("until"))).toBeGreaterThan(Number(searchParams.get("from")));
        return [method, pathname, headers["content-type"], searchParams.get("format"), sampleType?.type];
      });
      const rest = ["POST", "/prefix/ingest", "application/octet-stream", "pprof"];
      expect(requests).toEqual([
        [...rest, "cpu"],
        [...rest, "wall"],
      ]);
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
      expect(profileTypes(receiver.profiles())).toEqual(["process_cpu:cpu", "wall:wall"]);
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
      // The third is what was left at the end of the program.
      expect(receiver.requests).toHaveLength(3);
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
