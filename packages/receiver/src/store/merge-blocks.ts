import { join } from "node:path";
import { ReceiverError } from "../errors.ts";
import type { BlockContent } from "./commit-block.ts";
import type { ServiceRange } from "./compaction-plan.ts";
import { copyTable, orderOf } from "./copy-table.ts";
import { type Duckdb, quoteSql } from "./duckdb.ts";
import { type TableName, tables } from "./schema.ts";
import { type BlockFile, unionSql } from "./snapshot-sql.ts";

/** Files of the blocks that are merged. Profiles that repeat those of other blocks are told apart there already. */
export type MergeInputs = Readonly<Record<TableName, readonly BlockFile[]>>;

/** A service with its rows of samples and totals. */
export interface ServiceRows {
  readonly service: string;
  readonly rowCount: number;
}

/** Merges blocks by SQL: ids are hashes, so that it is a union of tables and what is the same is equal. */
export class BlockMerger {
  readonly #database: Duckdb;
  readonly #inputs: MergeInputs;
  readonly #signal: AbortSignal;
  #hasEnums = false;

  /** @param database - Of this merger alone: it makes types in it. */
  constructor(database: Duckdb, inputs: MergeInputs, signal: AbortSignal) {
    this.#database = database;
    this.#inputs = inputs;
    this.#signal = signal;
  }

  /** Services that have profiles, in order. */
  async services(): Promise<readonly ServiceRows[]> {
    const rows = await this.#database.select(
      `SELECT service, sum(samples + 1)::BIGINT AS row_count FROM ${this.#from("totals")} GROUP BY service ORDER BY service`,
      [],
      this.#signal,
    );
    const counts = rows.bigints("row_count");
    return rows.texts("service").map((service, i) => ({ service, rowCount: Number(counts[i]) }));
  }

  /**
   * Writes the rows of some services as the tables of a block.
   *
   * @throws {@link ReceiverError} INTERNAL when what was written is not what was there.
   */
  async write(directory: string, range: ServiceRange): Promise<BlockContent> {
    if (!this.#hasEnums) await this.#makeEnums();
    this.#hasEnums = true;
    const parameters = [range.first, range.last];
    const options = { parameters, signal: this.#signal };
    const copy = (table: TableName, select: string, isFiltered = true): Promise<number> =>
      copyTable(this.#database, directory, table, select, isFiltered ? options : { signal: this.#signal });
    const filtered = (table: TableName): string =>
      `SELECT * FROM ${this.#from(table)} WHERE service BETWEEN ? AND ?`;

    const totals = await copy("totals", `${filtered("totals")} ORDER BY ${orderOf("totals")}`);
    const samples = await copy("samples", samplesInOrder(filtered("samples"), fileIn(directory, "totals")));
    const series = await copy(
      "series",
      `SELECT DISTINCT * FROM (${filtered("series")}) ORDER BY ${orderOf("series")}`,
    );
    const stacks = await copy("stacks", this.#stacksOf(fileIn(directory, "samples")), false);
    const frames = await copy("frames", this.#framesOf(fileIn(directory, "stacks")), false);
    await this.#checkSums(directory, filtered("samples"), parameters);
    return { rows: { samples, totals, series, stacks, frames }, ...(await this.#describe(directory)) };
  }

  /** Types and services as numbers in their order: rows of samples are half as large while they are sorted. */
  async #makeEnums(): Promise<void> {
    for (const column of ["type", "service"]) {
      await this.#database.run(
        `CREATE TYPE ${column}s AS ENUM (SELECT DISTINCT ${column} FROM ${this.#from("totals")} ORDER BY ${column})`,
      );
    }
  }

  #stacksOf(samples: string): string {
    return `SELECT DISTINCT stack, frames FROM ${this.#from("stacks")}
 SEMI JOIN (SELECT DISTINCT stack FROM ${samples}) USING (stack) ORDER BY ${orderOf("stacks")}`;
  }

  #framesOf(stacks: string): string {
    return `SELECT DISTINCT * FROM ${this.#from("frames")}
 SEMI JOIN (SELECT DISTINCT unnest(frames) AS frame FROM ${stacks}) USING (frame) ORDER BY ${orderOf("frames")}`;
  }

  async #checkSums(directory: string, source: string, parameters: readonly string[]): Promise<void> {
    const sums = `count(*)::VARCHAR || ' rows, sum ' || coalesce(sum(value), 0)::VARCHAR AS sums`;
    const before = await this.#database.select(`SELECT ${sums} FROM (${source})`, parameters, this.#signal);
    const after = await this.#database.select(
      `SELECT ${sums} FROM ${fileIn(directory, "samples")}`,
      [],
      this.#signal,
    );
    const [expected, found] = [before.texts("sums")[0], after.texts("sums")[0]];
    if (expected === found) return;
    throw new ReceiverError(`merge blocks: samples have ${found} after it, ${expected} before`, {
      code: "INTERNAL",
    });
  }

  async #describe(directory: string): Promise<Omit<BlockContent, "rows">> {
    const totals = fileIn(directory, "totals");
    const times = await this.#database.select(`SELECT min(time) AS first, max(time) AS last FROM ${totals}`);
    const distinct = async (column: string): Promise<readonly string[]> => {
      const rows = await this.#database.select(`SELECT DISTINCT ${column} AS name FROM ${totals}`);
      return rows.texts("name").toSorted();
    };
    return {
      minUnixNanos: times.bigints("first")[0]!,
      maxUnixNanos: times.bigints("last")[0]!,
      types: await distinct("type"),
      services: await distinct("service"),
    };
  }

  #from(table: TableName): string {
    return unionSql(table, { heads: [], files: this.#inputs[table] });
  }
}

function fileIn(directory: string, table: TableName): string {
  return `read_parquet(${quoteSql(join(directory, tables[table].file))})`;
}

/**
 * Samples in the order of their profiles, whose totals are written already: sorted by two integers instead of by texts.
 * The texts come back after the sort.
 */
function samplesInOrder(samples: string, totals: string): string {
  const ranked = totals.replace(/\)$/, ", file_row_number = true)");
  return `SELECT type::VARCHAR AS type, service::VARCHAR AS service, series, time, profile, stack, value, span_id, trace_id
FROM (
  SELECT ranks.*, samples.stack, samples.value, samples.span_id, samples.trace_id
  FROM (${samples}) AS samples JOIN (
    SELECT type::types AS type, service::services AS service, series, time, profile, file_row_number AS rank FROM ${ranked}
  ) AS ranks ON samples.profile = ranks.profile AND samples.type = ranks.type::VARCHAR
  ORDER BY rank, stack
)`;
}
