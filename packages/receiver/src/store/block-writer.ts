import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { type BlockMeta, formatBlockMeta } from "./block-meta.ts";
import { type Duckdb, quoteSql } from "./duckdb.ts";
import { blockPath, createBlockId, type DataPaths, META_FILE, RAW_LEVEL } from "./filenames.ts";
import type { Fs } from "./fs.ts";
import type { GenerationTenant, HeadGeneration } from "./head-generation.ts";
import { headSelect } from "./head-schema.ts";
import { FORMAT_VERSION, TABLE_NAMES, type TableName, tables } from "./schema.ts";

// DuckDB adds a bloom filter to every column chunk that has a dictionary, which span and trace ids have while fewer
// than a fifth of a row group's rows differ; beyond that the scan of one column serves. With a dictionary in any case
// (DICTIONARY_SIZE_LIMIT) a million rows did not fit into 160 MB of memory, where they do without.
const COPY_OPTIONS = "FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, ROW_GROUP_SIZE 122880";

export interface BlockWriterOptions {
  readonly database: Duckdb;
  readonly fs: Fs;
  readonly clock: Clock;
  readonly paths: DataPaths;
}

/**
 * Writes one tenant's part of a generation as a block: Parquet files into a temporary directory, made durable, then
 * `meta.json`, then one rename, which is the commit. The generation must be published and no longer change.
 *
 * @param segments - Log segments that the block replaces.
 */
export async function writeBlock(
  options: BlockWriterOptions,
  generation: HeadGeneration,
  tenant: GenerationTenant,
  segments: readonly string[],
): Promise<BlockMeta> {
  const { fs, clock, paths } = options;
  const id = createBlockId(clock.nowUnixMillis());
  const temporary = join(paths.building, id);
  const relative = blockPath(tenant.name, RAW_LEVEL, tenant.minUnixNanos, id);
  const target = join(paths.blocks, relative);
  try {
    await fs.makeDirectory(join(temporary, "symdb"));
    const rows = await writeTables(options.database, temporary, generation, tenant);
    const meta: BlockMeta = {
      version: FORMAT_VERSION,
      id,
      tenant: tenant.name,
      level: RAW_LEVEL,
      createdUnixMillis: clock.nowUnixMillis(),
      minUnixNanos: tenant.minUnixNanos,
      maxUnixNanos: tenant.maxUnixNanos,
      rows,
      types: [...tenant.types].sort(),
      services: [...tenant.services].sort(),
      segments,
      blocks: [],
      files: await fs.adopt(
        temporary,
        TABLE_NAMES.map((table) => tables[table].file),
      ),
    };
    await fs.writeFile(join(temporary, META_FILE), Buffer.from(formatBlockMeta(meta)));
    await fs.syncDirectory(temporary);
    await fs.makeDirectory(join(target, ".."));
    await fs.rename(temporary, target);
    await fs.syncDirectory(join(target, ".."));
    return meta;
  } catch (error) {
    // Also where it was going: a rename that may not last is no commit, and the next attempt writes it all again.
    await Promise.allSettled([fs.remove(temporary), fs.remove(target)]);
    throw error;
  }
}

async function writeTables(
  database: Duckdb,
  directory: string,
  generation: HeadGeneration,
  tenant: GenerationTenant,
): Promise<Readonly<Record<TableName, number>>> {
  const rows: Record<TableName, number> = { samples: 0, totals: 0, series: 0, stacks: 0, frames: 0 };
  for (const table of TABLE_NAMES) {
    const sql = selectInOrder(table, generation, tenant);
    const path = quoteSql(join(directory, tables[table].file));
    const result = await database.select(`COPY (${sql}) TO ${path} (${COPY_OPTIONS})`);
    rows[table] = Number(result.bigints("Count")[0] ?? 0n);
  }
  return rows;
}

function selectInOrder(table: TableName, generation: HeadGeneration, tenant: GenerationTenant): string {
  const { prefix, totalCount } = generation;
  if (table === "samples") return selectSamplesInOrder(prefix, tenant.number);
  const select = headSelect(table, { prefix, tenants: [tenant.number], totalCount });
  return `SELECT * FROM (${select}) ORDER BY ${tables[table].order.map((name) => `"${name}"`).join(", ")}`;
}

/** Samples are sorted by the rank of their profile, an integer: four times faster than by type and service. */
function selectSamplesInOrder(prefix: string, tenant: number): string {
  return `WITH ranks AS (
  SELECT *, row_number() OVER (ORDER BY type, service, series, time, profile) AS rank
  FROM head.${prefix}_totals WHERE tenant = ${tenant}
)
SELECT type, service, series, time, profile, stack, value, nullif(s.span_id, 0) AS span_id,
  nullif(s.trace_id, '00000000-0000-0000-0000-000000000000'::UUID) AS trace_id
FROM head.${prefix}_samples s JOIN ranks USING (total_row)
ORDER BY rank, stack`;
}
