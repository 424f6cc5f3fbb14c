import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NumberFields } from "./number-fields.ts";
import { ProtobufReader } from "./protobuf-reader.ts";
import { shortVarint } from "./short-varint.ts";

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(
    0n,
    127n,
    128n,
    2n ** 14n - 1n,
    2n ** 14n,
    2n ** 21n,
    2n ** 28n - 1n,
    2n ** 28n,
    2n ** 31n,
    2n ** 32n,
  ),
);
const readerOf = (...bytes: number[]) => new ProtobufReader(Uint8Array.from(bytes));
const toUint64 = (fields: NumberFields, field: number): bigint =>
  (BigInt(fields.hi(field) >>> 0) << 32n) | BigInt(fields.lo(field) >>> 0);

describe("NumberFields", () => {
  it("reads any uint64, the last of a field that comes twice, and 0 for one that is not there", () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), uint64)), (written) => {
        const fields = new NumberFields(3);
        fields.read(readerOf(8, 5, 16, 5, 24, 5));
        fields.read(readerOf(...written.flatMap(([field, value]) => [field * 8, ...varint(value)])));

        const last = new Map(written);
        for (const field of [1, 2, 3]) {
          expect(toUint64(fields, field)).toBe(last.get(field) ?? 0n);
          expect(fields.isZero(field)).toBe((last.get(field) ?? 0n) === 0n);
        }
      }),
    ));

  it("skips fields it does not know", () => {
    const fields = new NumberFields(2);

    fields.read(readerOf(24, 9, 34, 2, 8, 7, 8, 1, 45, 1, 2, 3, 4, 0x80, 1, 6, 16, 2));

    expect([fields.lo(1), fields.lo(2)]).toEqual([1, 2]);
  });

  it("stops at a field that is not a number", () => {
    const fields = new NumberFields(5);
    const reader = readerOf(8, 1, 34, 1, 0, 16, 2);

    fields.clear();
    const tag = fields.next(reader);
    const outer = reader.open();
    reader.position = reader.limit;
    reader.leave(outer);

    expect(tag).toBe(34);
    expect(fields.next(reader)).toBe(0);
    expect([fields.lo(1), fields.lo(2)]).toEqual([1, 2]);
  });

  it.for<[string, number[]]>([
    ["a known field of another wire type", [10, 1, 0]],
    ["a varint that is cut off", [8, 0x80]],
    ["a tag without a value", [8]],
    ["a field number of 0", [0, 1]],
    ["a group", [11]],
    ["a length past the end", [34, 2, 0]],
  ])("refuses %s", ([, bytes]) => {
    expect(() => new NumberFields(2).read(readerOf(...bytes))).toThrow(
      expect.objectContaining({ code: "WIRE_MALFORMED" }),
    );
  });
});

describe("shortVarint", () => {
  it("reads up to four bytes and leaves more, or what is cut off", () =>
    fc.assert(
      fc.property(uint64, fc.nat(12), (value, room) => {
        const bytes = varint(value);
        const isRead = bytes.length <= 4 && bytes.length <= room;

        const short = shortVarint(Uint8Array.from([0, ...bytes, 1]), 1, 1 + Math.min(room, bytes.length));

        expect(short).toBe(isRead ? Number(value) * 8 + bytes.length : -1);
      }),
    ));
});
