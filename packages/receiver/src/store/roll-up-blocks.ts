import { labelSetFromRecord } from "@pyroscope-ts/protocol";
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
import { copyTable, orderOf } from "./copy-table.ts";
import type { Duckdb } from "./duckdb.ts";
import { hashLabels } from "./hash-profile.ts";
import { isServiceLevel, type Level, levelMillis } from "./level.ts";
import { otherSql } from "./other-stack.ts";
import type { TableName } from "./schema.ts";

/** What a roll-up keeps of a profile with very many stacks. */
export interface RollUpLimits {
  /** Stacks of one profile of a roll-up above which light ones become `other`; 0: never. */
  readonly maxNodes: number;
}

// Of a profile's weight, what is kept by name whatever the limit of nodes.
const KEPT_PERCENT = 99;

// One profile of a roll-up: a series and an interval.
const KEY = "type, service, series, time";

/**
 * Sums blocks up to one profile for each series, or each service, and interval.
 *
 * An interval is `(t - length, t]` and its profile has the time t, both in whole milliseconds: so a bucket of a time
 * series, which is open at the same end, is a whole number of intervals. Rolling up a roll-up of the same level merges
 * it: what came late for an interval is added to it.
 */
export class BlockRoller {
  readonly #database: Duckdb;
  readonly #inputs: InputFiles;
  readonly #level: Level;
  readonly #limits: RollUpLimits;
  readonly #signal: AbortSignal;

  /** @param database - Of this roll-up alone: it makes types and tables in it. */
  constructor(database: Duckdb, inputs: InputFiles, level: Level, limits: RollUpLimits, signal: AbortSignal) {
    this.#database = database;
    this.#inputs = inputs;
    this.#level = level;
    this.#limits = limits;
    this.#signal = signal;
  }

