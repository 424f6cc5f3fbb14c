// The entry `@pyroscope-ts/sdk-node/spans`: what the integration of a tracer needs. Users need the main entry only.
import type { LabelMechanism } from "./labels/label-context.ts";
import type { ProfiledSpan } from "./labels/sample-context.ts";
import { sdk } from "./thread-sdk.ts";

export type { LabelMechanism } from "./labels/label-context.ts";
export type { ProfiledSpan } from "./labels/sample-context.ts";

/**
 * Calls `fn(...args)` so that its CPU and wall samples, and those of everything asynchronous that it starts, belong to
 * `span` until that ends; `undefined` means to no span. Labels stay; the caller has its own span back afterwards.
 *
 * While nothing is profiled it only calls `fn`. Throws what `fn` throws and nothing else.
 */
export function runInSpan<A extends readonly unknown[], T>(
  span: ProfiledSpan | undefined,
  fn: (...args: A) => T,
  ...args: A
): T {
  return sdk.runInSpan(span, fn, args);
}

/** True while the profiler runs, whatever it profiles. */
export function isProfiling(): boolean {
  return sdk.isRunning;
}

/** How samples are labelled now; `none` where they cannot be, and while nothing is profiled. */
export function labelMechanism(): LabelMechanism {
  return sdk.labelMechanism;
}

/** Warns through the SDK's logger, the first time that `key` is given in a run. */
export function warnOnce(key: string, message: string): void {
  sdk.warnOnce(key, message);
}
