import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ReceiverError } from "../errors.ts";
import type { Block } from "./block.ts";
import { coverRange } from "./block-cover.ts";
import { Deletions } from "./deletions.ts";
import { Duckdb } from "./duckdb.ts";
import { dataPaths, isSegmentName } from "./filenames.ts";
import { findBlocks } from "./find-blocks.ts";
import type { Fs } from "./fs.ts";
import type { Level } from "./level.ts";
import type { TableName } from "./schema.ts";
import { distinctSql, type TableParts, unionSql } from "./snapshot-sql.ts";

/** What a query found, as text; NULL is null. */
export interface TextTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** SQL over the blocks of one tenant of a data directory, which is only read. */
export interface BlockViews {
  /** What answers lack. */
  readonly warnings: readonly string[];
  /** @throws `ReceiverError` INVALID_ARGUMENT for anything but one query. */
  select(sql: string): Promise<TextTable>;
  /** Each row as a JSON object. */
  selectJson(sql: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface BlockViewsOptions {
  readonly fs: Fs;
  readonly directory: string;
  readonly tenant: string;
  /** The coarsest level that is read where there is one. */
  readonly level: Level;
}

const MEMORY_LIMIT_BYTES = 1024 * 1024 * 1024;
// All of time, within what a number holds exactly.
const ALWAYS = { from: -8.64e15, until: 8.64e15 };

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
  const database = await Duckdb.open({
    ...{ path: ":memory:", directory: paths.blocks, temporaryDirectory: temporary },
    ...{ memoryLimitBytes: MEMORY_LIMIT_BYTES, threadCount: 2 },
  });
  await createViews(database, partsOf);
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

async function createViews(database: Duckdb, partsOf: (table: TableName) => TableParts): Promise<void> {
  const terms: Readonly<Record<string, string>> = {
    profiles: unionSql("samples", partsOf("samples")),
    totals: unionSql("totals", partsOf("totals")),
    series: distinctSql("series", partsOf("series")),
    stacks: distinctSql("stacks", partsOf("stacks")),
    frames: distinctSql("frames", partsOf("frames")),
  };
  for (const [name, term] of Object.entries(terms)) {
    await database.run(`CREATE VIEW ${name} AS SELECT * FROM ${term}`);
  }
  await database.run(`CREATE VIEW samples AS
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
  throw new ReceiverError("expected one query, such as SELECT; the data directory is only read", {
    code: "INVALID_ARGUMENT",
  });
}
