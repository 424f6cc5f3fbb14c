/** Calls a handler with `self` as its `this`. */
export type HandlerCall<S, A extends readonly unknown[], T> = (self: S, args: A) => T;

/**
 * A function that goes through `call` and looks like `handler` to whoever looks: frameworks tell error handlers by their
 * number of parameters, and routers and logs show names.
 */
export function wrapHandler<S, A extends readonly unknown[], T>(
  handler: (this: S, ...args: A) => T,
  call: HandlerCall<S, A, T>,
): (this: S, ...args: A) => T {
  // Named, so that its frame can be told from the program's and left out of stacks.
  function callHandler(this: S, ...args: A): T {
    return call(this, args);
  }
  return Object.defineProperties(callHandler, {
    name: { value: handler.name, configurable: true },
    length: { value: handler.length, configurable: true },
  });
}
