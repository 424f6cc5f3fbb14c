import { describe, expect, it } from "vitest";
import type { Clock } from "../clock.ts";
import { TurnProbe } from "./turn-probe.ts";

/** A clock whose timers fire when the event loop turns: at the end of `work`. */
function createLoop(thresholdMs = 50) {
  let nowMs = 0;
  let waiting: { readonly dueMs: number; readonly callback: () => void } | undefined;
  const clock: Clock = {
    nowUnixMs: () => nowMs,
    nowMonotonicMs: () => nowMs,
    after(delayMs, callback) {
      waiting = { dueMs: nowMs + delayMs, callback };
      return () => {
        waiting = undefined;
      };
    },
    afterHolding: () => () => undefined,
  };
  const probe = new TurnProbe(clock, thresholdMs);
  return {
    probe,
    isWaiting: () => waiting !== undefined,
    /** Passes without a turn of the event loop. */
    pass(ms: number) {
      nowMs += ms;
    },
    turn() {
      if (waiting !== undefined && waiting.dueMs <= nowMs) waiting.callback();
    },
  };
}

describe("TurnProbe", () => {
  it("finds a turn from when its timer was due", () => {
    const { probe, pass, turn } = createLoop();
    probe.start();

    pass(20);
    turn();
    pass(320);
    turn();
    pass(20);
    turn();

    expect(probe.take()).toEqual([{ startMs: 40, endMs: 340 }]);
    expect(probe.take()).toEqual([]);
  });

  it("takes the threshold as blocked and what is below it as not", () => {
    const { probe, pass, turn } = createLoop(50);
    probe.start();

    pass(20 + 49);
    turn();
    expect(probe.take()).toEqual([]);

    pass(20 + 50);
    turn();
    expect(probe.take()).toHaveLength(1);
  });

  it("ends a turn that is not over where it is read, and counts no time twice", () => {
    const { probe, pass, turn } = createLoop();
    probe.start();

    pass(120);
    expect(probe.take()).toEqual([{ startMs: 20, endMs: 120 }]);
    pass(60);
    turn();

    expect(probe.take()).toEqual([{ startMs: 120, endMs: 180 }]);
  });

  it("waits for nothing before its start and after its stop", () => {
    const { probe, pass, turn, isWaiting } = createLoop();
    expect(isWaiting()).toBe(false);
    probe.start();
    probe.start();
    expect(isWaiting()).toBe(true);

    probe.stop();
    pass(500);
    turn();

    expect(isWaiting()).toBe(false);
    expect(probe.take()).toEqual([]);
  });
});
