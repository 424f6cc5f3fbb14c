import type { ResultColumns } from "./result-columns.ts";

/** A value of a `?` in SQL. A number is an INTEGER or DOUBLE, a bigint a BIGINT or UBIGINT, by what it holds. */
export type SqlValue = string | number | bigint | boolean | null;

/** DuckDB, as the rest of the receiver sees it. */
export interface Database {
  /** Runs one statement, its result ignored. Concurrent calls each have a connection of their own. */
  run(sql: string, parameters?: readonly SqlValue[]): Promise<void>;
  /**
   * Runs one query and returns its result as columns.
   *
   * @throws `ReceiverError` CANCELLED when `signal` aborts (the query is interrupted), OUT_OF_RANGE when a sum or a
   * cast leaves its type, RESOURCE_EXHAUSTED when it needs more memory than DuckDB may have, INTERNAL otherwise.
   */
  select(sql: string, parameters?: readonly SqlValue[], signal?: AbortSignal): Promise<ResultColumns>;
}
