import type { MillisRange } from "./block-cover.ts";
import { notInServices } from "./deletions.ts";
import { quoteSql } from "./duckdb.ts";
import { groupBy } from "./group-by.ts";
import { type HeadSelection, headSelect } from "./head-schema.ts";
import { type TableName, tables } from "./schema.ts";

/** A file of a block, with the profiles in it that do not count. */
export interface BlockFile {
  readonly path: string;
  /** A query with the column `profile`; undefined: all rows count. */
  readonly repeats: string | undefined;
  /** Times of the rows that count, in Unix milliseconds; undefined: all. */
  readonly ranges?: readonly MillisRange[] | undefined;
  /** Services whose rows do not count. */
  readonly hiddenServices?: readonly string[];
}

/** What a query reads of one table. */
export interface TableParts {
  readonly heads: readonly HeadSelection[];
  readonly files: readonly BlockFile[];
}

/** Ids and columns by which the parts of these tables hold the same rows. */
const keys: Readonly<Record<"series" | "stacks" | "frames", readonly string[]>> = {
  series: ["type", "series"],
  stacks: ["stack"],
  frames: ["frame"],
};

/** A FROM term with all rows of all parts. */
export function unionSql(table: TableName, { heads, files }: TableParts): string {
  const names = columnNames(table);
  const selects = heads.map(
    (head) => `SELECT ${names} FROM (${headSelect(table, head)})${whereOf(table, head)}`,
  );
  // Files that are read alike are one term: a list of hundreds costs less than as many terms.
  const alike = groupBy(files, (file) => joinOf(table, file) + whereOf(table, file));
  for (const [condition, group] of alike) {
    const paths = group.map(({ path }) => quoteSql(path)).join(", ");
    selects.push(`SELECT ${names} FROM read_parquet([${paths}])${condition}`);
  }
  return selects.length === 0 ? emptySql(table) : `(${selects.join(" UNION ALL ")})`;
}

/** A FROM term with each row of series, stacks or frames once. */
export function distinctSql(table: "series" | "stacks" | "frames", parts: TableParts): string {
  const key = keys[table];
  const columns = tables[table].columns.map(({ name }) =>
    key.includes(name) ? `"${name}"` : `any_value("${name}") AS "${name}"`,
  );
  const rows = unionSql(table, parts);
  const partCount = parts.files.length + parts.heads.reduce((sum, head) => sum + head.tenants.length, 0);
  return partCount < 2 ? rows : `(SELECT ${columns.join(", ")} FROM ${rows} GROUP BY ${key.join(", ")})`;
}

/** Leaves profiles out that another block has. */
function joinOf(table: TableName, { repeats }: BlockFile): string {
  if (repeats === undefined || !hasProfiles(table)) return "";
  return ` AS rows ANTI JOIN (${repeats}) AS repeats USING (profile)`;
}

/** Leaves rows out by time and service, in the tables that have these. */
function whereOf(
  table: TableName,
  { ranges, hiddenServices = [] }: Pick<BlockFile, "ranges" | "hiddenServices">,
): string {
  const conditions: string[] = [];
  if (ranges !== undefined && hasProfiles(table)) {
    const times = ranges.map(({ from, until }) => {
      const [first, last] = [BigInt(from) * 1_000_000n, BigInt(until) * 1_000_000n + 999_999n];
      return `time BETWEEN make_timestamp_ns(${first}) AND make_timestamp_ns(${last})`;
    });
    conditions.push(`(${times.join(" OR ")})`);
  }
  if (hiddenServices.length > 0 && (hasProfiles(table) || table === "series")) {
    conditions.push(notInServices(hiddenServices));
  }
  return conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
}

function hasProfiles(table: TableName): boolean {
  return table === "samples" || table === "totals";
}

function columnNames(table: TableName): string {
  return tables[table].columns.map(({ name }) => `"${name}"`).join(", ");
}

function emptySql(table: TableName): string {
  const columns = tables[table].columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS "${name}"`);
  return `(SELECT ${columns.join(", ")} WHERE false)`;
}
