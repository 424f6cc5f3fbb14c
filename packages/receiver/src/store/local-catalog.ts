import { join } from "node:path";
import { ReceiverError } from "../errors.ts";
import { Block } from "./block.ts";
import { type BlockMeta, parseBlockMeta } from "./block-meta.ts";
import type { Catalog, Lease } from "./catalog.ts";
import type { BlockPlace } from "./commit-block.ts";
import { discardBlock } from "./discard-block.ts";
import { type Duckdb, quoteSql } from "./duckdb.ts";
import { META_FILE } from "./filenames.ts";
import { findDamage } from "./find-damage.ts";
import { listBlockPaths, type Quarantine } from "./quarantine.ts";
import { TABLE_NAMES, type TableName } from "./schema.ts";
import { type BlockFile, unionSql } from "./snapshot-sql.ts";

// The number rises when a table changes; tables of another number are dropped and made again from the directories.
const BLOCKS_TABLE = "blocks_2";
const REPEATS_TABLE = "repeats_1";

export interface LocalCatalogOptions extends BlockPlace {
  readonly database: Duckdb;
  readonly quarantine: Quarantine;
  readonly log: (line: string) => void;
}

/**
 * The catalog of a data directory of one process. The directories are the truth; the database file keeps which blocks
 * were seen before, and the profiles of theirs that do not count. It holds no name of a service: what is deleted must be
 * in no file.
 */
export class LocalCatalog implements Catalog {
  readonly #options: LocalCatalogOptions;
  /** In order of {@link BlockMeta.maxUnixNanos}: nearly every question is about the newest. */
  readonly #byTenant = new Map<string, Block[]>();
  /** Ids of blocks that hold profiles which an older block holds too. */
  readonly #repeating = new Set<string>();

  constructor(options: LocalCatalogOptions) {
    this.#options = options;
  }

  /** Nobody else changes the directory. */
  async refresh(): Promise<void> {}

  overlapping(tenant: string, fromUnixNanos: bigint, untilUnixNanos: bigint): readonly Block[] {
    const blocks = this.#byTenant.get(tenant) ?? [];
    const found: Block[] = [];
    for (let i = blocks.length - 1; i >= 0 && blocks[i]!.meta.maxUnixNanos >= fromUnixNanos; i--) {
      if (blocks[i]!.overlaps(fromUnixNanos, untilUnixNanos)) found.push(blocks[i]!);
    }
    return found;
  }

  blocksOf(tenant: string): readonly Block[] {
    return this.#byTenant.get(tenant) ?? [];
  }

