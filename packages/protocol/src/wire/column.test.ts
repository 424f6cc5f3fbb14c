import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addInt64, Int64Column, subtractInt64, toLanes, Uint32Column } from "./column.ts";

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, -1n, 1n, 2n ** 32n - 1n, 2n ** 32n, -(2n ** 32n), 2n ** 63n - 1n, -(2n ** 63n)),
);
const halves = (value: bigint): [number, number] => [
  Number(BigInt.asIntN(32, value)),
  Number(BigInt.asIntN(32, value >> 32n)),
];

describe.for([
  ["addInt64", addInt64, (a: bigint, b: bigint) => a + b],
  ["subtractInt64", subtractInt64, (a: bigint, b: bigint) => a - b],
] as const)("%s", ([, apply, expected]) => {
  it("agrees with BigInt and tells when the result leaves int64", () =>
    fc.assert(
      fc.property(int64, int64, (a, b) => {
        const column = BigInt64Array.of(7n, a);
        const result = expected(a, b);
        const fits = apply(toLanes(column), 1, ...halves(b));
        expect(fits).toBe(BigInt.asIntN(64, result) === result);
        expect(column).toEqual(BigInt64Array.of(7n, BigInt.asIntN(64, result)));
      }),
    ));
});

describe("Uint32Column", () => {
  it("keeps what is pushed while it grows", () => {
    const column = new Uint32Column(1);

    for (let i = 0; i < 1000; i++) column.push(i * 4_294_967);
    column.pushRange([9, 8, 7, 6], 1, 3);

    const rows = column.finish();
    expect(rows.length).toBe(1002);
    expect([rows[999], rows[1000], rows[1001]]).toEqual([999 * 4_294_967, 8, 7]);
  });
});

describe("Int64Column", () => {
  it("keeps what is pushed while it grows", () => {
    const values = Array.from({ length: 100 }, (_, i) => BigInt.asIntN(64, BigInt(i) ** 13n - 5n));
    const column = new Int64Column(1);

    for (const value of values) column.push(...halves(value));

    expect(column.finish()).toEqual(BigInt64Array.from(values));
  });
});
