import { describe, expect, it } from "vitest";
import { runAtOnce, runInSlices } from "./slices.ts";

/** Work of `steps` pauses, each after `stepMs` of it. */
function* work(steps: number, stepMs: number): Generator<void, number> {
  for (let step = 0; step < steps; step++) {
    const end = performance.now() + stepMs;
    while (performance.now() < end);
    yield;
  }
  return steps;
}

describe("runAtOnce", () => {
  it("gives the result without a turn of the event loop", () => {
    expect(runAtOnce(work(100, 0))).toBe(100);
  });
});

describe("runInSlices", () => {
  it("gives the result, and lets the event loop turn in between when the work is long", async () => {
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);

    const result = await runInSlices(work(20, 1));
    isDone = true;

    expect(result).toBe(20);
    expect(turns).toBeGreaterThan(3);
  });

  it("rejects with what the work throws", async () => {
    const broken = (function* broken(): Generator<void, never> {
      yield;
      throw new Error("broken tree");
    })();

    await expect(runInSlices(broken)).rejects.toThrow("broken tree");
  });
});
