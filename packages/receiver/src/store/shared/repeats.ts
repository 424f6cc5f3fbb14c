import type { Block } from "../block.ts";
import { notInServices } from "../deletions.ts";
import { type Duckdb, quoteSql } from "../duckdb.ts";
import { groupBy } from "../group-by.ts";

const TABLE = "shared_repeats";

/**
 * Which profiles of blocks are in other blocks, too, and must not count again: a push whose answer was lost comes again,
 * maybe to another process. Each process finds them out by itself; whatever the order, each profile counts once.
 */
export class Repeats {
  readonly #database: Duckdb;
  readonly #hiddenIn: (block: Block) => readonly string[];
  #count = 0;

  private constructor(database: Duckdb, hiddenIn: (block: Block) => readonly string[]) {
    this.#database = database;
    this.#hiddenIn = hiddenIn;
  }

  /** @param hiddenIn - Services whose profiles count nowhere, of a block: they may come again and count then. */
  static async create(database: Duckdb, hiddenIn: (block: Block) => readonly string[]): Promise<Repeats> {
    // What an earlier process found out is of no use: it is found out anew.
    await database.run(`CREATE OR REPLACE TABLE ${TABLE} (label VARCHAR, profile UUID)`);
    return new Repeats(database, hiddenIn);
  }

  /**
   * Compares blocks with each other and with those that are counted, whose labels say what of them does not count.
   * Files of totals of all of them must be there.
   *
   * @returns for each of the new blocks that has any, the label of its profiles that do not count.
   */
  async find(
    counted: ReadonlyMap<Block, string | undefined>,
    fresh: readonly Block[],
  ): Promise<ReadonlyMap<Block, string>> {
    const labels = new Map<Block, string>();
    const all = [...counted.keys(), ...fresh];
    if (all.length < 2 || fresh.length === 0) return labels;
    const run = `r${this.#count++}`;
    const ordered = [
      ...counted.keys(),
      ...fresh.toSorted((left, right) => (left.meta.id < right.meta.id ? -1 : 1)),
    ];
    const ids = `[${ordered.map(({ meta }) => quoteSql(meta.id)).join(", ")}]`;
    const known = [...counted.values()].filter((label) => label !== undefined).map(quoteSql);
    const profiles = `SELECT DISTINCT profile,
 list_position(${ids}, regexp_extract(filename, '([0-9A-Z]{26})/totals.parquet$', 1)) AS place
 FROM (${this.#totalsOf(ordered)})`;
    // What is noted of counted blocks does not count there, so that it may count here.
    const relevant =
      known.length === 0
        ? `(${profiles})`
        : `(SELECT p.* FROM (${profiles}) AS p ANTI JOIN (
 SELECT profile, list_position(${ids}, split_part(label, '#', 2)) AS place FROM ${TABLE} WHERE label IN (${known.join(", ")})
) AS noted USING (profile, place))`;
    await this.#database.run(
      `INSERT INTO ${TABLE} SELECT ${quoteSql(`${run}#`)} || ${ids}[place], profile FROM (
 SELECT profile, place, row_number() OVER (PARTITION BY profile ORDER BY place) AS number FROM ${relevant}
) WHERE number > 1 AND place > ${counted.size}`,
    );
    const found = await this.#database.select(
      `SELECT DISTINCT label FROM ${TABLE} WHERE starts_with(label, ${quoteSql(`${run}#`)})`,
    );
    const present = new Set(found.texts("label"));
    for (const block of fresh) {
      const label = `${run}#${block.meta.id}`;
      if (present.has(label)) labels.set(block, label);
    }
    return labels;
  }

  /** Rows that count, with the path of their file. */
  #totalsOf(blocks: readonly Block[]): string {
    const alike = groupBy(blocks, (block) => {
      const hidden = this.#hiddenIn(block);
      return hidden.length === 0 ? "" : ` WHERE ${notInServices(hidden)}`;
    });
    const selects = [...alike].map(([condition, group]) => {
      const paths = group.map((block) => quoteSql(block.file("totals"))).join(", ");
      return `SELECT profile, filename FROM read_parquet([${paths}], filename = true)${condition}`;
    });
    return selects.join(" UNION ALL ");
  }

  /** A query with the column `profile`. */
  select(label: string): string {
    return `SELECT profile FROM ${TABLE} WHERE label = ${quoteSql(label)}`;
  }

  /** Nobody asks for a label again. */
  async forget(labels: readonly string[]): Promise<void> {
    if (labels.length === 0) return;
    await this.#database.run(`DELETE FROM ${TABLE} WHERE label IN (${labels.map(quoteSql).join(", ")})`);
  }
}
