import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBType,
  INTEGER,
  SQLNULL,
  StatementType,
  UBIGINT,
  VARCHAR,
} from "@duckdb/node-api";
import { ReceiverError, type ReceiverErrorCode } from "../errors.ts";
import { type AppendType, ChunkAppender } from "./chunk-appender.ts";
import type { Database, SqlValue } from "./database.ts";
import { readColumns } from "./duckdb-result.ts";
import type { ResultColumns } from "./result-columns.ts";

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
      // Files do not change. What it keeps of them, 14 kB each, is part of the memory limit and goes when memory is needed.
      await writer.run("SET GLOBAL parquet_metadata_cache = true");
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
  async createAppender(table: string, types: readonly AppendType[]): Promise<ChunkAppender> {
    return new ChunkAppender(await this.#writer.createAppender(table, "main", "head"), types);
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
