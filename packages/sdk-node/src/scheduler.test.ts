import { describe, expect, it } from "vitest";
import { Scheduler } from "./scheduler.ts";
import { ManualClock } from "./testing/manual-clock.ts";

function createScheduler(periodMs: number, random: () => number) {
  const clock = new ManualClock();
  const startMs = clock.nowMonotonicMs();
  const ticksMs: number[] = [];
  const scheduler = new Scheduler({
    periodMs,
    clock,
    random,
    tick: () => ticksMs.push(clock.nowMonotonicMs() - startMs),
  });
  return { clock, scheduler, ticksMs };
}

describe("Scheduler", () => {
  it("ticks once in every period, without drift", async () => {
    let seed = 1;
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const { clock, scheduler, ticksMs } = createScheduler(15_000, random);

    scheduler.start();
    await clock.advance(600_000);

    expect(ticksMs.length).toBeGreaterThanOrEqual(39);
    expect(ticksMs.length).toBeLessThanOrEqual(41);
    for (const [i, tickMs] of ticksMs.entries()) {
      expect(Math.abs(tickMs - ticksMs[0]! - i * 15_000)).toBeLessThanOrEqual(0.05 * 15_000);
    }
  });

  it("begins at a random phase in the second half of the first period", async () => {
    const early = createScheduler(1000, () => 0.99);
    const late = createScheduler(1000, () => 0);

    for (const { clock, scheduler } of [early, late]) {
      scheduler.start();
      await clock.advance(1100);
    }

    expect(early.ticksMs[0]).toBeLessThan(600);
    expect(late.ticksMs[0]).toBeGreaterThan(900);
  });

  it("makes one late tick of all that a blocked event loop missed", async () => {
    const { clock, scheduler, ticksMs } = createScheduler(1000, () => 0.5);
    scheduler.start();
    const blocked = clock.nowMonotonicMs.bind(clock);
    clock.nowMonotonicMs = () => blocked() + 10_000;

    await clock.advance(800);
    await clock.advance(900);

    expect(ticksMs).toHaveLength(1);
  });

  it("holds nothing and ticks no more after stop", async () => {
    const { clock, scheduler, ticksMs } = createScheduler(1000, () => 0.5);
    scheduler.start();
    scheduler.start();

    expect(clock.pendingCount).toBe(1);
    expect(clock.holdingCount).toBe(0);
    scheduler.stop();
    await clock.advance(10_000);
    expect(ticksMs).toEqual([]);
  });
});
