import { quoteSql } from "./duckdb.ts";
import { type HeadSelection, headSelect } from "./head-schema.ts";
import { type TableName, tables } from "./schema.ts";

/** A file of a block, with the profiles in it that do not count. */
export interface BlockFile {
  readonly path: string;
  /** A query with the column `profile`; undefined: all rows count. */
  readonly repeats: string | undefined;
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
  const selects = heads.map((head) => `SELECT ${names} FROM (${headSelect(table, head)})`);
  const whole = files.filter(({ repeats }) => repeats === undefined || !hasProfiles(table));
  if (whole.length > 0) {
    selects.push(
      `SELECT ${names} FROM read_parquet([${whole.map(({ path }) => quoteSql(path)).join(", ")}])`,
    );
  }
  for (const file of files) {
    if (whole.includes(file)) continue;
    selects.push(
      `SELECT ${names} FROM read_parquet(${quoteSql(file.path)}) AS rows ANTI JOIN (${file.repeats}) AS repeats USING (profile)`,
    );
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
