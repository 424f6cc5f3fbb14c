import { describe, expect, it } from "vitest";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

// `pnpm test:stress` takes hours; the few turns of every other run find what breaks at once.
const isFull = (process.env.STRESS ?? "") !== "";
const cycles = isFull ? 10_000 : 12;
const workers = isFull ? 1000 : 3;
// 3 of 100 exits abort without the gate.
const exits = isFull ? 200 : 2;
// A few turns move by what V8 happens to free.
const maxGrownBytes = isFull ? 10_000_000 : 60_000_000;

const run = (path: string, what: string, count: number) =>
  runProgram(path, ["--expose-gc", fixturePath("sdk-cycles.mjs"), what, String(count)]).result;

describe.for(allNodes)("many turns on Node $major", { timeout: isFull ? 10_800_000 : 60_000 }, ({ path }) => {
  it.for([
    ["cycles", cycles],
    ["workers", workers],
  ] as const)("of starts and stops, %s, end no process and keep no memory", async ([what, count]) => {
    const { code, signal, stderr, stdout } = await run(path, what, count);

    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
    expect(JSON.parse(stdout).grownBytes).toBeLessThan(maxGrownBytes);
  });

  it("beside a thread that compresses end with the program's exit code", async () => {
    const gate = new URL("../packages/sdk-node/dist/exporters/zlib-gate.js", import.meta.url);
    const ends: unknown[] = [];
    for (let i = 0; i < exits; i++) {
      const { code, signal, stderr } = await runProgram(path, [
        fixturePath("sdk-ends-beside-zlib.mjs"),
        gate.href,
      ]).result;
      ends.push({ code, signal, stderr });
    }

    expect(ends).toEqual(ends.map(() => ({ code: 7, signal: null, stderr: "" })));
  });
});
