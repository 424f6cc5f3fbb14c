import { join } from "node:path";
import type { Database, SqlValue } from "./database.ts";
import { quoteSql } from "./duckdb.ts";
import { type TableName, tables } from "./schema.ts";

// DuckDB adds a bloom filter to every column chunk that has a dictionary, which span and trace ids have while fewer
// than a fifth of a row group's rows differ; beyond that the scan of one column serves. With a dictionary in any case
// (DICTIONARY_SIZE_LIMIT) a million rows did not fit into 160 MB of memory, where they do without.
const COPY_OPTIONS = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880";

// Version 2 packs the difference of each value to the one before: 7 % less for the values of samples. Ids that are hashes
// take more that way than plain ones, whose repeats zstd finds: 9 to 53 % more for stacks, 39 % for totals.
const PARQUET_VERSIONS: Readonly<Record<TableName, "v1" | "v2">> = {
  samples: "v2",
  totals: "v1",
  series: "v1",
  stacks: "v1",
  frames: "v1",
};

/** Values of the query's parameters, and what interrupts it. */
export interface CopyOptions {
  readonly parameters?: readonly SqlValue[];
  readonly signal?: AbortSignal;
}

/** Writes the rows of a query, which must be in order, as a table's file of the block in `directory`; returns how many. */
export async function copyTable(
  database: Database,
  directory: string,
  table: TableName,
  select: string,
  options?: CopyOptions,
): Promise<number> {
  const path = quoteSql(join(directory, tables[table].file));
  const statement = `COPY (${select}) TO ${path} (${COPY_OPTIONS}, PARQUET_VERSION ${PARQUET_VERSIONS[table]})`;
  const result = await database.select(statement, options?.parameters, options?.signal);
  return Number(result.bigints("Count")[0] ?? 0n);
}

/** The columns of ORDER BY for a table. */
export function orderOf(table: TableName): string {
  return tables[table].order.map((name) => `"${name}"`).join(", ");
}
