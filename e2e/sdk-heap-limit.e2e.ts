import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSamples, withReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

const program = fixturePath("sdk-heap-limit.mjs");
const MEBIBYTE = 1024 ** 2;

describe.for(allNodes)("a program that runs out of heap on Node $major", ({ path }) => {
  it("ends as it would, and what was alive has arrived before", async () => {
    const temporary = await mkdtemp(join(tmpdir(), "heap-limit-"));
    await withReceiver(async (receiver) => {
      const args = ["--max-old-space-size=100", program, receiver.url];

      const { code, signal, stderr } = await runProgram(path, args, { TMPDIR: temporary }).result;

      expect({ code, signal }).toEqual({ code: null, signal: "SIGABRT" });
      expect(stderr).toContain("JavaScript heap out of memory");
      const last = receiver.profiles().filter(({ labels }) => labels.near_heap_limit === "true");
      expect(last.map(({ labels }) => [labels.__name__, labels.service_name, labels.run])).toEqual([
        ["memory", "leaking", "second"],
      ]);
      expect(receiver.requests.at(-1)?.headers.authorization).toBe("Bearer a-secret");
      const bytes = last
        .flatMap(({ profile }) => readSamples(profile))
        .filter(({ frames }) => frames.some(({ name }) => name === "fillCache"))
        .reduce((sum, { value }) => sum + value, 0);
      expect(bytes).toBeGreaterThan(60 * MEBIBYTE);
      expect(bytes).toBeLessThan(200 * MEBIBYTE);
    });
    expect(await readdir(temporary)).toEqual([]);
    await rm(temporary, { recursive: true });
  });
});
