/**
 * A `Uint32Array` that grows.
 *
 * Doubling copies each value about once on average, and unlike a plain array the memory is 4 bytes a value
 * whatever the values are.
 */
export class Uint32Column {
  length = 0;
  /** The first `length` rows are in use; replaced when the column grows. */
  values: Uint32Array;

  /** @param storage - the rows to make room for, or memory to fill before own memory is taken. */
  constructor(storage: number | Uint32Array = 16) {
    this.values = typeof storage === "number" ? new Uint32Array(Math.max(storage, 1)) : storage;
  }

  push(value: number): void {
    if (this.length === this.values.length) this.#grow(this.length + 1);
    this.values[this.length++] = value;
  }

  /** Makes room for that many more rows, which the caller may write into `values` and then count in `length`. */
  reserve(count: number): void {
    const length = this.length + count;
    if (length > this.values.length) this.#grow(length);
  }

  /** Appends rows `start .. end` of another column. */
  pushRange(source: ArrayLike<number>, start: number, end: number): void {
    this.reserve(end - start);
    const values = this.values;
    for (let from = start, to = this.length; from < end; from++, to++) values[to] = source[from] ?? 0;
    this.length += end - start;
  }

  /** The rows in use. The column is of no more use: its memory may be the result's. */
  finish(): Uint32Array {
    return this.length === this.values.length ? this.values : this.values.slice(0, this.length);
  }

  #grow(needed: number): void {
    const values = new Uint32Array(Math.max(needed, this.values.length * 2));
    values.set(this.values);
    this.values = values;
  }
}

// Which of the two 32-bit halves of a 64-bit element comes first in memory.
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
/** Offset of the low half of a 64-bit element in a 32-bit view of its column. */
export const LOW: 0 | 1 = IS_LITTLE_ENDIAN ? 0 : 1;
/** Offset of the high half. */
export const HIGH: 0 | 1 = IS_LITTLE_ENDIAN ? 1 : 0;

/** A 32-bit view of a 64-bit column: row `i` is at `2 * i + LOW` and `2 * i + HIGH`. */
export function toLanes(column: BigInt64Array | BigUint64Array): Int32Array {
  return new Int32Array(column.buffer, column.byteOffset, column.length * 2);
}

/** A 64-bit column that grows; it takes halves, so that no BigInt is made for a value. */
export class Int64Column {
  length = 0;
  #lanes: Int32Array;

  constructor(capacity = 16) {
    this.#lanes = new Int32Array(Math.max(capacity, 1) * 2);
  }

  push(lo: number, hi: number): void {
    const at = this.length * 2;
    if (at === this.#lanes.length) {
      const lanes = new Int32Array(at * 2);
      lanes.set(this.#lanes);
      this.#lanes = lanes;
    }
    this.#lanes[at + LOW] = lo;
    this.#lanes[at + HIGH] = hi;
    this.length++;
  }

  /** A copy of the rows in use. */
  finish(): BigInt64Array {
    return new BigInt64Array(this.#lanes.slice(0, this.length * 2).buffer);
  }

  /** Adds to a row; false, and the row is undefined, when the sum leaves int64. */
  add(row: number, lo: number, hi: number): boolean {
    return addInt64(this.#lanes, row, lo, hi);
  }

  /** Subtracts from a row; the result is as that of {@link Int64Column.add}. */
  subtract(row: number, lo: number, hi: number): boolean {
    return subtractInt64(this.#lanes, row, lo, hi);
  }
}

/**
 * Adds an int64 to a row of a column, in halves.
 *
 * @returns false when the sum leaves int64; the row then holds the sum modulo 2^64.
 */
export function addInt64(lanes: Int32Array, row: number, lo: number, hi: number): boolean {
  const oldLo = lanes[row * 2 + LOW] ?? 0;
  const oldHi = lanes[row * 2 + HIGH] ?? 0;
  const newLo = (oldLo + lo) | 0;
  const carry = newLo >>> 0 < oldLo >>> 0 ? 1 : 0;
  const newHi = (oldHi + hi + carry) | 0;
  lanes[row * 2 + LOW] = newLo;
  lanes[row * 2 + HIGH] = newHi;
  // Two's complement: the sum overflows when both addends have the sign that the sum has not.
  return ((oldHi ^ newHi) & (hi ^ newHi)) >= 0;
}

/**
 * Subtracts an int64 from a row of a column, in halves. Not an addition of the negative, which -2^63 has not.
 *
 * @returns false when the difference leaves int64; the row then holds the difference modulo 2^64.
 */
export function subtractInt64(lanes: Int32Array, row: number, lo: number, hi: number): boolean {
  const oldLo = lanes[row * 2 + LOW] ?? 0;
  const oldHi = lanes[row * 2 + HIGH] ?? 0;
  const borrow = oldLo >>> 0 < lo >>> 0 ? 1 : 0;
  const newHi = (oldHi - hi - borrow) | 0;
  lanes[row * 2 + LOW] = (oldLo - lo) | 0;
  lanes[row * 2 + HIGH] = newHi;
  // Overflow: operands of different sign, and the difference has the sign of what was subtracted.
  return ((oldHi ^ hi) & (oldHi ^ newHi)) >= 0;
}
