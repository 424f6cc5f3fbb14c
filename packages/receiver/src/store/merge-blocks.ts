import { ReceiverError } from "../errors.ts";
import {
  copySymbols,
  createEnums,
  describeProfiles,
  fromInputs,
  fromWritten,
  type InputFiles,
} from "./block-content.ts";
import type { BlockContent } from "./commit-block.ts";
import type { ServiceRange } from "./compaction-plan.ts";
import { copyTable, orderOf } from "./copy-table.ts";
import type { Duckdb } from "./duckdb.ts";
import type { TableName } from "./schema.ts";

/** A service with its rows of samples and totals. */
export interface ServiceRows {
  readonly service: string;
  readonly rowCount: number;
}

/** What of the rows is kept. */
export interface MergeOptions {
  /** Ids of spans and traces; false: they become NULL. */
  readonly keepsSpans: boolean;
}

/** Merges blocks by SQL: ids are hashes, so that it is a union of tables and what is the same is equal. */
export class BlockMerger {
  readonly #database: Duckdb;
  readonly #inputs: InputFiles;
  readonly #signal: AbortSignal;
  readonly #options: MergeOptions;
  #hasEnums = false;

  /** @param database - Of this merger alone: it makes types in it. */
  constructor(
    database: Duckdb,
    inputs: InputFiles,
    signal: AbortSignal,
    options: MergeOptions = { keepsSpans: true },
  ) {
    this.#database = database;
    this.#inputs = inputs;
    this.#signal = signal;
    this.#options = options;
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
    if (!this.#hasEnums) await createEnums(this.#database, this.#inputs);
    this.#hasEnums = true;
    const parameters = [range.first, range.last];
    const copy = (table: TableName, select: string): Promise<number> =>
      copyTable(this.#database, directory, table, select, { parameters, signal: this.#signal });
    const filtered = (table: TableName): string =>
      `SELECT * FROM ${this.#from(table)} WHERE service BETWEEN ? AND ?`;

    const totals = await copy("totals", `${filtered("totals")} ORDER BY ${orderOf("totals")}`);
    const samples = await copy(
      "samples",
      samplesInOrder(filtered("samples"), fromWritten(directory, "totals"), this.#options),
    );
    const series = await copy(
      "series",
      `SELECT DISTINCT * FROM (${filtered("series")}) ORDER BY ${orderOf("series")}`,
    );
    const from = { stacks: this.#from("stacks"), frames: this.#from("frames") };
    const symbols = await copySymbols(this.#database, directory, from, this.#signal);
    await this.#checkSums(directory, filtered("samples"), parameters);
    return {
      rows: { samples, totals, series, ...symbols },
      ...(await describeProfiles(this.#database, directory)),
    };
  }

  async #checkSums(directory: string, source: string, parameters: readonly string[]): Promise<void> {
    const sums = `count(*)::VARCHAR || ' rows, sum ' || coalesce(sum(value), 0)::VARCHAR AS sums`;
    const before = await this.#database.select(`SELECT ${sums} FROM (${source})`, parameters, this.#signal);
    const after = await this.#database.select(
      `SELECT ${sums} FROM ${fromWritten(directory, "samples")}`,
      [],
      this.#signal,
    );
    const [expected, found] = [before.texts("sums")[0], after.texts("sums")[0]];
    if (expected === found) return;
    throw new ReceiverError(`merge blocks: samples have ${found} after it, ${expected} before`, {
      code: "INTERNAL",
    });
  }

  #from(table: TableName): string {
    return fromInputs(this.#inputs, table);
  }
}

/**
 * Samples in the order of their profiles, whose totals are written already: sorted by two integers instead of by texts.
 * The texts come back after the sort.
 */
function samplesInOrder(samples: string, totals: string, { keepsSpans }: MergeOptions): string {
  const ids = keepsSpans
    ? "samples.span_id, samples.trace_id"
    : "NULL::UBIGINT AS span_id, NULL::UUID AS trace_id";
  const ranked = totals.replace(/\)$/, ", file_row_number = true)");
  return `SELECT type::VARCHAR AS type, service::VARCHAR AS service, series, time, profile, stack, value, span_id, trace_id
FROM (
  SELECT ranks.*, samples.stack, samples.value, ${ids}
  FROM (${samples}) AS samples JOIN (
    SELECT type::types AS type, service::services AS service, series, time, profile, file_row_number AS rank FROM ${ranked}
  ) AS ranks ON samples.profile = ranks.profile AND samples.type = ranks.type::VARCHAR
  ORDER BY rank, stack
)`;
}
