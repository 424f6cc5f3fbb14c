import { describe, expect, it } from "vitest";
import { ColumnBuffer, columnBytes } from "./column-buffer.ts";
import { Scratch } from "./scratch.ts";

describe("Scratch", () => {
  it("hands out columns that do not overlap, until it is reset", () => {
    const scratch = new Scratch();

    const first = scratch.uint32(3).fill(7);
    const second = scratch.int32(2).fill(-1);

    expect(first).toEqual(Uint32Array.of(7, 7, 7));
    expect(second).toEqual(Int32Array.of(-1, -1));
    scratch.reset();
    expect(scratch.uint32(3).byteOffset).toBe(first.byteOffset);
  });

  it("gives memory of its own to what does not fit", () => {
    const scratch = new Scratch();
    const small = scratch.uint32(1);

    const large = scratch.uint32(1024 * 1024);

    expect(large.length).toBe(1024 * 1024);
    expect(large.buffer).not.toBe(small.buffer);
    expect(scratch.uint32(1).buffer).toBe(small.buffer);
  });
});

describe("ColumnBuffer", () => {
  it("holds exactly the columns that were asked for, zeroed and aligned", () => {
    const buffer = new ColumnBuffer(columnBytes(3, 1, 4, 4) + columnBytes(2, 8, 8));

    const columns = [buffer.uint8(3), buffer.uint32(3), buffer.int32(3), buffer.int64(2), buffer.uint64(2)];

    expect(columns.map(({ byteOffset }) => byteOffset)).toEqual([0, 8, 24, 40, 56]);
    expect(columns.map(({ length }) => length)).toEqual([3, 3, 3, 2, 2]);
    expect(columns.flatMap((column) => [...column]).every((value) => value === 0 || value === 0n)).toBe(true);
    expect(new Set(columns.map((column) => column.buffer)).size).toBe(1);
    expect(() => buffer.uint8(1)).toThrow(RangeError);
  });
});
