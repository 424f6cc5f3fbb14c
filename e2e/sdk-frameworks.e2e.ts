import { describe, expect, it } from "vitest";
import { readSamples, startFakeReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

const frameworks = ["http", "express-4", "express-5", "fastify", "koa", "hapi"] as const;

/** Share of each route's own CPU time that carries its label. */
async function measureRoutes(node: string, framework: string, how: string) {
  const receiver = await startFakeReceiver();
  try {
    const args = [fixturePath("sdk-frameworks.mjs"), receiver.url, framework, how];
    const result = await runProgram(node, args).result;
    const times = new Map<string, { total: number; labelled: number }>();
    const callers = new Set<string>();
    const samples = receiver.profiles().flatMap(({ profile }) => readSamples(profile));
    for (const { frames, labels, value } of samples) {
      const burner = frames.find(({ name }) => name.startsWith("burn_"))?.name;
      if (burner === undefined) continue;
      const time = times.get(burner) ?? { total: 0, labelled: 0 };
      times.set(burner, time);
      time.total += value;
      for (const { name } of frames) callers.add(name);
      const expected = burner === "burn_a" ? "/shop/:shop/a/:id" : "/b/:id";
      if (labels.route?.replaceAll(/\{(\w+)\}/g, ":$1") === expected) time.labelled += value;
    }
    return { result, times, callers };
  } finally {
    await receiver.close();
  }
}

// The oldest line and the one that runs the tests: labels follow asynchronous work by another mechanism in each. The lines that have the
// same mechanism as one of them see some frameworks only.
const fullLines = new Set([allNodes[0]?.major, "20"]);
const ways = (major: string): readonly (readonly [string, string])[] =>
  fullLines.has(major)
    ? frameworks.flatMap((framework) => [[framework, "middleware"] as const, [framework, "handler"] as const])
    : [
        ["http", "middleware"],
        ["express-5", "middleware"],
        ["fastify", "middleware"],
      ];

describe.for(allNodes)("routes on Node $major", ({ major, path }) => {
  it.for(ways(major))("of %s are labelled by %s", async ([framework, how]) => {
    const { result, times, callers } = await measureRoutes(path, framework, how);

    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(result.stdout)).toEqual({
      ok: true,
      before: { status: 200, body: { id: "early" } },
      okCount: 64,
      failed: { status: 418, body: { error: "mine" } },
    });
    expect([...times.keys()].sort()).toEqual(["burn_a", "burn_b"]);
    for (const { total, labelled } of times.values()) expect(labelled / total).toBeGreaterThanOrEqual(0.99);
    for (const name of ["callHandler", "runTagged", "runHandler", "callMethod"]) {
      expect(callers).not.toContain(name);
    }
  });
});
