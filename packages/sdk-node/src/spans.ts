// The entry `@pyroscope-ts/sdk-node/spans`: what the integration of a tracer needs. Users need the main entry only.
import type { ContextMaker, LabelMechanism } from "./labels/label-context.ts";
import type { ProfiledSpan } from "./labels/sample-context.ts";
import { sdk } from "./thread-sdk.ts";

export type { ContextMaker, LabelMechanism } from "./labels/label-context.ts";
export type { ProfiledSpan } from "./labels/sample-context.ts";

/**
 * Has `maker` call `fn` in the asynchronous context with `value`, so that its CPU and wall samples, and those of
 * everything asynchronous that it starts, belong to `span` until that ends; `undefined` means to no span. Labels stay; the
 * caller has its own span back afterwards.
 *
 * While nothing is profiled it only has `fn` called. Throws what `maker` and `fn` throw and nothing else.
 */
export function runInSpan<V, T>(
  span: ProfiledSpan | undefined,
  maker: ContextMaker<V>,
  value: V,
  fn: () => T,
): T {
  return sdk.runInSpan(span, maker, value, fn);
}

/** True where {@link runInSpan} with `span` has nothing to do: it is the one that is active, or nothing is profiled. */
export function isSpanActive(span: ProfiledSpan | undefined): boolean {
  return sdk.isSpanActive(span);
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
