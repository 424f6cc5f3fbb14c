import type { AppendType } from "./chunk-appender.ts";

/** Tables of the head in the DuckDB schema `head`, one set of them for each generation. */
export const HEAD_TABLES = ["samples", "totals", "series", "stacks", "frames"] as const;
export type HeadTable = (typeof HEAD_TABLES)[number];

/**
 * Columns of the head's tables. They differ from the block's where that saves memory or work per row: a sample names
 * its row of `totals` instead of repeating it, a span id that is absent is 0, labels are two lists, and `tenant` is
 * a number of the generation.
 */
export const headColumns: Readonly<
  Record<HeadTable, readonly (readonly [name: string, type: AppendType])[]>
> = {
  samples: [
    ["total_row", "INTEGER"],
    ["stack", "UBIGINT"],
    ["value", "BIGINT"],
    ["span_id", "UBIGINT"],
    ["trace_id", "UUID"],
  ],
  totals: [
    ["total_row", "INTEGER"],
    ["tenant", "INTEGER"],
    ["type", "VARCHAR"],
    ["service", "VARCHAR"],
    ["series", "UBIGINT"],
    ["time", "TIMESTAMP_NS"],
    ["profile", "UUID"],
    ["total", "BIGINT"],
    ["samples", "INTEGER"],
    ["duration", "BIGINT"],
    ["period", "BIGINT"],
  ],
  series: [
    ["tenant", "INTEGER"],
    ["type", "VARCHAR"],
    ["service", "VARCHAR"],
    ["series", "UBIGINT"],
    ["label_names", "VARCHAR[]"],
    ["label_values", "VARCHAR[]"],
  ],
  stacks: [
    ["tenant", "INTEGER"],
    ["stack", "UBIGINT"],
    ["frames", "UBIGINT[]"],
  ],
  frames: [
    ["tenant", "INTEGER"],
    ["frame", "UBIGINT"],
    ["function", "VARCHAR"],
    ["system_name", "VARCHAR"],
    ["file", "VARCHAR"],
    ["start_line", "BIGINT"],
    ["line", "BIGINT"],
    ["inlined", "BOOLEAN"],
    ["mapping", "VARCHAR"],
    ["build_id", "VARCHAR"],
    ["address", "UBIGINT"],
  ],
};

/**
 * Rows that gather before they go into a table. Of samples as many as a row group of DuckDB: it takes over whole row
 * groups as they are, which is a third of the work of copying them.
 */
export const headBufferRows: Readonly<Record<HeadTable, number>> = {
  samples: 122_880,
  totals: 2048,
  series: 2048,
  stacks: 8192,
  frames: 2048,
};

/** SQL that makes one table of a generation. */
export function createHeadTableSql(prefix: string, table: HeadTable): string {
  const columns = headColumns[table].map(([name, type]) => `${name} ${type}`).join(", ");
  return `CREATE TABLE head.${prefix}_${table} (${columns})`;
}

/** Which rows of a generation a query sees. */
export interface HeadSelection {
  /** What the generation's tables are called: `<prefix>_samples`. */
  readonly prefix: string;
  /** Numbers of tenants in the generation. */
  readonly tenants: readonly number[];
  /** Rows of totals below this one, with their samples: what was there when the query began. */
  readonly totalCount: number;
  /** Services whose rows do not count. */
  readonly hiddenServices?: readonly string[];
}

const NO_TRACE = "'00000000-0000-0000-0000-000000000000'::UUID";

/** A SELECT with the columns of `schema.ts` over one generation. */
export function headSelect(table: HeadTable, { prefix, tenants, totalCount }: HeadSelection): string {
  const tenantFilter = `tenant IN (${tenants.join(", ")})`;
  const from = `head.${prefix}_${table}`;
  switch (table) {
    case "samples":
      return `SELECT t.type, t.service, t.series, t.time, t.profile, s.stack, s.value,
 nullif(s.span_id, 0) AS span_id, nullif(s.trace_id, ${NO_TRACE}) AS trace_id
 FROM ${from} s JOIN head.${prefix}_totals t USING (total_row)
 WHERE t.${tenantFilter} AND t.total_row < ${totalCount}`;
    case "totals":
      return `SELECT type, service, series, time, profile, total, samples, 1 AS profiles, duration, period
 FROM ${from} WHERE ${tenantFilter} AND total_row < ${totalCount}`;
    case "series":
      return `SELECT type, service, series, map(label_names, label_values) AS labels FROM ${from} WHERE ${tenantFilter}`;
    case "stacks":
      return `SELECT stack, frames FROM ${from} WHERE ${tenantFilter}`;
    case "frames":
      return `SELECT frame, "function", system_name, file, start_line, line, inlined, mapping, build_id, address
 FROM ${from} WHERE ${tenantFilter}`;
  }
}
