import { request } from "node:http";
import { gunzipSync } from "node:zlib";
import { decodePprof, type Profile } from "@pyroscope-ts/protocol";
import { describe, expect, it } from "vitest";
import { functionNames, type ReceivedProfile, readSamples, withReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** A program whose profiles are pulled. */
interface PulledProgram {
  get(path: string, headers?: Readonly<Record<string, string>>, method?: string): Promise<Answer>;
  stop(): Promise<{ readonly ok: boolean; readonly warnings: readonly string[] }>;
}

async function withProgram<T>(
  node: string,
  args: readonly string[],
  use: (program: PulledProgram) => Promise<T>,
): Promise<T> {
  const running = runProgram(node, [fixturePath("sdk-pull.mjs"), ...args]);
  let stdout = "";
  running.process.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  try {
    await running.waitForOutput(";");
    const port = Number(/port (\d+);/.exec(stdout)?.[1]);
    return await use({
      get: (path, headers = {}, method = "GET") => get(port, path, headers, method),
      async stop() {
        running.process.kill("SIGTERM");
        const result = await running.result;
        expect(result).toMatchObject({ code: 0, signal: null });
        return JSON.parse(result.stdout.split("\n")[1] ?? "");
      },
    });
  } finally {
    running.process.kill("SIGKILL");
    await running.result;
  }
}

function get(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  method: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const client = request({ host: "127.0.0.1", port, path, headers, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        });
      });
    });
    client.on("error", reject);
    client.end();
  });
}

function decode({ status, body }: Answer): Profile {
  expect(status, body.toString()).toBe(200);
  return decodePprof(gunzipSync(body));
}

function names(profile: Profile): Set<string> {
  return new Set(readSamples(profile).flatMap(({ frames }) => frames.map(({ name }) => name)));
}

/** Share of the time from the first window to the last that some window covers. */
function coveredShare(profiles: readonly ReceivedProfile[]): number {
  const windows = profiles
    .filter(({ labels }) => labels.__name__ === "wall")
    .map(({ profile }) => ({ start: Number(profile.timeUnixNanos), length: Number(profile.durationNanos) }))
    .sort((a, b) => a.start - b.start);
  const first = windows[0];
  const last = windows.at(-1);
  if (first === undefined || last === undefined) return 0;
  const covered = windows.reduce((sum, { length }) => sum + length, 0);
  return covered / (last.start + last.length - first.start);
}

describe.for(allNodes)("profiles pulled on Node $major", ({ path }) => {
  it("are taken beside those that are pushed, which go on without a gap", async () => {
    await withReceiver(async (receiver) => {
      await withProgram(path, [receiver.url, "http"], async (program) => {
        const [cpu, wall, heap] = await Promise.all([
          program.get("/debug/pprof/profile?seconds=1"),
          program.get("/debug/pprof/wall?seconds=1"),
          program.get("/debug/pprof/heap"),
        ]);
        await receiver.waitForRequests(receiver.requests.length + 2);
        const { ok, warnings } = await program.stop();

        expect(decode(cpu).sampleTypes).toEqual([{ type: "cpu", unit: "nanoseconds" }]);
        const pushed = functionNames(receiver.profiles(), "process_cpu");
        expect([...names(decode(cpu))].filter((name) => !pushed.has(name))).toEqual([]);
        expect(decode(cpu).samples.length).toBeGreaterThan(0);
        expect(decode(wall).sampleTypes).toEqual([{ type: "wall", unit: "nanoseconds" }]);
        expect(Number(decode(wall).durationNanos)).toBeGreaterThanOrEqual(0.9e9);
        expect(decode(heap).sampleTypes).toEqual([
          { type: "inuse_objects", unit: "count" },
          { type: "inuse_space", unit: "bytes" },
        ]);
        expect(decode(heap).samples.length).toBeGreaterThan(1);
        expect({ ok, warnings }).toEqual({ ok: true, warnings: [] });
        expect(coveredShare(receiver.profiles())).toBeGreaterThan(0.9);
        expect(coveredShare(receiver.profiles())).toBeLessThan(1.1);
      });
    });
  });
});

describe("pull handlers", () => {
  it.for(["express-4", "express-5", "fastify", "koa", "hapi"])("answer in %s", async (framework) => {
    await withProgram(process.execPath, ["none", framework], async (program) => {
      const heap = await program.get("/debug/pprof/heap");

      expect(decode(heap).samples.length).toBeGreaterThan(1);
      expect(decode(await program.get("/debug/pprof/profile?seconds=1")).samples.length).toBeGreaterThan(0);
      expect((await program.get("/hello")).body.toString()).toBe("hello");
      expect(await program.get("/debug/pprof/goroutine")).toMatchObject({ status: 404 });
      expect(await program.get("/debug/pprof/heap", {}, "POST")).toMatchObject({
        status: expect.toSatisfy((status: number) => status === 404 || status === 405),
      });
    });
  });

  it("take one profile of a kind at a time, and the next after a client has gone", async () => {
    await withProgram(process.execPath, ["none", "http"], async (program) => {
      const first = program.get("/debug/pprof/profile?seconds=1");
      const second = await program.get("/debug/pprof/profile?seconds=1");
      expect(second.status).toBe(429);
      expect(second.headers["retry-after"]).toBe("1");
      expect((await first).status).toBe(200);
      expect(await program.get("/debug/pprof/profile?seconds=0")).toMatchObject({
        status: 200,
        headers: { "x-pyroscope-seconds": "1" },
      });

      const { ok, warnings } = await program.stop();
      expect(ok).toBe(true);
      expect(warnings).toContainEqual(
        expect.stringContaining("a profile of 0 seconds was asked for: it has 1, the limits are 1 and 60"),
      );
    });
  });

  it("answer only this machine without a token", async () => {
    await withProgram(process.execPath, ["none", "http"], async (program) => {
      const path = "/debug/pprof/heap";
      expect(await program.get(path, { "x-forwarded-for": "10.0.0.1" })).toMatchObject({ status: 403 });
      expect(await program.get(path, { host: "evil.example" })).toMatchObject({ status: 403 });
      expect(await program.get(path, { host: "localhost:1234" })).toMatchObject({ status: 200 });
      expect(await program.get("/debug/pprof/profile?seconds=abc")).toMatchObject({ status: 400 });
    });
  });

  it("answer who has the token, wherever he is", async () => {
    await withProgram(process.execPath, ["none", "http", "s3cret"], async (program) => {
      const path = "/debug/pprof/heap";
      const forwarded = { host: "shop.example", "x-forwarded-for": "10.0.0.1" };
      expect(await program.get(path)).toMatchObject({
        status: 401,
        headers: { "www-authenticate": "Bearer" },
      });
      expect(await program.get(path, { authorization: "Bearer wrong" })).toMatchObject({ status: 401 });
      const answer = await program.get(path, { ...forwarded, authorization: "Bearer s3cret" });
      expect(answer).toMatchObject({ status: 200, headers: { "cache-control": "no-store" } });
    });
  });

  it("say that nothing is profiled", async () => {
    await withProgram(process.execPath, ["off", "http"], async (program) => {
      const { status, body } = await program.get("/debug/pprof/profile");

      expect([status, body.toString()]).toEqual([503, "profiling is off: call start()\n"]);
    });
  });
});
