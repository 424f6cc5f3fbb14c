// Not the global one, which programs fake.
import { setImmediate } from "node:timers";
import type { CostMeter } from "../cost-meter.ts";

// Work between two looks at the clock is a few microseconds; a slice may pass its budget by that much. One millisecond, so
// that a turn of the event loop with a slice and what follows it stays below two.
const SLICE_BUDGET_MS = 1;

/** Runs to the end at once: for the moments when no further turn of the event loop is certain. */
export function runAtOnce<T>(work: Generator<void, T>): T {
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}

// In a program whose own turns are long, a tenth of those: slices of 1 ms would take seconds to come to an end there.
const TURN_SHARE = 0.1;

/** Runs in slices of about 1 ms and lets the event loop turn between them, so that requests are not held up. */
export async function runInSlices<T>(work: Generator<void, T>, meter?: CostMeter): Promise<T> {
  let budgetMs = SLICE_BUDGET_MS;
  for (;;) {
    const step =
      meter === undefined ? runSlice(work, budgetMs) : meter.measure(() => runSlice(work, budgetMs));
    if (step.done === true) return step.value;
    const pausedMs = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
    budgetMs = Math.max(SLICE_BUDGET_MS, (performance.now() - pausedMs) * TURN_SHARE);
  }
}

function runSlice<T>(work: Generator<void, T>, budgetMs: number): IteratorResult<void, T> {
  const sliceEnd = performance.now() + budgetMs;
  let step = work.next();
  while (step.done !== true && performance.now() < sliceEnd) step = work.next();
  return step;
}
