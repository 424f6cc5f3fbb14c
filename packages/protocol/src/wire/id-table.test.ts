import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteRunTable } from "./byte-run-table.ts";
import { toLanes } from "./column.ts";
import { IdTable, NO_ROW } from "./id-table.ts";
import { Scratch } from "./scratch.ts";
import { WordTable } from "./word-table.ts";

const halves = (value: bigint): [number, number] => [
  Number(BigInt.asIntN(32, value)),
  Number(BigInt.asIntN(32, value >> 32n)),
];
const tableOf = (ids: bigint[]) => new IdTable(toLanes(BigUint64Array.from(ids)));

describe("IdTable", () => {
  it("finds the last row of each id and none of others", () =>
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 9n }))),
        (ids) => {
          const table = tableOf(ids);
          for (const id of [...ids, 0n, 3n, 2n ** 32n + 1n]) {
            const row = id === 0n ? NO_ROW : ids.lastIndexOf(id);
            expect(table.rowOf(...halves(id))).toBe(row);
          }
        },
      ),
    ));

  it("finds ids that are numbered 1, 2, 3 and none beyond", () => {
    const table = tableOf([1n, 2n, 3n]);

    expect(table.denseCount).toBe(3);
    expect([0n, 1n, 3n, 4n, 2n ** 32n + 1n, -1n].map((id) => table.rowOf(...halves(id)))).toEqual([
      -1, 0, 2, -1, -1, -1,
    ]);
  });

  it("has no row for any id when it is empty", () => {
    expect(tableOf([]).rowOf(1, 0)).toBe(NO_ROW);
  });
});

describe("WordTable", () => {
  it("numbers different sequences in the order they come", () =>
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -2, max: 2 }), { maxLength: 3 }), { maxLength: 300 }),
        (sequences) => {
          const table = new WordTable();
          const rows = sequences.map((words) => table.intern(words));
          const distinct = [...new Set(sequences.map((words) => words.join()))];
          expect(rows).toEqual(sequences.map((words) => distinct.indexOf(words.join())));
          expect(table.length).toBe(distinct.length);
        },
      ),
    ));

  it("returns the words of all rows", () => {
    const table = new WordTable();

    table.intern([1, 2, 3], 1, 3);
    table.intern([]);
    table.intern([-1]);

    expect(table.words()).toEqual(Uint32Array.of(2, 3, 0xffff_ffff));
    expect(table.starts()).toEqual(Uint32Array.of(0, 2, 2, 3));
  });
});

describe("ByteRunTable", () => {
  it("numbers different runs in the order they come and tells which are ASCII", () =>
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 100 }), (runs) => {
        const bytes = Uint8Array.from(runs.flatMap((run) => [...run]));
        const table = new ByteRunTable(bytes, runs.length, new Scratch());
        const distinct = [...new Set(runs.map((run) => run.join()))];
        let start = 0;
        for (const run of runs) {
          expect(table.intern(start, start + run.length)).toBe(distinct.indexOf(run.join()));
          expect(table.isAscii).toBe(run.every((byte) => byte < 0x80));
          start += run.length;
        }
      }),
    ));
});
