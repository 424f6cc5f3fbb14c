import { describe, expect, it } from "vitest";
import { badServers, type ServerFault } from "./harness/bad-servers.ts";
import { startFakeReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

async function runAgainst(open: ServerFault["open"], node: string, scenario: string) {
  const server = await open();
  try {
    return await runProgram(node, [fixturePath("sdk-program.mjs"), scenario, server.url]).result;
  } finally {
    await server.close();
  }
}

describe.for(badServers)("a server that $name", ({ open }) => {
  it("does not hold a program that has ended, and leaves its exit code", async () => {
    const result = await runAgainst(open, process.execPath, "work-and-end");

    expect(result).toMatchObject({ code: 0, signal: null });
  });

  it("does not keep stop() from resolving; each window is counted, and the trouble said once", async () => {
    const { code, signal, stdout, stderr } = await runAgainst(open, process.execPath, "work-and-stop");

    expect({ code, signal }).toEqual({ code: 0, signal: null });
    const { ok, sentCount, droppedCount, rejectedCount, waitingCount } = JSON.parse(stdout);
    expect({ sentCount, waitingCount }).toEqual({ sentCount: 0, waitingCount: 0 });
    expect(droppedCount + rejectedCount).toBeGreaterThan(0);
    // What the server does not want is settled: nothing is left to send.
    expect(ok).toBe(droppedCount === 0);
    const lines = stderr.split("\n").filter((line) => line.includes("upload to "));
    expect(lines.filter((line) => !line.includes("stopped with")).length).toBeLessThanOrEqual(1);
    expect(stderr).not.toContain("\u001b");
  });
});

describe.for(allNodes.slice(1))("host safety on Node $major", ({ path }) => {
  it.for(["refuses connections", "never answers", "answers 500"])(
    "survives a server that %s",
    async (name) => {
      const open = badServers.find((server) => server.name === name)?.open;
      if (open === undefined) throw new Error(`no server that ${name}`);

      expect(await runAgainst(open, path, "work-and-end")).toMatchObject({ code: 0, signal: null });
      expect(await runAgainst(open, path, "work-and-stop")).toMatchObject({ code: 0, signal: null });
    },
  );
});

describe("the permission model of Node", () => {
  it.for([
    { allowed: [], warning: /^pyroscope: profiling is off: / },
    {
      allowed: ["--allow-addons"],
      warning: /^pyroscope: uploads are the work of the profiled thread: worker threads need --allow-worker$/,
    },
  ])("is met with one warning where it allows $allowed and no threads", async ({ allowed, warning }) => {
    const receiver = await startFakeReceiver();
    try {
      const flags = ["--permission", "--allow-fs-read=*", ...allowed];
      const args = [...flags, fixturePath("sdk-program.mjs"), "work-and-end", receiver.url];
      const { code, signal, stderr } = await runProgram(process.execPath, args).result;

      expect({ code, signal }).toEqual({ code: 0, signal: null });
      const lines = stderr.split("\n").filter((line) => /^pyroscope: .*--allow/.test(line));
      expect(lines).toEqual([expect.stringMatching(warning)]);
    } finally {
      await receiver.close();
    }
  });
});

describe("a run that was replaced", () => {
  it("does not hold a program that has ended, while its last upload has no answer", async () => {
    const open = badServers.find(({ name }) => name === "never answers")?.open;
    if (open === undefined) throw new Error("no server that never answers");

    expect(await runAgainst(open, process.execPath, "replace-and-end")).toMatchObject({
      code: 0,
      signal: null,
    });
  });
});

describe("a redirect", () => {
  it("is not followed: credentials go to no other server", async () => {
    const other = await startFakeReceiver();
    const first = await startFakeReceiver((response) =>
      response.writeHead(307, { location: `${other.url}/push.v1.PusherService/Push` }).end(),
    );
    try {
      const args = [fixturePath("sdk-program.mjs"), "work-and-stop", first.url];
      const { stderr } = await runProgram(process.execPath, args, { PYROSCOPE_AUTH_TOKEN: "hunter2" }).result;

      expect(first.requests[0]?.headers.authorization).toBe("Bearer hunter2");
      expect(other.requests).toEqual([]);
      expect(stderr).toContain(`status 307 redirects to ${other.url}`);
      expect(stderr).not.toContain("hunter2");
    } finally {
      await Promise.all([first.close(), other.close()]);
    }
  });
});

describe("a slow server", () => {
  it("loses no window", async () => {
    const receiver = await startFakeReceiver(
      (response) => void setTimeout(() => response.writeHead(200).end(), 250),
    );
    try {
      const args = [fixturePath("sdk-program.mjs"), "work-slowly-and-stop", receiver.url];
      const { stdout } = await runProgram(process.execPath, args).result;

      const { ok, sentCount, droppedCount, rejectedCount } = JSON.parse(stdout);
      expect({ ok, droppedCount, rejectedCount }).toEqual({ ok: true, droppedCount: 0, rejectedCount: 0 });
      expect(sentCount).toBeGreaterThan(1);
      expect(receiver.requests).toHaveLength(sentCount);
    } finally {
      await receiver.close();
    }
  });
});
