import { wrapHandler } from "./labels/wrap-handler.ts";
import type { LabelValues } from "./options.ts";
import { sdk } from "./thread-sdk.ts";

/** Labels of a handler: the same for every call, or made from what it is called with. */
export type HandlerLabels<S, A extends readonly unknown[]> =
  | LabelValues
  | ((this: S, ...args: A) => LabelValues);

/** The function `tagWrapper` with its variant for handlers. */
export interface TagWrapper {
  /**
   * Calls `fn(...args)` so that its CPU and wall samples carry `labels`, across everything asynchronous that it
   * starts, and returns what it returns.
   *
   * Labels add to those of an enclosing call; when `fn` returns or throws, the caller has its own labels back.
   * Before `start()` and after `stop()` it only calls `fn`. Names become `[a-zA-Z_][a-zA-Z0-9_]*`, values become
   * text. Each different label set is a series on the server: label by route, not by user. At most
   * `maxLabelValues` values of one name are told apart.
   *
   *     const order = await tagWrapper({ route: "/orders/:id" }, () => loadOrder(id));
   */
  <A extends readonly unknown[], T>(labels: LabelValues, fn: (...args: A) => T, ...args: A): T;
  /**
   * A handler that does what `handler` does, with labels: for what is called by others, such as a route or a
   * listener. It has the same `name` and `length` and hands on `this`, arguments, result, exception and rejection.
   *
   * `labels` may be a function of the call's arguments. It is called while something is profiled; where it
   * throws, the handler runs without further labels.
   *
   *     app.get("/orders/:id", tagWrapper.handler({ route: "/orders/:id" }, showOrder));
   *     queue.on("job", tagWrapper.handler((job) => ({ queue: job.queue }), runJob));
   */
  handler<S, A extends readonly unknown[], T>(
    labels: HandlerLabels<S, A>,
    handler: (this: S, ...args: A) => T,
  ): (this: S, ...args: A) => T;
}

// Named, as the functions below, so that their frames can be told from the program's and left out of stacks.
function tagWrapper<A extends readonly unknown[], T>(
  labels: LabelValues,
  fn: (...args: A) => T,
  ...args: A
): T {
  return sdk.runWithLabels(labels, fn, args);
}

function tagHandler<S, A extends readonly unknown[], T>(
  labels: HandlerLabels<S, A>,
  handler: (this: S, ...args: A) => T,
): (this: S, ...args: A) => T {
  // What is no function is the framework's to refuse, in its own words.
  if (typeof handler !== "function") return handler;
  const labelsOf = typeof labels === "function" ? labels : () => labels;
  return wrapHandler(handler, function runTagged(self: S, args: A): T {
    return sdk.runHandler(labelsOf, handler, self, args);
  });
}

/** Calls a function with labels; its `handler` makes a handler that runs with them. See {@link TagWrapper}. */
const tagWrapperWithHandler: TagWrapper = Object.assign(tagWrapper, { handler: tagHandler });

export { tagWrapperWithHandler as tagWrapper };
