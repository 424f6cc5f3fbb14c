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

/** Runs in slices of about 1 ms and lets the event loop turn between them, so that requests are not held up. */
export async function runInSlices<T>(work: Generator<void, T>, meter?: CostMeter): Promise<T> {
  for (;;) {
    const step = meter === undefined ? runSlice(work) : meter.measure(() => runSlice(work));
    if (step.done === true) return step.value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function runSlice<T>(work: Generator<void, T>): IteratorResult<void, T> {
  const sliceEnd = performance.now() + SLICE_BUDGET_MS;
  let step = work.next();
  while (step.done !== true && performance.now() < sliceEnd) step = work.next();
  return step;
}
