import { join } from "node:path";
import type { BlockContent } from "./commit-block.ts";
import { copyTable, orderOf } from "./copy-table.ts";
import type { Database } from "./database.ts";
import { type Duckdb, quoteSql } from "./duckdb.ts";
import { type TableName, tables } from "./schema.ts";
import { type BlockFile, unionSql } from "./snapshot-sql.ts";

/** Files of the blocks that are made into others. Profiles that repeat those of other blocks are told apart already. */
export type InputFiles = Readonly<Record<TableName, readonly BlockFile[]>>;

/** A FROM term of one table of these blocks. */
export function fromInputs(inputs: InputFiles, table: TableName): string {
  return unionSql(table, { heads: [], files: inputs[table] });
}

/** A FROM term of the file that was written for a table. */
export function fromWritten(directory: string, table: TableName): string {
  return `read_parquet(${quoteSql(join(directory, tables[table].file))})`;
}

/** Types and services of the inputs as numbers in their order: rows are half as large while they are sorted. */
export async function createEnums(database: Duckdb, inputs: InputFiles): Promise<void> {
  for (const column of ["type", "service"]) {
    await database.run(
      `CREATE TYPE ${column}s AS ENUM (SELECT DISTINCT ${column} FROM ${fromInputs(inputs, "totals")} ORDER BY ${column})`,
    );
  }
}

/** Writes the stacks and frames that the samples which are written already need. Returns their rows. */
export async function copySymbols(
  database: Duckdb,
  directory: string,
  from: Readonly<Record<"stacks" | "frames", string>>,
  signal: AbortSignal,
): Promise<Readonly<Record<"stacks" | "frames", number>>> {
  const copy = (table: TableName, select: string): Promise<number> =>
    copyTable(database, directory, table, select, { signal });
  const stacks = await copy(
    "stacks",
    `SELECT DISTINCT stack, frames FROM ${from.stacks}
 SEMI JOIN (SELECT DISTINCT stack FROM ${fromWritten(directory, "samples")}) USING (stack) ORDER BY ${orderOf("stacks")}`,
  );
  const frames = await copy(
    "frames",
    `SELECT DISTINCT * FROM ${from.frames}
 SEMI JOIN (SELECT DISTINCT unnest(frames) AS frame FROM ${fromWritten(directory, "stacks")}) USING (frame)
 ORDER BY ${orderOf("frames")}`,
  );
  return { stacks, frames };
}

/** How many of the samples that were written have the id of a span or a trace. */
export async function countSpanRows(database: Database, directory: string): Promise<number> {
  const rows = await database.select(
    `SELECT count(*) AS n FROM ${fromWritten(directory, "samples")} WHERE span_id IS NOT NULL OR trace_id IS NOT NULL`,
  );
  return Number(rows.bigints("n")[0]);
}

/** What `meta.json` says of the profiles that were written. */
export async function describeProfiles(
  database: Duckdb,
  directory: string,
): Promise<Omit<BlockContent, "rows">> {
  const totals = fromWritten(directory, "totals");
  const times = await database.select(`SELECT min(time) AS first, max(time) AS last FROM ${totals}`);
  const distinct = async (column: string): Promise<readonly string[]> => {
    const rows = await database.select(`SELECT DISTINCT ${column} AS name FROM ${totals}`);
    return rows.texts("name").toSorted();
  };
  return {
    minUnixNanos: times.bigints("first")[0]!,
    maxUnixNanos: times.bigints("last")[0]!,
    spanRows: await countSpanRows(database, directory),
    types: await distinct("type"),
    services: await distinct("service"),
  };
}
