import { describe, expect, it } from "vitest";
import { Clock } from "./clock.ts";

function createClock(): {
  readonly clock: Clock;
  readonly timers: Map<number, { callback: () => void; delayMs: number }>;
  readonly set: (state: { nowMs?: number; isHidden?: boolean }) => void;
} {
  let nowMs = 1000;
  let isHidden = false;
  let nextId = 1;
  const timers = new Map<number, { callback: () => void; delayMs: number }>();
  const clock = new Clock({
    now: () => nowMs,
    setInterval: (callback, delayMs) => {
      timers.set(nextId, { callback, delayMs });
      return nextId++;
    },
    clearInterval: (id) => timers.delete(id),
    isHidden: () => isHidden,
  });
  const set = (state: { nowMs?: number; isHidden?: boolean }): void => {
    nowMs = state.nowMs ?? nowMs;
    isHidden = state.isHidden ?? isHidden;
  };
  return { clock, timers, set };
}

describe("Clock", () => {
  it("stands still until it is refreshed", () => {
    const { clock, set } = createClock();

    set({ nowMs: 5000 });
    expect(clock.nowMs.value).toBe(1000);
    clock.refresh();

    expect(clock.nowMs.value).toBe(5000);
  });

  it("refreshes by itself while the page is looked at", () => {
    const { clock, timers, set } = createClock();
    clock.refreshEvery(30);
    const [timer] = timers.values();
    expect(timer?.delayMs).toBe(30_000);

    set({ nowMs: 2000, isHidden: true });
    timer?.callback();
    expect(clock.nowMs.value).toBe(1000);
    set({ isHidden: false });
    timer?.callback();

    expect(clock.nowMs.value).toBe(2000);
  });

  it("keeps one timer, and none when it is off", () => {
    const { clock, timers } = createClock();

    clock.refreshEvery(30);
    clock.refreshEvery(60);
    expect([...timers.values()].map(({ delayMs }) => delayMs)).toEqual([60_000]);
    clock.refreshEvery(0);

    expect(timers.size).toBe(0);
  });
});
