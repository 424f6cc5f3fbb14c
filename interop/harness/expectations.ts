import { expect } from "vitest";

/**
 * Checks a profiler's total against the clock: 100 samples a second, of which a busy machine loses some and adds none.
 * That the receiver adds nothing to them and takes nothing is checked exactly, by the replay of what it was sent.
 */
export function expectSampled(share: number): void {
  expect(share).toBeGreaterThan(0.5);
  expect(share).toBeLessThan(1.15);
}

/** Totals by function, of everything and of what stands under the label. */
interface Split {
  readonly totals: ReadonlyMap<string, number>;
  readonly labelled: ReadonlyMap<string, number>;
  readonly hot: string;
  readonly cold: string;
}

/** Checks that the hot function has three quarters of the work, under its label, and the cold one the rest, without. */
export function expectSplit({ totals, labelled, hot, cold }: Split): void {
  const [hotTotal, coldTotal] = [totals.get(hot) ?? 0, totals.get(cold) ?? 0];
  // 300 samples: three standard deviations are 0.075, and profilers are switched on and off in between.
  expect(hotTotal / (hotTotal + coldTotal)).toBeGreaterThan(0.6);
  expect(hotTotal / (hotTotal + coldTotal)).toBeLessThan(0.9);
  // A sample can fall between a label and its function.
  expect((labelled.get(hot) ?? 0) / hotTotal).toBeGreaterThan(0.95);
  expect((labelled.get(cold) ?? 0) / coldTotal).toBeLessThan(0.05);
}