  /**
   * Writes the tables of a block.
   *
   * @throws {@link ReceiverError} INTERNAL when what was written does not sum up to what was there. A sum that leaves
   * int64 is an error of DuckDB: the blocks stay as they are, and so do the answers.
   */
  async write(directory: string): Promise<BlockContent> {
    await createEnums(this.#database, this.#inputs);
    await this.#nameSeries();
    await this.#sumSamples();
    const isCut = await this.#cutSamples();
    const copy = (table: TableName, select: string): Promise<number> =>
      copyTable(this.#database, directory, table, select, { signal: this.#signal });
    const totals = await copy("totals", this.#totals());
    const samples = await copy("samples", samplesInOrder(fromWritten(directory, "totals")));
    const series = await copy(
      "series",
      `SELECT DISTINCT type::VARCHAR AS type, service::VARCHAR AS service, series, labels FROM names ORDER BY ${orderOf("series")}`,
    );
    const from = { stacks: this.#symbols("stacks", isCut), frames: this.#symbols("frames", isCut) };
    const symbols = await copySymbols(this.#database, directory, from, this.#signal);
    await this.#checkSums(directory);
    return {
      rows: { samples, totals, series, ...symbols },
      ...(await describeProfiles(this.#database, directory)),
    };
  }

  /** Makes the table `names`: what each series of the inputs is called in the block. */
  async #nameSeries(): Promise<void> {
    await this.#database.run(
      `CREATE TABLE names AS SELECT DISTINCT type::types AS type, service::services AS service,
 series AS member, series, labels FROM ${fromInputs(this.#inputs, "series")}`,
    );
    if (!isServiceLevel(this.#level)) return;
    const rows = await this.#database.select(
      `SELECT DISTINCT type::VARCHAR AS type, service::VARCHAR AS service,
 coalesce(map_extract_value(labels, '__name__'), '') AS name FROM names`,
    );
    const [types, services, names] = [rows.texts("type"), rows.texts("service"), rows.texts("name")];
    await this.#database.run(
      `CREATE TABLE of_services (type types, service services, series UBIGINT, labels MAP(VARCHAR, VARCHAR))`,
    );
    for (const [row, type] of types.entries()) {
      const labels = { __name__: names[row]!, service_name: services[row]! };
      await this.#database.run(
        `INSERT INTO of_services VALUES (?, ?, ${hashLabels(labelSetFromRecord(labels))}, MAP {'__name__': ?, 'service_name': ?})`,
        [type, services[row]!, labels.__name__, labels.service_name],
      );
    }
    await this.#database.run(
      `UPDATE names SET series = of_services.series, labels = of_services.labels FROM of_services
 WHERE names.type = of_services.type AND names.service = of_services.service`,
    );
  }

  /** Makes the table `sums`: the value of each stack in each interval. */
  async #sumSamples(): Promise<void> {
    await this.#database.run(
      `CREATE TABLE sums AS
 SELECT names.type, names.service, names.series, ${this.#interval("samples.time")} AS time, stack, sum(value)::BIGINT AS "value"
 FROM ${fromInputs(this.#inputs, "samples")} AS samples
 JOIN names ON samples.series = names.member AND samples.type::types = names.type GROUP BY ALL`,
      [],
      this.#signal,
    );
  }

  /**
   * Replaces the light stacks of profiles that have more than the limit by one, `other`. Those that make up 99 % of the
   * weight stay, however many they are. Returns whether there were any.
   */
  async #cutSamples(): Promise<boolean> {
    const { maxNodes } = this.#limits;
    if (maxNodes === 0) return false;
    await this.#database.run(
      `CREATE TABLE light AS
 WITH large AS (SELECT ${KEY} FROM sums GROUP BY ALL HAVING count(*) > ${maxNodes}),
 ranked AS (
  SELECT ${KEY}, stack, abs("value"::HUGEINT) AS weight, row_number() OVER heaviest AS place,
   sum(abs("value"::HUGEINT)) OVER (heaviest ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS reached,
   sum(abs("value"::HUGEINT)) OVER (PARTITION BY ${KEY}) AS whole
  FROM sums SEMI JOIN large USING (${KEY})
  WINDOW heaviest AS (PARTITION BY ${KEY} ORDER BY abs("value"::HUGEINT) DESC, stack)
 )
 SELECT ${KEY}, stack FROM ranked WHERE place >= ${maxNodes} AND (reached - weight) * 100 >= whole * ${KEPT_PERCENT}`,
      [],
      this.#signal,
    );
    const light = await this.#database.select("SELECT count(*) AS n FROM light");
    if (light.bigints("n")[0] === 0n) return false;
    await this.#database.run(
      `CREATE TABLE kept AS
 SELECT * FROM sums ANTI JOIN light USING (${KEY}, stack)
 UNION ALL SELECT ${KEY}, ${otherSql.stack} AS stack, sum("value")::BIGINT AS "value"
 FROM sums SEMI JOIN light USING (${KEY}, stack) GROUP BY ALL`,
    );
    // A stack that is called so already, of a finer level, is the same one.
    await this.#database.run(
      `CREATE OR REPLACE TABLE sums AS SELECT ${KEY}, stack, sum("value")::BIGINT AS "value" FROM kept GROUP BY ALL`,
    );
    return true;
  }

  #totals(): string {
    return `SELECT type::VARCHAR AS type, service::VARCHAR AS service, series, time,
 (left(md5(concat_ws('/', '${this.#level}', type, series)), 16)
  || left(md5(concat_ws('/', '${this.#level}', epoch_ns(time))), 16))::UUID AS profile,
 total, coalesce(samples, 0)::INTEGER AS samples, profiles, duration, period
FROM (
 SELECT names.type, names.service, names.series, ${this.#interval("totals.time")} AS time, sum(total)::BIGINT AS total,
  sum(profiles)::INTEGER AS profiles, sum(duration)::BIGINT AS duration, max(period) AS period
 FROM ${fromInputs(this.#inputs, "totals")} AS totals
 JOIN names ON totals.series = names.member AND totals.type::types = names.type GROUP BY ALL
) LEFT JOIN (SELECT ${KEY}, count(*) AS samples FROM sums GROUP BY ALL) USING (${KEY})
ORDER BY ${orderOf("totals")}`;
  }

  #symbols(table: "stacks" | "frames", hasOther: boolean): string {
    const from = fromInputs(this.#inputs, table);
    return hasOther ? `(SELECT * FROM ${from} UNION ALL ${otherSql[table]})` : from;
  }

  /** SQL of the end of the interval that a time lies in. */
  #interval(time: string): string {
    const length = levelMillis[this.#level];
    return `make_timestamp_ns((epoch_ns(${time}) // 1000000 + ${length - 1}) // ${length} * ${length} * 1000000)`;
  }

  async #checkSums(directory: string): Promise<void> {
    const sumOf = async (table: "samples" | "totals", from: string): Promise<string> => {
      const column = table === "samples" ? `"value"` : "total";
      const rows = await this.#database.select(
        `SELECT coalesce(string_agg(type || ' ' || sum, ', ' ORDER BY type), '') AS sums
 FROM (SELECT type, sum(${column})::VARCHAR AS sum FROM ${from} GROUP BY type)`,
        [],
        this.#signal,
      );
      return rows.texts("sums")[0]!;
    };
    for (const table of ["samples", "totals"] as const) {
      const expected = await sumOf(table, fromInputs(this.#inputs, table));
      const found = await sumOf(table, fromWritten(directory, table));
      if (expected !== found) {
        throw new ReceiverError(`roll up blocks: ${table} have ${found} after it, ${expected} before`, {
          code: "INTERNAL",
        });
      }
    }
  }
}

function samplesInOrder(totals: string): string {
  const ranked = totals.replace(/\)$/, ", file_row_number = true)");
  return `SELECT type::VARCHAR AS type, service::VARCHAR AS service, series, time, profile, stack, "value",
 NULL::UBIGINT AS span_id, NULL::UUID AS trace_id
FROM (
 SELECT sums.*, ranks.profile, ranks.rank FROM sums JOIN (
  SELECT type::types AS type, series, time, profile, file_row_number AS rank FROM ${ranked}
 ) AS ranks USING (type, series, time)
 ORDER BY rank, stack
)`;
}
