import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdNumbers } from "./id-numbers.ts";

describe("IdNumbers", () => {
  it("numbers different ids in the order in which they come", () => {
    const numbers = new IdNumbers();

    expect([...numbers.add(new BigUint64Array([7n, 0n, 7n, 2n ** 64n - 1n]))]).toEqual([0, 1, 0, 2]);
    expect([...numbers.add(new BigUint64Array([2n ** 64n - 1n, 9n]))]).toEqual([2, 3]);
    expect([...numbers.ids()]).toEqual([7n, 0n, 2n ** 64n - 1n, 9n]);
    expect(numbers.count).toBe(4);
  });

  it("tells ids apart that differ in one half only", () => {
    const numbers = new IdNumbers();

    expect([...numbers.add(new BigUint64Array([1n, 1n << 32n, (1n << 32n) + 1n]))]).toEqual([0, 1, 2]);
  });

  it("reads a window of a larger array", () => {
    const ids = new BigUint64Array([1n, 2n, 3n, 2n]).subarray(1);

    expect([...new IdNumbers().add(ids)]).toEqual([0, 1, 0]);
  });

  it("agrees with a Map, however many ids there are", () => {
    const ids = fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 2000 });
    fc.assert(
      fc.property(ids, (list) => {
        const repeated = new BigUint64Array([...list, ...list]);
        const numbers = new IdNumbers();
        const expected = new Map<bigint, number>();
        for (const id of repeated) if (!expected.has(id)) expected.set(id, expected.size);

        expect([...numbers.add(repeated)]).toEqual([...repeated].map((id) => expected.get(id)));
        expect([...numbers.ids()]).toEqual([...expected.keys()]);
      }),
      { numRuns: 50 },
    );
  });
});
