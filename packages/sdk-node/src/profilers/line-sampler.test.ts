import { describe, expect, it } from "vitest";
import { loadInspector } from "./inspector.ts";
import type { LineNode } from "./line-sampler.ts";
import { LineSampler } from "./line-sampler.ts";

/** 50 ms of CPU time, so that a busy machine has time for some ticks too. */
function burn(): number {
  const before = process.cpuUsage();
  let x = 0;
  while (process.cpuUsage(before).user < 50_000) for (let i = 0; i < 200_000; i++) x += Math.sqrt(i);
  return x;
}

/** Of all functions: code that was compiled before the sampler started hides what is inlined in it. */
const countTicks = (nodes: readonly LineNode[] | undefined): number =>
  (nodes ?? []).reduce((sum, { hitCount = 0 }) => sum + hitCount, 0);

// 50 are due; a machine that is busy with other things gives fewer.
const SOME = 5;

describe("LineSampler", () => {
  it("gives each window its own ticks, and the last one when it stops", () => {
    const sampler = new LineSampler(loadInspector(), 1000);
    sampler.start();
    burn();
    const first = sampler.read();
    const second = sampler.read();
    burn();
    const last = sampler.stop();

    expect(countTicks(first)).toBeGreaterThan(SOME);
    expect(countTicks(second)).toBeLessThan(SOME);
    expect(countTicks(last)).toBeGreaterThan(SOME);
  });

  it("is not confused by profiles that the program itself takes", () => {
    const inspector = loadInspector();
    const sampler = new LineSampler(inspector, 1000);
    sampler.start();
    inspector.console.profile("theirs");
    burn();
    inspector.console.profileEnd("theirs");

    expect(countTicks(sampler.stop())).toBeGreaterThan(SOME);
  });

  it("gives nothing before it starts and after it stops", () => {
    const sampler = new LineSampler(loadInspector(), 1000);
    expect(sampler.read()).toBeUndefined();

    sampler.start();
    sampler.stop();

    expect(sampler.read()).toBeUndefined();
    expect(sampler.stop()).toBeUndefined();
  });

  it("starts again", () => {
    const sampler = new LineSampler(loadInspector(), 1000);
    sampler.start();
    sampler.stop();

    sampler.start();
    burn();

    expect(countTicks(sampler.stop())).toBeGreaterThan(SOME);
  });
});
