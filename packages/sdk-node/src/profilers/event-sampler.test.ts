import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { EventSampler } from "./event-sampler.ts";

/** Numbers from 0 to 1 that are the same in every run (a linear congruential generator). */
function createRandom(): () => number {
  let state = 12_345;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** `perSecond` waits in each second; how many are picked in it, and how many they stand for. */
async function run(sampler: EventSampler, clock: ManualClock, perSecond: number) {
  let pickedCount = 0;
  let weights = 0;
  for (let slice = 0; slice < 100; slice++) {
    for (let wait = 0; wait < perSecond / 100; wait++) {
      const weight = sampler.pick();
      if (weight === undefined) continue;
      pickedCount++;
      weights += weight;
    }
    await clock.advance(10);
  }
  return { pickedCount, weights };
}

function createSampler() {
  const clock = new ManualClock();
  return { clock, sampler: new EventSampler({ maxPerSecond: 50, clock, random: createRandom() }) };
}

describe("EventSampler", () => {
  it("picks every one of a few, each for itself", async () => {
    const { sampler, clock } = createSampler();

    for (let second = 0; second < 3; second++) {
      const { pickedCount, weights } = await run(sampler, clock, 40 * 2.5);
      if (second === 0) expect(pickedCount).toBeGreaterThan(30);
      expect(weights).toBeGreaterThan(0);
    }
    const quiet = createSampler();
    await quiet.clock.advance(1000);
    expect([quiet.sampler.pick(), quiet.sampler.pick(), quiet.sampler.pick()]).toEqual([1, 1, 1]);
  });

  it("picks about as many as it may of many, and they stand for all", async () => {
    const { sampler, clock } = createSampler();
    await run(sampler, clock, 20_000);

    let picked = 0;
    let stoodFor = 0;
    for (let second = 0; second < 20; second++) {
      const { pickedCount, weights } = await run(sampler, clock, 20_000);
      picked += pickedCount;
      stoodFor += weights;
    }

    expect(picked / 20).toBeGreaterThan(30);
    expect(picked / 20).toBeLessThan(80);
    expect(stoodFor / (20 * 20_000)).toBeGreaterThan(0.85);
    expect(stoodFor / (20 * 20_000)).toBeLessThan(1.15);
  });

  it("bounds a burst in no time, and picks all again when it is over", async () => {
    const { sampler, clock } = createSampler();
    let burst = 0;
    for (let wait = 0; wait < 100_000; wait++) if (sampler.pick() !== undefined) burst++;
    expect(burst).toBeLessThan(400);

    for (let second = 0; second < 2; second++) await run(sampler, clock, 100);
    const { pickedCount } = await run(sampler, clock, 100);
    expect(pickedCount).toBeGreaterThan(30);
  });
});
