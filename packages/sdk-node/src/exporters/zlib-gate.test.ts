import { describe, expect, it } from "vitest";
import { closeZlibGate, createZlibGate, passZlibGate } from "./zlib-gate.ts";

describe("a gate of zlib", () => {
  it("lets work pass again and again, also after some that threw", () => {
    const gate = createZlibGate();

    expect(() =>
      passZlibGate(gate, () => {
        throw new RangeError("too large");
      }),
    ).toThrow(RangeError);
    expect([1, 2].map((n) => passZlibGate(gate, () => n * 2))).toEqual([2, 4]);
  });

  it("is not closed while work is under way", () => {
    const gate = createZlibGate();
    // As another thread would find it.
    const states: string[] = [];
    passZlibGate(gate, () => states.push(Atomics.wait(gate, 0, 0, 0)));

    // Not equal: it is not open within.
    expect(states).toEqual(["not-equal"]);
    closeZlibGate(gate);
    closeZlibGate(gate);
    expect(Atomics.wait(gate, 0, 0, 0)).toBe("not-equal");
  });
});
