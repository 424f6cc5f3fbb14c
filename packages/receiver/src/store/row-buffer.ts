import { ReceiverError } from "../errors.ts";
import type { AppendType, AppendValues, ChunkAppender } from "./chunk-appender.ts";

/**
 * Rows of one table on their way into DuckDB. A commit per profile would cost more than the profile; so rows gather
 * here, and go over when the buffer is full or a query needs to see them.
 *
 * The owner writes row {@link RowBuffer.row} of every column and then calls {@link RowBuffer.endRow}.
 */
export class RowBuffer {
  readonly #appender: Pick<ChunkAppender, "append" | "close">;
  readonly #columns: readonly (FixedColumn | TextColumn | IdListColumn | TextListColumn)[];
  readonly #capacity: number;
  /** The row that is being written. */
  row = 0;

  /** @param capacity - rows that are handed over at once; a multiple of 8. */
  constructor(
    appender: Pick<ChunkAppender, "append" | "close">,
    types: readonly AppendType[],
    capacity: number,
  ) {
    this.#appender = appender;
    this.#columns = types.map((type) => createColumn(type, capacity));
    this.#capacity = capacity;
  }

  /** A column of numbers of a fixed size. */
  fixed(index: number): FixedColumn {
    return this.#typed(index, FixedColumn);
  }

  /** A column of VARCHAR. */
  texts(index: number): TextColumn {
    return this.#typed(index, TextColumn);
  }

  /** A column of UBIGINT[]. */
  idLists(index: number): IdListColumn {
    return this.#typed(index, IdListColumn);
  }

  /** A column of VARCHAR[]. */
  textLists(index: number): TextListColumn {
    return this.#typed(index, TextListColumn);
  }

  /** Ends the row; hands everything over when the buffer is full. */
  endRow(): void {
    this.row++;
    for (const column of this.#columns) column.endRow(this.row);
    if (this.row === this.#capacity) this.flush();
  }

  /** Rows that can be written before they are handed over. */
  get room(): number {
    return this.#capacity - this.row;
  }

  /** Ends rows that were written at once, not more than there is room for; every column must be of a fixed size. */
  endRows(count: number): void {
    this.row += count;
    if (this.row === this.#capacity) this.flush();
  }

  /** Hands all rows over to DuckDB. */
  flush(): void {
    if (this.row === 0) return;
    const values = this.#columns.map((column) => column.values());
    this.#appender.append(values, 0, this.row);
    for (const column of this.#columns) column.clear();
    this.row = 0;
  }

  close(): void {
    this.#appender.close();
  }

  #typed<T>(index: number, kind: new (...parameters: never[]) => T): T {
    const column = this.#columns[index];
    if (column instanceof kind) return column;
    throw new ReceiverError(`column ${index} of a row buffer is no ${kind.name}`, { code: "INTERNAL" });
  }
}

type FixedType = Exclude<AppendType, "VARCHAR" | "UBIGINT[]" | "VARCHAR[]">;

/** Numbers of a fixed size. 64-bit values are also reachable as pairs of 32-bit lanes, low one first. */
export class FixedColumn {
  readonly bytes: Uint8Array;
  readonly lanes: Int32Array;
  readonly int64: BigInt64Array;
  readonly uint64: BigUint64Array;
  readonly #type: FixedType;

  constructor(type: FixedType, capacity: number) {
    const buffer = new ArrayBuffer(capacity * bytesPerValue[type]);
    this.bytes = new Uint8Array(buffer);
    this.lanes = new Int32Array(buffer);
    this.int64 = new BigInt64Array(buffer);
    this.uint64 = new BigUint64Array(buffer);
    this.#type = type;
  }

  values(): AppendValues {
    if (this.#type === "BOOLEAN") return this.bytes;
    if (this.#type === "INTEGER") return this.lanes;
    return this.#type === "BIGINT" || this.#type === "TIMESTAMP_NS" ? this.int64 : this.uint64;
  }

  endRow(): void {}

  clear(): void {}
}

const bytesPerValue: Readonly<Record<FixedType, number>> = {
  BOOLEAN: 1,
  INTEGER: 4,
  BIGINT: 8,
  TIMESTAMP_NS: 8,
  UBIGINT: 8,
  UUID: 16,
};

/** Texts, in order of their rows. */
export class TextColumn {
  readonly #items: string[] = [];

  push(text: string): void {
    this.#items.push(text);
  }

  values(): AppendValues {
    return this.#items;
  }

  endRow(): void {}

  clear(): void {
    this.#items.length = 0;
  }
}

/** Lists of ids, in order of their rows. */
export class IdListColumn {
  readonly #start: Uint32Array;
  #items = new BigUint64Array(1024);
  #lanes = new Int32Array(this.#items.buffer);
  #length = 0;

  constructor(capacity: number) {
    this.#start = new Uint32Array(capacity + 1);
  }

  /** Adds an id to the list of the row that is being written. */
  push(lo: number, hi: number): void {
    if (this.#length === this.#items.length) this.#grow();
    this.#lanes[2 * this.#length] = lo;
    this.#lanes[2 * this.#length + 1] = hi;
    this.#length++;
  }

  values(): AppendValues {
    return { start: this.#start, items: this.#items };
  }

  endRow(rowCount: number): void {
    this.#start[rowCount] = this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  #grow(): void {
    const items = new BigUint64Array(2 * this.#items.length);
    items.set(this.#items);
    this.#items = items;
    this.#lanes = new Int32Array(items.buffer);
  }
}

/** Lists of texts, in order of their rows. */
export class TextListColumn {
  readonly #start: Uint32Array;
  readonly #items: string[] = [];

  constructor(capacity: number) {
    this.#start = new Uint32Array(capacity + 1);
  }

  /** Adds a text to the list of the row that is being written. */
  push(text: string): void {
    this.#items.push(text);
  }

  values(): AppendValues {
    return { start: this.#start, items: this.#items };
  }

  endRow(rowCount: number): void {
    this.#start[rowCount] = this.#items.length;
  }

  clear(): void {
    this.#items.length = 0;
  }
}

function createColumn(
  type: AppendType,
  capacity: number,
): FixedColumn | TextColumn | IdListColumn | TextListColumn {
  switch (type) {
    case "VARCHAR":
      return new TextColumn();
    case "UBIGINT[]":
      return new IdListColumn(capacity);
    case "VARCHAR[]":
      return new TextListColumn(capacity);
    default:
      return new FixedColumn(type, capacity);
  }
}
