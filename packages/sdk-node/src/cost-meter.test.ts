import { describe, expect, it } from "vitest";
import { CostMeter } from "./cost-meter.ts";

function burn(ms: number): number {
  const end = performance.now() + ms;
  let x = 0;
  while (performance.now() < end) x += Math.sqrt(x + 1);
  return x;
}

describe("CostMeter", () => {
  it("counts work and no waiting, and gives each millisecond once", async () => {
    const meter = new CostMeter(true);

    meter.measure(() => burn(5));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    meter.measure(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30));
    const spentMs = meter.take();

    expect(spentMs).toBeGreaterThan(0);
    expect(spentMs).toBeLessThan(30);
    expect(meter.take()).toBe(0);
  });

  it("gives what the work gives, also when it throws", () => {
    const meter = new CostMeter(true);

    expect(meter.measure(() => 7)).toBe(7);
    expect(() =>
      meter.measure(() => {
        throw new Error("mine");
      }),
    ).toThrow("mine");
  });
});
