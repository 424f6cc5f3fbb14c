import { describe, expect, it } from "vitest";
import { createBodyBudget, meterBody, smallerLimit } from "./body-budget.ts";

async function* chunks(...sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield new Uint8Array(size);
}

describe("createBodyBudget", () => {
  it("takes bytes up to the limit and refuses one more, over all requests", () => {
    const budget = createBodyBudget(10);
    const first = budget.open();
    const second = budget.open();

    first.grow(6);
    second.grow(4);

    expect(() => second.grow(1)).toThrow(
      expect.objectContaining({
        code: "UNAVAILABLE",
        message: "request bodies in flight would hold 11 bytes, the limit is 10",
        retryAfterSeconds: 5,
      }),
    );
    expect(budget.inflightBytes).toBe(10);
  });

  it("gives back what a request took, once", () => {
    const budget = createBodyBudget(10);
    const reservation = budget.open();
    reservation.grow(10);

    reservation.release();
    reservation.release();

    expect(budget.inflightBytes).toBe(0);
  });

  it("has no limit at 0", () => {
    const reservation = createBodyBudget(0).open();

    expect(() => reservation.grow(Number.MAX_SAFE_INTEGER)).not.toThrow();
  });
});

describe("meterBody", () => {
  it("passes chunks on and stops at the first that the budget does not hold", async () => {
    const budget = createBodyBudget(5);
    const seen: number[] = [];

    const read = async (): Promise<void> => {
      for await (const chunk of meterBody(chunks(2, 3, 1), budget.open())) seen.push(chunk.byteLength);
    };

    await expect(read()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(seen).toEqual([2, 3]);
  });
});

describe("smallerLimit", () => {
  it.for([
    [2, 3, 2],
    [3, 2, 2],
    [0, 3, 3],
    [3, 0, 3],
    [0, 0, 0],
  ] as const)("of %d and %d is %d", ([left, right, expected]) => {
    expect(smallerLimit(left, right)).toBe(expected);
  });
});
