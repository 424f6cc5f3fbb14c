import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  DuckDBListValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBVector,
  INTEGER,
  LIST,
  SQLNULL,
  StatementType,
  TIMESTAMP_NS,
  UBIGINT,
  UUID,
  VARCHAR,
} from "@duckdb/node-api";
import { ReceiverError, type ReceiverErrorCode } from "../errors.ts";
import type { Database, SqlValue } from "./database.ts";
import { readColumns } from "./duckdb-result.ts";
import type { IdLists, ResultColumns, TextLists } from "./result-columns.ts";

export type { SqlValue } from "./database.ts";

/** Where a database lies and what it may take. */
export interface DuckdbOptions {
  /** The database file. Its kernel lock is the lock on the data directory. */
  readonly path: string;
  /** The one directory that SQL may read and write. */
  readonly directory: string;
  /** Where a query spills what does not fit into memory; made on demand. */
  readonly temporaryDirectory: string;
  readonly memoryLimitBytes: number;
  readonly threadCount: number;
}

/** Types that rows are appended in, by their name in SQL. */
const appendTypes: Readonly<Record<AppendType, DuckDBType>> = {
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

/** Adds rows to one table. */
export interface TableAppender {
  /** Appends rows `from .. until` of the columns, in the table's order. Visible at once to queries that start later. */
  append(columns: readonly AppendValues[], from: number, until: number): void;
  close(): void;
}

/** Rows of one data chunk; DuckDB's STANDARD_VECTOR_SIZE. */
const CHUNK_ROWS = 2048;

/**
 * One DuckDB instance in this process: the file at `path`, and memory attached as the schema `head`.
 *
 * SQL can reach the data directory and nothing else, loads no extension, and cannot change that.
 */
export class Duckdb implements Database {
  readonly #instance: DuckDBInstance;
  readonly #writer: DuckDBConnection;
  readonly #idle: DuckDBConnection[] = [];
  #isClosed = false;

  private constructor(instance: DuckDBInstance, writer: DuckDBConnection) {
    this.#instance = instance;
    this.#writer = writer;
  }

  /**
   * Opens or makes the database file and takes its lock.
   *
   * @throws {@link ReceiverError} STORAGE_LOCKED, with the holder's process id, when another process has it open;
   * STORAGE_FORMAT when the file is damaged or of a newer DuckDB.
   */
  static async open(options: DuckdbOptions): Promise<Duckdb> {
    try {
      const instance = await DuckDBInstance.create(options.path, {
        threads: String(options.threadCount),
        memory_limit: `${options.memoryLimitBytes}B`,
        temp_directory: options.temporaryDirectory,
        autoinstall_known_extensions: "false",
        autoload_known_extensions: "false",
      });
      const writer = await instance.connect();
      await writer.run("ATTACH ':memory:' AS head");
      await writer.run(`SET allowed_directories = [${quoteSql(options.directory)}]`);
      await writer.run("SET enable_external_access = false");
      await writer.run("SET lock_configuration = true");
      return new Duckdb(instance, writer);
    } catch (error) {
      throw openError(options, error);
    }
  }

  /** Runs a statement that changes something. */
  async run(sql: string, parameters: readonly SqlValue[] = [], signal?: AbortSignal): Promise<void> {
    const connection = this.#idle.pop() ?? (await this.#instance.connect());
    const interrupt = (): void => connection.interrupt();
    signal?.addEventListener("abort", interrupt);
    try {
      signal?.throwIfAborted();
      await connection.run(sql, [...parameters], parameters.map(typeOfValue));
    } catch (error) {
      if (signal?.aborted === true) throw cancelled(error);
      throw queryError(sql, error);
    } finally {
      signal?.removeEventListener("abort", interrupt);
      this.#giveBack(connection);
    }
  }

  async select(
    sql: string,
    parameters: readonly SqlValue[] = [],
    signal?: AbortSignal,
  ): Promise<ResultColumns> {
    const connection = this.#idle.pop() ?? (await this.#instance.connect());
    try {
      return await selectOn(connection, sql, parameters, signal);
    } finally {
      // There is nothing to commit, and after an error nothing else is allowed.
      await connection.run("ROLLBACK").then(
        () => this.#giveBack(connection),
        () => connection.closeSync(),
      );
    }
  }

  /** Whether a text is one query: it reads and changes nothing. @throws {@link ReceiverError} when it is no SQL. */
  async isQuery(sql: string): Promise<boolean> {
    const connection = this.#idle.pop() ?? (await this.#instance.connect());
    try {
      const statements = await connection.extractStatements(sql);
      if (statements.count !== 1) return false;
      const statement = await statements.prepare(0);
      const { statementType } = statement;
      statement.destroySync();
      return statementType === StatementType.SELECT;
    } catch (error) {
      throw queryError(sql, error);
    } finally {
      this.#giveBack(connection);
    }
  }

  /** Opens an appender on `head.<table>`, whose columns have these types, in order. */
  async createAppender(table: string, types: readonly AppendType[]): Promise<TableAppender> {
    const appender = await this.#writer.createAppender(table, "main", "head");
    const duckdbTypes = types.map((type) => appendTypes[type]);
    return {
      append: (columns, from, until) => {
        for (let row = from; row < until; row += CHUNK_ROWS) {
          appendChunk(appender, duckdbTypes, columns, row, Math.min(CHUNK_ROWS, until - row));
        }
        appender.flushSync();
      },
      close: () => appender.closeSync(),
    };
  }

  /** Closes the file and gives its lock back. Queries that run must have ended. A second call does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const connection of this.#idle.splice(0)) connection.closeSync();
    this.#writer.closeSync();
    this.#instance.closeSync();
  }

  #giveBack(connection: DuckDBConnection): void {
    if (this.#isClosed) connection.closeSync();
    else this.#idle.push(connection);
  }
}

/** A text as a literal in SQL. For paths of our own; what came from a request is a parameter. */
export function quoteSql(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * Runs a query in a transaction of its own, which the caller ends. Without one, the binding plans it in one transaction and executes it in
 * the next: a filter that held for all rows when it was planned is gone from the plan, and rows that were appended
 * in between pass it.
 */
async function selectOn(
  connection: DuckDBConnection,
  sql: string,
  parameters: readonly SqlValue[],
  signal: AbortSignal | undefined,
): Promise<ResultColumns> {
  const interrupt = (): void => connection.interrupt();
  await connection.run("BEGIN TRANSACTION");
  signal?.addEventListener("abort", interrupt);
  try {
    signal?.throwIfAborted();
    const result = await connection.run(sql, [...parameters], parameters.map(typeOfValue));
    const types = result.columnNames().map((name, i) => ({ name, type: result.columnType(i).toString() }));
    return readColumns(types, await result.fetchAllChunks());
  } catch (error) {
    if (signal?.aborted === true) throw cancelled(error);
    throw queryError(sql, error);
  } finally {
    signal?.removeEventListener("abort", interrupt);
  }
}

function appendChunk(
  appender: DuckDBAppender,
  types: readonly DuckDBType[],
  columns: readonly AppendValues[],
  row: number,
  count: number,
): void {
  const chunk = DuckDBDataChunk.create(types, count);
  types.forEach((type, index) => {
    const vector = chunk.getColumnVector(index);
    setVector(vector, type, columns[index]!, row, count);
    vector.flush();
  });
  appender.appendDataChunk(chunk);
}

function setVector(
  vector: DuckDBVector,
  type: DuckDBType,
  values: AppendValues,
  row: number,
  count: number,
): void {
  if (type.typeId === DuckDBTypeId.LIST) setLists(vector, values as IdLists | TextLists, row, count);
  else if (type.typeId === DuckDBTypeId.UUID) setUuids(vector, values as BigUint64Array, row, count);
  else if (type.typeId === DuckDBTypeId.VARCHAR || type.typeId === DuckDBTypeId.BOOLEAN) {
    const isBoolean = type.typeId === DuckDBTypeId.BOOLEAN;
    const items = values as readonly string[] | Uint8Array;
    for (let i = 0; i < count; i++) vector.setItem(i, isBoolean ? items[row + i] === 1 : items[row + i]!);
  } else {
    const { items } = vector as unknown as { readonly items: BigUint64Array };
    items.set((values as BigUint64Array).subarray(row, row + count));
  }
}

function setUuids(vector: DuckDBVector, halves: BigUint64Array, row: number, count: number): void {
  const { dataView } = vector as unknown as { readonly dataView: DataView };
  const lanes = new Int32Array(dataView.buffer, dataView.byteOffset, 4 * count);
  lanes.set(new Int32Array(halves.buffer, halves.byteOffset + 16 * row, 4 * count));
  // DuckDB keeps a UUID as a signed 128-bit number whose top bit is flipped, so that it sorts as its text.
  for (let i = 3; i < lanes.length; i += 4) lanes[i]! ^= 0x80000000;
}

function setLists(vector: DuckDBVector, lists: IdLists | TextLists, row: number, count: number): void {
  const { start, items } = lists;
  for (let i = 0; i < count; i++) {
    // A typed array does where the binding asks for an array: it reads length and items only.
    const list = items.slice(start[row + i]!, start[row + i + 1]!) as unknown as readonly bigint[];
    vector.setItem(i, new DuckDBListValue(list));
  }
}

const MAX_INT64 = 2n ** 63n - 1n;

function typeOfValue(value: SqlValue): DuckDBType {
  switch (typeof value) {
    case "bigint":
      return value > MAX_INT64 ? UBIGINT : BIGINT;
    case "number":
      return (value | 0) === value ? INTEGER : DOUBLE;
    case "boolean":
      return BOOLEAN;
    default:
      return value === null ? SQLNULL : VARCHAR;
  }
}

function cancelled(cause: unknown): ReceiverError {
  return new ReceiverError("query cancelled: the one who asked is gone", { code: "CANCELLED", cause });
}

// DuckDB's errors have no code; its messages begin with the name of their class.
const codeOfMessage: readonly (readonly [pattern: RegExp, code: ReceiverErrorCode])[] = [
  [/^(Out of Range Error|Conversion Error: .*out of range)/, "OUT_OF_RANGE"],
  [/^Out of Memory Error/, "RESOURCE_EXHAUSTED"],
  [/^INTERRUPT Error/, "CANCELLED"],
  [/^IO Error/, "STORAGE_UNAVAILABLE"],
];

function queryError(sql: string, cause: unknown): ReceiverError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const code = codeOfMessage.find(([pattern]) => pattern.test(text))?.[1] ?? "INTERNAL";
  return new ReceiverError(`query ${sql.slice(0, 200)}: ${text}`, { code, cause });
}

function openError(options: DuckdbOptions, cause: unknown): ReceiverError {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (text.includes("Could not set lock")) {
    const pid = /\(PID (\d+)\)/.exec(text)?.[1];
    const holder = pid === undefined ? "another process" : `process ${pid}`;
    return new ReceiverError(`open ${options.directory}: the data directory is in use by ${holder}`, {
      code: "STORAGE_LOCKED",
      cause,
    });
  }
  return new ReceiverError(`open ${options.path}: ${text}`, { code: "STORAGE_FORMAT", cause });
}
