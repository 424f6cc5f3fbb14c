import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { YOUNG_GENERATION_BYTES } from "./young-generation.ts";

const file = new URL("young-generation.ts", import.meta.url).href;

// Objects of which some live long enough to be copied, which lets V8 make the young generation larger.
const program = `
  import { setTimeout as sleep } from "node:timers/promises";
  import { getHeapSpaceStatistics } from "node:v8";
  import { isMainThread, Worker } from "node:worker_threads";
  const isBound = process.argv.includes("bound");
  if (isMainThread && isBound) (await import(${JSON.stringify(file)})).boundYoungGeneration(1);
  let kept = [];
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 20_000; i++) {
      kept.push({ i, list: [i, i + 1, i + 2, i + 3] });
      if (kept.length > 60_000) kept = kept.slice(30_000);
    }
    // Longer than between two checks.
    await sleep(4);
  }
  const { space_size } = getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
  console.log(space_size);
  if (isMainThread) new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
`;

function youngBytes(...args: readonly string[]): readonly number[] {
  const url = `data:text/javascript,${encodeURIComponent(program)}`;
  const main = `import(${JSON.stringify(url)})`;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", main, "--", ...args], {
    encoding: "utf8",
  });
  return output.trim().split("\n").map(Number);
}

describe("boundYoungGeneration", () => {
  it("keeps what objects take before their first collection small, in the first thread and in later ones", () => {
    const [first = 0, worker = 0] = youngBytes("bound");

    // It doubles: the first thread may be a step further than that by the time of the check.
    expect(first).toBeLessThanOrEqual(2 * YOUNG_GENERATION_BYTES);
    expect(worker).toBeLessThanOrEqual(YOUNG_GENERATION_BYTES);
    expect(first).toBeGreaterThan(0);
    expect(worker).toBeGreaterThan(0);
  });
});