  tenants(): readonly string[] {
    return [...this.#byTenant.keys()];
  }

  has(block: Block): boolean {
    return this.blocksOf(block.meta.tenant).includes(block);
  }

  blocks(): readonly Block[] {
    return [...this.#byTenant.values()].flat();
  }

  /** Whether a tenant's part of a log segment is in a block. */
  hasSegment(tenant: string, segment: string): boolean {
    return this.blocksOf(tenant).some((block) => block.meta.segments.includes(segment));
  }

  repeatsOf(block: Block): string | undefined {
    if (!this.#repeating.has(block.meta.id)) return undefined;
    return `SELECT profile FROM ${REPEATS_TABLE} WHERE block = ${quoteSql(block.meta.id)}`;
  }

  /**
   * Makes the catalog equal to the directories.
   *
   * @throws {@link ReceiverError} STORAGE_FORMAT when a block is of a newer format: nothing is touched then.
   */
  async open(): Promise<void> {
    const { database } = this.#options;
    await database.run(`CREATE TABLE IF NOT EXISTS ${BLOCKS_TABLE} (path VARCHAR PRIMARY KEY)`);
    await database.run(`CREATE TABLE IF NOT EXISTS ${REPEATS_TABLE} (block VARCHAR, profile UUID)`);
    const noted = await this.#loadRows();
    const found: Block[] = [];
    for (const path of await listBlockPaths(this.#options.fs, this.#options.paths.blocks)) {
      const block = await this.#openBlock(path);
      if (block !== undefined) found.push(block);
    }
    const alive = await this.#removeDead(found);
    for (const block of alive) {
      this.#put(block);
      await this.#options.bucket?.note(block);
    }
    const paths = new Set(alive.map((block) => block.path));
    for (const path of noted) if (!paths.has(path)) await this.#deleteRow(path);
    await this.#loadRepeating();
    await this.#adoptAll(alive, noted);
  }

  async lease(blocks: readonly Block[]): Promise<Lease | undefined> {
    if (!blocks.every((block) => this.has(block))) return undefined;
    return {
      blocks,
      repeatsOf: async (block) => this.repeatsOf(block),
      release: async () => undefined,
    };
  }

  /** Repeats are found when a block is opened that this store did not write. */
  uncounted(): readonly Block[] {
    return [];
  }

  async countRepeats(): Promise<void> {}

  async add(meta: BlockMeta): Promise<void> {
    const block = new Block(meta, this.#options.paths.blocks, TABLE_NAMES);
    this.#put(block);
    try {
      await this.#options.bucket?.note(block);
      await this.#insertRow(block);
    } catch (error) {
      // It is a cache: the next start finds the block by its directory.
      this.#options.log(`catalog: block ${meta.id} is not noted: ${String(error)}`);
    }
  }

  async replace({ blocks }: Lease, metas: readonly BlockMeta[]): Promise<void> {
    const removed = blocks.map((block) => this.remove(block));
    const added = metas.map((meta) => this.add(meta));
    await Promise.all([...removed, ...added]);
  }

  async derive(_lease: Lease, meta: BlockMeta): Promise<void> {
    await this.add(meta);
  }

  async remove(block: Block): Promise<void> {
    const blocks = this.#byTenant.get(block.meta.tenant) ?? [];
    const index = blocks.indexOf(block);
    if (index !== -1) blocks.splice(index, 1);
    await this.#deleteRow(block.path).catch((error: unknown) => {
      this.#options.log(`catalog: block ${block.meta.id} is still noted: ${String(error)}`);
    });
  }

  async verify(block: Block, wanted: readonly TableName[]): Promise<boolean> {
    const damage = await findDamage(this.#options, block, wanted);
    if (damage === undefined) return true;
    // Two queries may have found the same damage.
    if (this.has(block)) {
      await this.remove(block);
      await this.#options.quarantine.addBlock(block.path, block.meta, damage);
    }
    return false;
  }

  #put(block: Block): void {
    const blocks = this.#byTenant.get(block.meta.tenant) ?? [];
    let at = blocks.length;
    while (at > 0 && blocks[at - 1]!.meta.maxUnixNanos > block.meta.maxUnixNanos) at--;
    blocks.splice(at, 0, block);
    this.#byTenant.set(block.meta.tenant, blocks);
  }

  async #loadRows(): Promise<ReadonlySet<string>> {
    const rows = await this.#options.database.select(`SELECT path FROM ${BLOCKS_TABLE}`);
    return new Set(rows.texts("path"));
  }

  async #openBlock(path: string): Promise<Block | undefined> {
    const { fs, paths, quarantine } = this.#options;
    try {
      const text = await fs.readFile(join(paths.blocks, path, META_FILE));
      const block = new Block(parseBlockMeta(text.toString("utf8"), path), paths.blocks);
      if (block.path === path) return block;
      await quarantine.addBlock(path, undefined, `${META_FILE} says that it is ${block.path}`);
    } catch (error) {
      if (error instanceof ReceiverError && error.code === "STORAGE_FORMAT") throw error;
      await quarantine.addBlock(path, undefined, String(error));
    }
    return undefined;
  }

  /** Deletes blocks that a committed block replaces: the crash came between its commit and their deletion. */
  async #removeDead(found: readonly Block[]): Promise<readonly Block[]> {
    const replaced = new Set(found.flatMap(({ meta }) => meta.blocks.map((id) => `${meta.tenant}/${id}`)));
    const isDead = ({ meta }: Block): boolean => replaced.has(`${meta.tenant}/${meta.id}`);
    for (const block of found.filter(isDead)) {
      await discardBlock(this.#options, block.path);
    }
    return found.filter((block) => !isDead(block));
  }

  /**
   * Notes blocks that this store did not see being written. Each profile of theirs that is counted in a block which is
   * noted already must not count again; the oldest come first, and so each profile counts once, whatever was copied.
   */
  async #adoptAll(alive: readonly Block[], paths: ReadonlySet<string>): Promise<void> {
    const noted = new Set(alive.filter(({ path }) => paths.has(path)));
    const unseen = alive.filter((block) => !noted.has(block));
    for (const block of unseen.toSorted((left, right) => (left.meta.id < right.meta.id ? -1 : 1))) {
      if (await this.#adopt(block, noted)) noted.add(block);
    }
  }

  async #adopt(block: Block, noted: ReadonlySet<Block>): Promise<boolean> {
    const { meta } = block;
    // A roll-up names the blocks that it was made of instead: its profiles are its own.
    const others = this.overlapping(meta.tenant, meta.minUnixNanos, meta.maxUnixNanos).filter(
      (other) => noted.has(other) && other.meta.level === "raw" && meta.level === "raw",
    );
    for (const one of [block, ...others]) one.retain();
    try {
      if (!(await this.verify(block, ["totals"]))) return false;
      await this.#noteRepeats(block, others);
    } finally {
      for (const one of [block, ...others]) one.release();
    }
    await this.#insertRow(block);
    return true;
  }

  async #noteRepeats(block: Block, others: readonly Block[]): Promise<void> {
    const files: BlockFile[] = [];
    for (const other of others) {
      if (!(await this.verify(other, ["totals"]))) continue;
      files.push({ path: other.file("totals"), repeats: this.repeatsOf(other) });
    }
    if (files.length === 0) return;
    const counted = unionSql("totals", { heads: [], files });
    await this.#options.database.run(
      `INSERT INTO ${REPEATS_TABLE}
 SELECT DISTINCT ${quoteSql(block.meta.id)}, profile FROM read_parquet(${quoteSql(block.file("totals"))}) AS new
 SEMI JOIN ${counted} AS counted USING (profile)`,
    );
    await this.#loadRepeating();
  }

  async #loadRepeating(): Promise<void> {
    const repeats = await this.#options.database.select(`SELECT DISTINCT block FROM ${REPEATS_TABLE}`);
    for (const id of repeats.texts("block")) this.#repeating.add(id);
  }

  async #insertRow(block: Block): Promise<void> {
    await this.#options.database.run(`INSERT OR REPLACE INTO ${BLOCKS_TABLE} VALUES (?)`, [block.path]);
  }

  async #deleteRow(path: string): Promise<void> {
    const id = path.slice(path.lastIndexOf("/") + 1);
    await this.#options.database.run(`DELETE FROM ${BLOCKS_TABLE} WHERE path = ?`, [path]);
    await this.#options.database.run(`DELETE FROM ${REPEATS_TABLE} WHERE block = ?`, [id]);
  }
}
