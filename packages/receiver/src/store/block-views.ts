import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ReceiverError } from "../errors.ts";
import type { Block } from "./block.ts";
import { coverRange, type MillisRange } from "./block-cover.ts";
import { Deletions } from "./deletions.ts";
import { Duckdb } from "./duckdb.ts";
import { dataPaths, isSegmentName } from "./filenames.ts";
import { findBlocks } from "./find-blocks.ts";
import type { Fs } from "./fs.ts";
import type { Level } from "./level.ts";
import { TABLE_NAMES, type TableName } from "./schema.ts";
import { distinctSql, type TableParts, unionSql } from "./snapshot-sql.ts";

/** What a query found, as text; NULL is null. */
export interface TextTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** SQL over the blocks of one tenant, which are only read. */
export interface BlockViews {
  /** What answers lack. */
  readonly warnings: readonly string[];
  /** @throws `ReceiverError` INVALID_ARGUMENT for anything but one query. */
  select(sql: string): Promise<TextTable>;
  /** Each row as a JSON object. */
  selectJson(sql: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** What views show. */
export interface BlockViewsRange {
  readonly tenant: string;
  /** The coarsest level that is read where there is one. */
  readonly level: Level;
}

export interface BlockViewsOptions extends BlockViewsRange {
  readonly fs: Fs;
  readonly directory: string;
}

const MEMORY_LIMIT_BYTES = 1024 * 1024 * 1024;
/** All of time, within what a number holds exactly. */
export const ALWAYS: MillisRange = { from: -8.64e15, until: 8.64e15 };

/**
 * Opens views over blocks: `profiles`, `totals`, `series`, `stacks` and `frames` as in `schema.ts`, and `samples`, which
 * names what the others only number. A receiver may run on the directory: what it has in memory is not there.
 *
 * @throws {@link ReceiverError} NOT_FOUND when there is no data directory.
 */
export async function openBlockViews(options: BlockViewsOptions): Promise<BlockViews> {
  const { fs, directory, tenant, level } = options;
  const paths = dataPaths(directory);
  const deletions = new Deletions(fs, paths);
  await deletions.load();
  const blocks = (await findBlocks(fs, paths)).filter(({ meta }) => meta.tenant === tenant);
  const warnings: string[] = [];
  const good: Block[] = [];
  for (const block of blocks) {
    const damage = await block.verify(fs);
    if (damage === undefined) good.push(block);
    else warnings.push(`block ${block.meta.id} is left out: ${damage}`);
  }
  const segments = (await fs.list(paths.wal)).filter(({ name }) => isSegmentName(name));
  if (segments.length > 0) {
    warnings.push(`blocks only: what the log holds (segments: ${segments.length}) comes with the next flush`);
  }
  const partsOf = (table: TableName): TableParts => ({
    heads: [],
    files: coverRange(good, ALWAYS, level).map(({ block, ranges }) => ({
      ...{ path: block.file(table), repeats: undefined, ranges },
      hiddenServices: deletions.hiddenIn(block),
    })),
  });
  const temporary = await mkdtemp(join(tmpdir(), "pyroscope-sql-"));
  const database = await openViewDatabase(paths.blocks, temporary);
  await createViews(database, TABLE_NAMES, partsOf);
  return toBlockViews(database, warnings, temporary);
}

/** @param directory - The only one whose files SQL can read. */
export async function openViewDatabase(directory: string, temporaryDirectory: string): Promise<Duckdb> {
  return await Duckdb.open({
    ...{ path: ":memory:", directory, temporaryDirectory },
    ...{ memoryLimitBytes: MEMORY_LIMIT_BYTES, threadCount: 2 },
  });
}

/** @param temporary - A directory that goes with the views. */
export function toBlockViews(database: Duckdb, warnings: readonly string[], temporary: string): BlockViews {
  return {
    warnings,
    select: (sql) => selectText(database, sql),
    selectJson: async (sql) => {
      await checkQuery(database, sql);
      const rows = await database.select(`SELECT to_json(rows)::VARCHAR AS line FROM (\n${sql}\n) AS rows`);
      return rows.texts("line");
    },
    async close() {
      database.close();
      await rm(temporary, { recursive: true, force: true });
    },
  };
}

/** Names of views by the tables that they show. */
const viewNames: Readonly<Record<TableName, string>> = {
  samples: "profiles",
  totals: "totals",
  series: "series",
  stacks: "stacks",
  frames: "frames",
};

/** The view that names what these tables number. */
const NAMED_VIEW = "samples";
const NAMED_TABLES: readonly TableName[] = ["samples", "series", "stacks", "frames"];

/** Tables that a query may read: those whose view it names. */
export function tablesIn(sql: string): readonly TableName[] {
  const names = (name: string): boolean => new RegExp(`\\b${name}\\b`, "i").test(sql);
  return TABLE_NAMES.filter(
    (table) => names(viewNames[table]) || (NAMED_TABLES.includes(table) && names(NAMED_VIEW)),
  );
}

/** Makes the views of tables, and the one that names things where its tables are among them. */
export async function createViews(
  database: Duckdb,
  wanted: readonly TableName[],
  partsOf: (table: TableName) => TableParts,
): Promise<void> {
  for (const table of wanted) {
    const isDistinct = table === "series" || table === "stacks" || table === "frames";
    const term = isDistinct ? distinctSql(table, partsOf(table)) : unionSql(table, partsOf(table));
    await database.run(`CREATE VIEW ${viewNames[table]} AS SELECT * FROM ${term}`);
  }
  if (!NAMED_TABLES.every((table) => wanted.includes(table))) return;
  await database.run(`CREATE VIEW ${NAMED_VIEW} AS
WITH places AS (SELECT stack, unnest(frames) AS frame, generate_subscripts(frames, 1) AS place FROM stacks),
names AS (
 SELECT stack, string_agg("function", ';' ORDER BY place) AS path,
  arg_max("function", place) AS "function", arg_max(file, place) AS file, arg_max(line, place) AS line
 FROM places JOIN frames USING (frame) GROUP BY stack
)
SELECT type, service, labels, time, profile, "function", file, line, path, "value",
 format('{:016x}', span_id) AS span_id, replace(trace_id::VARCHAR, '-', '') AS trace_id
FROM profiles LEFT JOIN names USING (stack) LEFT JOIN (SELECT type, series, labels FROM series) USING (type, series)`);
}

async function selectText(database: Duckdb, sql: string): Promise<TextTable> {
  await checkQuery(database, sql);
  const described = await database.select(`SELECT column_name FROM (DESCRIBE SELECT * FROM (\n${sql}\n))`);
  const columns = described.texts("column_name");
  // Numbered: two columns of a query may have one name.
  const names = columns.map((_, i) => `c${i}`);
  const list = names.map((name) => `${name}::VARCHAR`).join(", ");
  const rows = await database.select(
    `SELECT to_json([${list}])::VARCHAR AS line FROM (\n${sql}\n) AS rows(${names.join(", ")})`,
  );
  return { columns, rows: rows.texts("line").map((line) => JSON.parse(line) as (string | null)[]) };
}

async function checkQuery(database: Duckdb, sql: string): Promise<void> {
  const isQuery = await database.isQuery(sql).catch((cause: unknown) => {
    throw new ReceiverError(cause instanceof Error ? cause.message : String(cause), {
      code: "INVALID_ARGUMENT",
      cause,
    });
  });
  if (isQuery) return;
  throw new ReceiverError("expected one query, such as SELECT; blocks are only read", {
    code: "INVALID_ARGUMENT",
  });
}
