import type { DuckDBDataChunk, DuckDBListVector, DuckDBVector } from "@duckdb/node-api";
import { ReceiverError } from "../errors.ts";
import { type IdLists, type ResultColumn, ResultColumns, type TextLists } from "./result-columns.ts";

/** Name and SQL type of one column of a result. */
export interface ResultColumnType {
  readonly name: string;
  /** As DuckDB prints it: `UBIGINT`, `VARCHAR[]`. */
  readonly type: string;
}

type FixedArray = BigInt64Array | BigUint64Array | Int32Array | Float64Array;

/**
 * Copies the chunks of a result into one array per column. The chunks' memory is DuckDB's and may be reused.
 *
 * @throws {@link ReceiverError} INTERNAL for a column of a type that has no form here.
 */
export function readColumns(
  types: readonly ResultColumnType[],
  chunks: readonly DuckDBDataChunk[],
): ResultColumns {
  const rowCount = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
  const columns = new Map<string, ResultColumn>();
  types.forEach(({ name, type }, index) => {
    const vectors = chunks.filter((chunk) => chunk.rowCount > 0).map((chunk) => chunk.getColumnVector(index));
    columns.set(name, readColumn(name, type, vectors, rowCount));
  });
  return new ResultColumns(rowCount, columns);
}

function readColumn(
  name: string,
  type: string,
  vectors: readonly DuckDBVector[],
  rowCount: number,
): ResultColumn {
  switch (type) {
    case "BIGINT":
    case "TIMESTAMP_NS":
      return { kind: "bigints", values: readFixed(vectors, new BigInt64Array(rowCount)) };
    case "UBIGINT":
      return { kind: "ids", values: readFixed(vectors, new BigUint64Array(rowCount)) };
    case "INTEGER":
      return { kind: "integers", values: readFixed(vectors, new Int32Array(rowCount)) };
    case "DOUBLE":
      return { kind: "doubles", values: readFixed(vectors, new Float64Array(rowCount)) };
    case "BOOLEAN":
      return { kind: "booleans", values: readBooleans(vectors, rowCount) };
    case "VARCHAR":
    case "UUID":
      return { kind: "texts", values: readTexts(vectors) };
    case "UBIGINT[]":
      return { kind: "idLists", values: readIdLists(vectors, rowCount) };
    case "VARCHAR[]":
      return { kind: "textLists", values: readTextLists(vectors, rowCount) };
    default:
      throw new ReceiverError(
        `result column ${name} is ${type}: the query must cast it to a type read here`,
        {
          code: "INTERNAL",
        },
      );
  }
}

function readFixed<T extends FixedArray>(vectors: readonly DuckDBVector[], values: T): T {
  let row = 0;
  for (const vector of vectors) {
    const { items } = vector as unknown as { readonly items: T };
    values.set(items as never, row);
    forEachNull(vector, (index) => {
      values[row + index] = (typeof values[0] === "bigint" ? 0n : 0) as never;
    });
    row += vector.itemCount;
  }
  return values;
}

function readBooleans(vectors: readonly DuckDBVector[], rowCount: number): Uint8Array {
  const values = new Uint8Array(rowCount);
  let row = 0;
  for (const vector of vectors) {
    for (let i = 0; i < vector.itemCount; i++) values[row++] = vector.getItem(i) === true ? 1 : 0;
  }
  return values;
}

function readTexts(vectors: readonly DuckDBVector[]): string[] {
  const values: string[] = [];
  for (const vector of vectors) {
    for (let i = 0; i < vector.itemCount; i++) values.push(vector.getItem(i)?.toString() ?? "");
  }
  return values;
}

function readIdLists(vectors: readonly DuckDBVector[], rowCount: number): IdLists {
  const start = readListStarts(vectors, rowCount);
  const items = new BigUint64Array(start[rowCount]!);
  forEachList(vectors, start, (child, from, length, at) => {
    const ids = (child as unknown as { readonly items: BigUint64Array }).items;
    items.set(ids.subarray(from, from + length), at);
  });
  return { start, items };
}

function readTextLists(vectors: readonly DuckDBVector[], rowCount: number): TextLists {
  const start = readListStarts(vectors, rowCount);
  const items: string[] = [];
  forEachList(vectors, start, (child, from, length) => {
    for (let i = from; i < from + length; i++) items.push(child.getItem(i)?.toString() ?? "");
  });
  return { start, items };
}

function readListStarts(vectors: readonly DuckDBVector[], rowCount: number): Uint32Array {
  const start = new Uint32Array(rowCount + 1);
  let row = 0;
  for (const vector of vectors) {
    const lists = vector as DuckDBListVector;
    const nulls = new Set<number>();
    forEachNull(vector, (index) => nulls.add(index));
    for (let i = 0; i < lists.itemCount; i++, row++) {
      start[row + 1] = start[row]! + (nulls.has(i) ? 0 : lists.getEntryLength(i));
    }
  }
  return start;
}

function forEachList(
  vectors: readonly DuckDBVector[],
  start: Uint32Array,
  visit: (child: DuckDBVector, from: number, length: number, at: number) => void,
): void {
  let row = 0;
  for (const vector of vectors) {
    const lists = vector as DuckDBListVector;
    for (let i = 0; i < lists.itemCount; i++, row++) {
      const length = start[row + 1]! - start[row]!;
      if (length > 0) visit(lists.childVector, lists.getEntryOffset(i), length, start[row]!);
    }
  }
}

/** Calls `visit` with each row of a vector that is NULL. */
function forEachNull(vector: DuckDBVector, visit: (index: number) => void): void {
  // The field is private in the library's types. Its own way to ask, getItem() === null, makes a value per row;
  // most vectors have no mask at all, and then no row is looked at.
  const { validity } = vector as unknown as { readonly validity: { readonly data: BigUint64Array | null } };
  if (validity.data === null) return;
  const words = new Uint32Array(validity.data.buffer, validity.data.byteOffset, validity.data.length * 2);
  for (let i = 0; i < vector.itemCount; i++) {
    if (((words[i >>> 5]! >>> (i & 31)) & 1) === 0) visit(i);
  }
}
