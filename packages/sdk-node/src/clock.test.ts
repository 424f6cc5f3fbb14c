import { afterEach, expect, it } from "vitest";
import { systemClock } from "./clock.ts";

const { setTimeout, setImmediate } = globalThis;
const { now } = Date;

afterEach(() => {
  Object.assign(globalThis, { setTimeout, setImmediate });
  Date.now = now;
});

it("goes on where the program fakes time", async () => {
  Object.assign(globalThis, { setTimeout: () => 0, setImmediate: () => 0 });
  Date.now = () => Number.NaN;

  expect(systemClock.nowUnixMs()).toBeGreaterThan(0);
  await new Promise<void>((resolve) => systemClock.afterHolding(1, resolve));
});
