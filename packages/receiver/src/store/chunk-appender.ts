import {
  BIGINT,
  BOOLEAN,
  type DuckDBAppender,
  DuckDBDataChunk,
  type DuckDBType,
  INTEGER,
  LIST,
  TIMESTAMP_NS,
  UBIGINT,
  UUID,
  VARCHAR,
} from "@duckdb/node-api";
import bindings, { type Vector } from "@duckdb/node-bindings";
import type { IdLists, TextLists } from "./result-columns.ts";

/** SQL type of a column that rows can be appended to. */
export type AppendType =
  | "BIGINT"
  | "BOOLEAN"
  | "INTEGER"
  | "TIMESTAMP_NS"
  | "UBIGINT"
  | "UUID"
  | "VARCHAR"
  | "UBIGINT[]"
  | "VARCHAR[]";

/** Values of one column, in the form of its type: BIGINT and UBIGINT as 64-bit arrays, UUID as two (low, high) each. */
export type AppendValues =
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint8Array
  | readonly string[]
  | IdLists
  | TextLists;

/** Types that rows are appended in, by their name in SQL. */
const duckdbTypes: Readonly<Record<AppendType, DuckDBType>> = {
  BIGINT,
  BOOLEAN,
  INTEGER,
  TIMESTAMP_NS,
  UBIGINT,
  UUID,
  VARCHAR,
  "UBIGINT[]": LIST(UBIGINT),
  "VARCHAR[]": LIST(VARCHAR),
};

/** Rows of one data chunk; DuckDB's STANDARD_VECTOR_SIZE. */
const CHUNK_ROWS = 2048;

/**
 * Adds rows to one table, from typed arrays.
 *
 * Memory is copied column by column into a chunk that is used again. Through the vectors of the binding's own classes every
 * chunk is a dozen objects, and every id in a list is a BigInt.
 */
export class ChunkAppender {
  readonly #appender: DuckDBAppender;
  readonly #types: readonly AppendType[];
  readonly #chunk: DuckDBDataChunk;
  readonly #vectors: readonly Vector[];

  constructor(appender: DuckDBAppender, types: readonly AppendType[]) {
    this.#appender = appender;
    this.#types = types;
    const chunk = DuckDBDataChunk.create(types.map((type) => duckdbTypes[type]));
    this.#chunk = chunk;
    this.#vectors = types.map((_, index) => bindings.data_chunk_get_vector(chunk.chunk, index));
  }

  /** Appends rows `from .. until` of the columns, in the table's order. Visible at once to queries that start later. */
  append(columns: readonly AppendValues[], from: number, until: number): void {
    for (let row = from; row < until; row += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, until - row);
      this.#chunk.reset();
      for (const [index, vector] of this.#vectors.entries()) {
        copyColumn(vector, this.#types[index]!, columns[index]!, row, count);
      }
      this.#chunk.rowCount = count;
      this.#appender.appendDataChunk(this.#chunk);
    }
    this.#appender.flushSync();
  }

  close(): void {
    this.#appender.closeSync();
  }
}

function copyColumn(
  vector: Vector,
  type: AppendType,
  values: AppendValues,
  row: number,
  count: number,
): void {
  switch (type) {
    case "VARCHAR":
      copyTexts(vector, values as readonly string[], row, count);
      return;
    case "VARCHAR[]": {
      const { start, items } = values as TextLists;
      const length = setEntries(vector, start, row, count);
      copyTexts(bindings.list_vector_get_child(vector), items, start[row]!, length);
      return;
    }
    case "UBIGINT[]": {
      const { start, items } = values as IdLists;
      const length = setEntries(vector, start, row, count);
      copyNumbers(bindings.list_vector_get_child(vector), items, start[row]!, length);
      return;
    }
    case "UUID":
      copyNumbers(vector, toUuids(values as BigUint64Array, row, count), 0, 2 * count);
      return;
    default:
      copyNumbers(vector, values as BigUint64Array, row, count);
  }
}

type Numbers = BigInt64Array | BigUint64Array | Int32Array | Uint8Array;

function copyNumbers(vector: Vector, values: Numbers, from: number, count: number): void {
  if (count === 0) return;
  const { buffer, byteOffset, BYTES_PER_ELEMENT: width } = values;
  bindings.copy_data_to_vector(vector, 0, buffer as ArrayBuffer, byteOffset + from * width, count * width);
}

function copyTexts(vector: Vector, texts: readonly string[], from: number, count: number): void {
  for (let i = 0; i < count; i++) bindings.vector_assign_string_element(vector, i, texts[from + i]!);
}

const uuids = new BigUint64Array(2 * CHUNK_ROWS);
const uuidLanes = new Int32Array(uuids.buffer);

/** DuckDB keeps a UUID as a signed 128-bit number whose top bit is flipped, so that it sorts as its text. */
function toUuids(halves: BigUint64Array, row: number, count: number): BigUint64Array {
  uuids.set(halves.subarray(2 * row, 2 * (row + count)));
  for (let i = 3; i < 4 * count; i += 4) uuidLanes[i]! ^= 0x80000000;
  return uuids;
}

const entries = new BigUint64Array(2 * CHUNK_ROWS);
const entryLanes = new Uint32Array(entries.buffer);

/** Writes where each row's list begins and how long it is, and makes room for all items; returns how many they are. */
function setEntries(vector: Vector, start: Uint32Array, row: number, count: number): number {
  const first = start[row]!;
  for (let i = 0; i < count; i++) {
    entryLanes[4 * i] = start[row + i]! - first;
    entryLanes[4 * i + 2] = start[row + i + 1]! - start[row + i]!;
  }
  copyNumbers(vector, entries, 0, 2 * count);
  const length = start[row + count]! - first;
  bindings.list_vector_reserve(vector, length);
  bindings.list_vector_set_size(vector, length);
  return length;
}
