import { describe, expect, it } from "vitest";
import { wrapHandler } from "./wrap-handler.ts";

describe("wrapHandler", () => {
  it.for([
    ["no parameter", function none() {}, "none", 0],
    [
      "four parameters",
      function onError(_a: unknown, _b: unknown, _c: unknown, _d: unknown) {},
      "onError",
      4,
    ],
    ["a default value", function fallback(_a: unknown, _b = 1) {}, "fallback", 1],
  ] as const)("keeps name and length of a handler with %s", ([, handler, name, length]) => {
    const wrapped = wrapHandler<unknown, never, unknown>(handler, () => undefined);

    expect([wrapped.name, wrapped.length]).toEqual([name, length]);
  });

  it("hands on this, arguments and result", () => {
    const calls: unknown[] = [];
    const self = {
      handle: wrapHandler(
        (a: number, b: number) => a + b,
        (that, args) => {
          calls.push(that, args);
          return 42;
        },
      ),
    };

    expect(self.handle(1, 2)).toBe(42);
    expect(calls).toEqual([self, [1, 2]]);
  });
});
