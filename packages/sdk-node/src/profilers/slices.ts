// Work between two looks at the clock is a few microseconds; a slice may pass its budget by that much.
const SLICE_BUDGET_MS = 2;

/** Runs to the end at once: for the moments when no further turn of the event loop is certain. */
export function runAtOnce<T>(work: Generator<void, T>): T {
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}

/** Runs in slices of about 2 ms and lets the event loop turn between them, so that requests are not held up. */
export async function runInSlices<T>(work: Generator<void, T>): Promise<T> {
  let sliceEnd = performance.now() + SLICE_BUDGET_MS;
  let step = work.next();
  while (step.done !== true) {
    if (performance.now() >= sliceEnd) {
      await new Promise((resolve) => setImmediate(resolve));
      sliceEnd = performance.now() + SLICE_BUDGET_MS;
    }
    step = work.next();
  }
  return step.value;
}
