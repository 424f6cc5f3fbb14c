import { countSpanRows } from "./block-content.ts";
import type { BlockMeta } from "./block-meta.ts";
import { type BlockOrigin, type BlockPlace, commitBlock } from "./commit-block.ts";
import { copyTable, orderOf } from "./copy-table.ts";
import type { Duckdb } from "./duckdb.ts";
import type { GenerationTenant, HeadGeneration } from "./head-generation.ts";
import { headSelect } from "./head-schema.ts";
import { TABLE_NAMES, type TableName } from "./schema.ts";

export interface BlockWriterOptions extends BlockPlace {
  readonly database: Duckdb;
}

/**
 * Writes one tenant's part of a generation as a block. The generation must be published and no longer change.
 *
 * @param segments - Log segments that the block replaces.
 */
export async function writeBlock(
  options: BlockWriterOptions,
  generation: HeadGeneration,
  tenant: GenerationTenant,
  segments: readonly string[],
): Promise<BlockMeta> {
  const origin: BlockOrigin = {
    tenant: tenant.name,
    level: "raw",
    mergeCount: 0,
    segments,
    blocks: [],
    rolledUp: [],
  };
  return await commitBlock(options, origin, async (directory) => ({
    minUnixNanos: tenant.minUnixNanos,
    maxUnixNanos: tenant.maxUnixNanos,
    rows: await writeTables(options.database, directory, generation, tenant),
    spanRows: await countSpanRows(options.database, directory),
    types: [...tenant.types].sort(),
    services: [...tenant.services].sort(),
  }));
}

async function writeTables(
  database: Duckdb,
  directory: string,
  generation: HeadGeneration,
  tenant: GenerationTenant,
): Promise<Readonly<Record<TableName, number>>> {
  const rows: Record<TableName, number> = { samples: 0, totals: 0, series: 0, stacks: 0, frames: 0 };
  for (const table of TABLE_NAMES) {
    if (table === "samples") rows.samples = await writeSamples(database, directory, generation, tenant);
    else rows[table] = await copyTable(database, directory, table, selectInOrder(table, generation, tenant));
  }
  return rows;
}

/**
 * Stacks go as they came: to sort their lists of frames takes half of the time that they take, and merging, some minutes later,
 * does it.
 */
function selectInOrder(
  table: Exclude<TableName, "samples">,
  { prefix, totalCount }: HeadGeneration,
  tenant: GenerationTenant,
): string {
  const select = headSelect(table, { prefix, tenants: [tenant.number], totalCount });
  return table === "stacks" ? select : `SELECT * FROM (${select}) ORDER BY ${orderOf(table)}`;
}

/** Types and services go through the sort as numbers of an ENUM; in the file they are texts all the same. */
async function writeSamples(
  database: Duckdb,
  directory: string,
  { prefix }: HeadGeneration,
  tenant: GenerationTenant,
): Promise<number> {
  const texts = ["type", "service"] as const;
  const enumOf = (text: (typeof texts)[number]): string => `head.${prefix}_t${tenant.number}_${text}`;
  try {
    for (const text of texts) {
      const values = `SELECT DISTINCT ${text} FROM head.${prefix}_totals WHERE tenant = ${tenant.number}`;
      await database.run(`CREATE TYPE ${enumOf(text)} AS ENUM (${values})`);
    }
    const select = selectSamplesInOrder(prefix, tenant, enumOf);
    return await copyTable(database, directory, "samples", select);
  } finally {
    for (const text of texts) await database.run(`DROP TYPE IF EXISTS ${enumOf(text)}`);
  }
}

/**
 * Samples are sorted by the rank of their profile, an integer: four times faster than by type and service. To carry
 * these two as integers halves what is left. The order by stack within a profile, a quarter of the rest, comes with merging.
 */
function selectSamplesInOrder(
  prefix: string,
  { number: tenant, hasSpans }: GenerationTenant,
  enumOf: (text: "type" | "service") => string,
): string {
  // Where nobody sends ids, columns of them are not carried through the sort.
  const ids = hasSpans
    ? "nullif(s.span_id, 0) AS span_id, nullif(s.trace_id, '00000000-0000-0000-0000-000000000000'::UUID) AS trace_id"
    : "NULL::UBIGINT AS span_id, NULL::UUID AS trace_id";
  return `WITH ranks AS (
  SELECT * REPLACE (type::${enumOf("type")} AS type, service::${enumOf("service")} AS service),
    (row_number() OVER (ORDER BY type, service, series, time, profile))::INTEGER AS rank
  FROM head.${prefix}_totals WHERE tenant = ${tenant}
)
SELECT type, service, series, time, profile, stack, value, ${ids}
FROM head.${prefix}_samples s JOIN ranks USING (total_row)
ORDER BY rank`;
}
