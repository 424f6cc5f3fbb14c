import type { Diagnostics } from "../diagnostics.ts";
import { describeError } from "../errors.ts";
import type { LabelValues } from "../options.ts";

/** What `labelsOf` makes of the arguments of a handler; undefined where it throws. */
export function readLabels<S, A extends readonly unknown[]>(
  diagnostics: Diagnostics,
  labelsOf: (this: S, ...args: A) => LabelValues,
  self: S,
  args: A,
): LabelValues | undefined {
  try {
    return Reflect.apply(labelsOf, self, args);
  } catch (error) {
    diagnostics.warnOnce("handler-labels", `labels of a handler not made: ${describeError(error)}`);
    return undefined;
  }
}

/** Calls `method` of `self`: what takes a function and its arguments takes this one with all three. */
export function callMethod<S, A extends readonly unknown[], T>(
  method: (this: S, ...args: A) => T,
  self: S,
  args: A,
): T {
  return Reflect.apply(method, self, args);
}
