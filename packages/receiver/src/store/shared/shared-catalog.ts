import type { Clock } from "../../clock.ts";
import { Block } from "../block.ts";
import { rolledUpBlocks } from "../block-cover.ts";
import { type BlockMeta, parseBlockMeta } from "../block-meta.ts";
import type { Catalog, Lease } from "../catalog.ts";
import type { BlockPlace } from "../commit-block.ts";
import { discardBlock } from "../discard-block.ts";
import type { Duckdb } from "../duckdb.ts";
import { findDamage } from "../find-damage.ts";
import { groupBy } from "../group-by.ts";
import type { TableName } from "../schema.ts";
import { verifyAll } from "../take-snapshot.ts";
import { type BlockRow, encodeText, insertBlock, parseBlockRow } from "./block-row.ts";
import type { Postgres, PostgresRow, PostgresSession } from "./postgres.ts";
import { Repeats } from "./repeats.ts";
import type { SharedBucket } from "./shared-bucket.ts";
import { DELETION_COLUMNS, type SharedDeletions } from "./shared-deletions.ts";
import { idsOf, lostLease, SharedLease, tenantsOf, tokenOf } from "./shared-lease.ts";

export interface SharedCatalogOptions extends BlockPlace {
  readonly postgres: Postgres;
  /** Of this process alone. */
  readonly database: Duckdb;
  readonly bucket: SharedBucket;
  readonly deletions: SharedDeletions;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

const LEASE_MS = 60_000;
const COLUMNS = "id, meta, segment, segment_offset, damage";

/**
 * The catalog in PostgreSQL, which all processes of a deployment share: its rows are the truth. What this process knows
 * of it is as of its last look, which each query makes first.
 */
export class SharedCatalog implements Catalog {
  readonly #options: SharedCatalogOptions;
  readonly #repeats: Repeats;
  /** By tenant, in order of {@link BlockMeta.maxUnixNanos}. */
  readonly #byTenant = new Map<string, readonly Block[]>();
  readonly #damaged = new Map<string, readonly BlockMeta[]>();
  /** Raw blocks that are compared with those around them, with the label of what does not count in them. */
  readonly #counted = new Map<Block, string | undefined>();
  /** Looks come one after the other: an older one must not undo what a newer one saw. */
  #looking: Promise<unknown> = Promise.resolve();
  #counting: Promise<unknown> = Promise.resolve();
  /** How often services were hidden. */
  #hiddenVersion = 0;

  private constructor(options: SharedCatalogOptions, repeats: Repeats) {
    this.#options = options;
    this.#repeats = repeats;
  }

  static async create(options: SharedCatalogOptions): Promise<SharedCatalog> {
    const hiddenIn = (block: Block): readonly string[] => options.deletions.hiddenIn(block);
    return new SharedCatalog(options, await Repeats.create(options.database, hiddenIn));
  }

  /** Blocks that cannot be read. */
  get quarantined(): readonly BlockMeta[] {
    return [...this.#damaged.values()].flat();
  }

  async refresh(range?: { readonly tenants: readonly string[] }): Promise<void> {
    const look = this.#looking.then(() => this.#look(range?.tenants));
    this.#looking = look.catch(() => undefined);
    await look;
  }

  overlapping(tenant: string, fromUnixNanos: bigint, untilUnixNanos: bigint): readonly Block[] {
    return this.blocksOf(tenant)
      .filter((block) => block.overlaps(fromUnixNanos, untilUnixNanos))
      .toReversed();
  }

  blocksOf(tenant: string): readonly Block[] {
    return this.#byTenant.get(tenant) ?? [];
  }

  tenants(): readonly string[] {
    return [...this.#byTenant.keys()];
  }

  blocks(): readonly Block[] {
    return [...this.#byTenant.values()].flat();
  }

  has(block: Block): boolean {
    return this.blocksOf(block.meta.tenant).includes(block);
  }

  repeatsOf(block: Block): string | undefined {
    const label = this.#counted.get(block);
    return label === undefined ? undefined : this.#repeats.select(label);
  }

  uncounted(blocks: readonly Block[]): readonly Block[] {
    return blocks.filter((block) => block.meta.level === "raw" && !this.#counted.has(block));
  }

  async countRepeats(blocks: readonly Block[]): Promise<void> {
    if (blocks.length === 0) return;
    const count = this.#counting.then(() => this.#count(blocks));
    this.#counting = count.catch(() => undefined);
    await count;
  }

  async lease(blocks: readonly Block[]): Promise<Lease | undefined> {
    const { postgres, clock, log } = this.#options;
    const ids = blocks.map(({ meta }) => meta.id);
    // All or none; nobody waits for who is faster.
    const rows = await postgres.query(
      `WITH mine AS (
  SELECT id FROM pyroscope_blocks
  WHERE id = ANY($1) AND deleted_at IS NULL AND damage IS NULL AND (lease_until IS NULL OR lease_until < now())
  FOR UPDATE SKIP LOCKED
), token AS (SELECT nextval('pyroscope_lease_tokens') AS token)
UPDATE pyroscope_blocks SET lease_token = token.token, lease_until = now() + $2 * interval '1 millisecond'
FROM token WHERE id IN (SELECT id FROM mine) AND (SELECT count(*) FROM mine) = $3
RETURNING lease_token`,
      [ids, LEASE_MS, ids.length],
    );
    if (rows.length === 0) return undefined;
    const token = String(rows[0]!.lease_token);
    const renew = (): void => {
      timer = clock.setTimer(renew, LEASE_MS / 3);
      postgres
        .query(
          `UPDATE pyroscope_blocks SET lease_until = now() + $2 * interval '1 millisecond'
 WHERE lease_token = $1 AND deleted_at IS NULL`,
          [token, LEASE_MS],
        )
        .catch((error: unknown) => log(`lease ${token} is not renewed: ${String(error)}`));
    };
    let timer = clock.setTimer(renew, LEASE_MS / 3);
    const findRepeats = (): Promise<ReadonlyMap<Block, string>> => this.#repeatsAmong(blocks);
    const lease = new SharedLease(token, blocks, this.#repeats, findRepeats, async () => {
      timer.cancel();
      // Where it cannot be given back, it ends by itself.
      await postgres
        .query(
          "UPDATE pyroscope_blocks SET lease_until = NULL WHERE lease_token = $1 AND deleted_at IS NULL",
          [token],
        )
        .catch(() => undefined);
    });
    try {
      // Who had them before may have rolled them up since the last look.
      await this.refresh({ tenants: tenantsOf(lease) });
      return lease;
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  async add(meta: BlockMeta): Promise<void> {
    await this.addAll([{ meta, place: undefined }]);
  }

  /** Adds blocks that are whole in the bucket, in one step. */
  async addAll(rows: readonly BlockRow[]): Promise<void> {
    await this.#options.postgres.transaction(async (session) => {
      for (const row of rows) await insertBlock(session, row);
    });
  }

  async replace(lease: Lease, metas: readonly BlockMeta[]): Promise<void> {
    await this.#commit(
      lease,
      metas,
      "UPDATE pyroscope_blocks SET deleted_at = now() WHERE id = ANY($1) AND lease_token = $2 AND deleted_at IS NULL RETURNING id",
    );
  }

  async derive(lease: Lease, meta: BlockMeta): Promise<void> {
    await this.#commit(
      lease,
      [meta],
      "SELECT id FROM pyroscope_blocks WHERE id = ANY($1) AND lease_token = $2 AND deleted_at IS NULL FOR UPDATE",
    );
  }

  /** @param sql - Returns a row for each block of a lease that is held. */
  async #commit(lease: Lease, metas: readonly BlockMeta[], sql: string): Promise<void> {
    const { postgres, bucket, log } = this.#options;
    let isLost = false;
    try {
      await postgres.transaction(async (session) => {
        const held = await session.query(sql, [idsOf(lease), tokenOf(lease)]);
        isLost = held.length !== lease.blocks.length;
        if (isLost) throw lostLease(lease, held);
        for (const meta of metas) await insertBlock(session, { meta, place: undefined });
      });
    } catch (error) {
      // Otherwise the answer may be lost and the blocks be committed.
      if (isLost) {
        for (const meta of metas)
          await bucket
            .withdraw(meta)
            .catch((reason: unknown) => log(`block ${meta.id} is of no use and stays: ${String(reason)}`));
      }
      throw error;
    }
    await this.refresh({ tenants: tenantsOf(lease) });
  }

  /** Takes a block out that cannot be read; its objects go as those of other blocks. */
  async removeDamaged(id: string): Promise<void> {
    await this.#options.postgres.query(
      "UPDATE pyroscope_blocks SET deleted_at = now() WHERE id = $1 AND damage IS NOT NULL AND deleted_at IS NULL",
      [id],
    );
  }

  async remove(block: Block): Promise<void> {
    await this.#options.postgres.query(
      "UPDATE pyroscope_blocks SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL",
      [block.meta.id],
    );
    this.#drop(block.meta.tenant, new Set([block]));
  }

  async verify(block: Block, wanted: readonly TableName[]): Promise<boolean> {
    const damage = await findDamage(this.#options, block, wanted);
    if (damage === undefined) return true;
    // What was merged meanwhile is gone by right.
    await this.refresh({ tenants: [block.meta.tenant] });
    if (!this.has(block)) return false;
    this.#options.log(`block ${block.meta.id} is damaged and left out: ${damage}`);
    await this.#options.postgres.query("UPDATE pyroscope_blocks SET damage = $2 WHERE id = $1", [
      block.meta.id,
      damage,
    ]);
    await this.refresh({ tenants: [block.meta.tenant] });
    return false;
  }

  async #look(tenants: readonly string[] | undefined): Promise<void> {
    const { postgres } = this.#options;
    const isWanted = tenants === undefined ? "" : "AND tenant = ANY($1)";
    const values = tenants === undefined ? [] : [tenants.map(encodeText)];
    const alive = await postgres.query(
      `SELECT id, damage IS NOT NULL AS is_damaged, ${DELETION_COLUMNS} FROM pyroscope_blocks WHERE deleted_at IS NULL ${isWanted}`,
      values,
    );
    const looked = tenants ?? [...new Set([...this.#byTenant.keys(), ...this.#damaged.keys()])];
    const known = new Map(
      looked.flatMap((tenant) => this.blocksOf(tenant)).map((block) => [block.meta.id, block]),
    );
    const present = new Set(
      alive.filter(({ is_damaged }) => is_damaged !== true).map(({ id }) => String(id)),
    );
    const unknown = alive.filter(({ id, is_damaged }) => is_damaged === true || !known.has(String(id)));
    const rows = await this.#load(
      postgres,
      unknown.map(({ id }) => String(id)),
    );
    const damaged: BlockMeta[] = [];
    const blocks: Block[] = [];
    for (const row of rows) {
      if (row.damage !== null) damaged.push(parseBlockMeta(String(row.meta), String(row.id)));
      else blocks.push(await this.#open(row));
    }
    // No await from here: a query that begins meanwhile must not find blocks gone and what they were merged into not there.
    for (const tenant of looked) {
      this.#damaged.delete(tenant);
      const gone = this.blocksOf(tenant).filter(({ meta }) => !present.has(meta.id));
      if (gone.length > 0) this.#drop(tenant, new Set(gone));
    }
    this.#learnDeletions(alive, known);
    for (const [tenant, metas] of groupBy(damaged, ({ tenant }) => tenant)) this.#damaged.set(tenant, metas);
    for (const [tenant, more] of groupBy(blocks, ({ meta }) => meta.tenant)) this.#put(tenant, more);
  }

  #learnDeletions(alive: readonly PostgresRow[], known: ReadonlyMap<string, Block>): void {
    const { deletions } = this.#options;
    const changed = alive.filter((row) => row.is_damaged !== true && deletions.learn(row));
    if (changed.length > 0) this.#hiddenVersion++;
    for (const { id } of changed) {
      const block = known.get(String(id));
      if (block !== undefined) this.#uncount(block);
    }
  }

  async #load(session: PostgresSession, ids: readonly string[]): Promise<readonly PostgresRow[]> {
    if (ids.length === 0) return [];
    // Those that were deleted since the look are as they were then.
    return await session.query(`SELECT ${COLUMNS} FROM pyroscope_blocks WHERE id = ANY($1)`, [ids]);
  }

  async #open(row: PostgresRow): Promise<Block> {
    const { meta, place } = parseBlockRow(row);
    const { bucket, paths } = this.#options;
    if (place !== undefined) bucket.place(meta.id, place);
    const block = new Block(meta, paths.blocks);
    await bucket.note(block);
    return block;
  }

  #put(tenant: string, more: readonly Block[]): void {
    const blocks = [...this.blocksOf(tenant), ...more];
    this.#byTenant.set(
      tenant,
      blocks.sort((left, right) => Number(left.meta.maxUnixNanos - right.meta.maxUnixNanos)),
    );
  }

  /**
   * Profiles of leased blocks that are in others of them, or in blocks that were rolled up before: roll-ups have those
   * already, and such a block stays as it is. No other block is looked at: another process may count a profile in the
   * block that this one would leave it to.
   */
  async #repeatsAmong(leased: readonly Block[]): Promise<ReadonlyMap<Block, string>> {
    const fresh = leased.filter(({ meta }) => meta.level === "raw");
    const rolledUp = tenantsOf({ blocks: leased }).flatMap((tenant) => [
      ...rolledUpBlocks(this.blocksOf(tenant)),
    ]);
    const before = rolledUp.filter((block) => block.meta.level === "raw" && fresh.some(overlapping(block)));
    for (const block of before) block.retain();
    try {
      await verifyAll(this, before, ["totals"]);
      const readable = before.filter((block) => block.isVerified(["totals"]));
      return await this.#repeats.find(new Map(readable.map((block) => [block, undefined])), fresh);
    } finally {
      for (const block of before) block.release();
    }
  }

  /** Takes blocks out of answers that begin now, and their files from here once nobody reads them. */
  #drop(tenant: string, gone: ReadonlySet<Block>): void {
    const left = this.blocksOf(tenant).filter((block) => !gone.has(block));
    if (left.length === 0) this.#byTenant.delete(tenant);
    else this.#byTenant.set(tenant, left);
    for (const block of gone) {
      this.#uncount(block);
      this.#options.deletions.forget(block.meta.id);
      void block
        .unused()
        .then(() => discardBlock(this.#options, block.path))
        .catch((error: unknown) =>
          this.#options.log(`cached block ${block.meta.id} stays: ${String(error)}`),
        );
    }
  }

  /** What did not count because a block had it: maybe it must count now. */
  #uncount(block: Block): void {
    const label = this.#counted.get(block);
    this.#counted.delete(block);
    for (const [other, label] of this.#counted) {
      if (label !== undefined && other.overlaps(block.meta.minUnixNanos, block.meta.maxUnixNanos)) {
        this.#counted.delete(other);
        this.#forget(other, label);
      }
    }
    if (label !== undefined) this.#forget(block, label);
  }

  #forget(block: Block, label: string): void {
    // A query that holds the block reads it still.
    void block
      .unused()
      .then(() => this.#repeats.forget([label]))
      .catch(() => undefined);
  }

  async #count(wanted: readonly Block[]): Promise<void> {
    for (const [tenant, blocks] of groupBy(this.uncounted(wanted), ({ meta }) => meta.tenant)) {
      const fresh = blocks.filter((block) => this.has(block));
      const counted = new Map(
        this.blocksOf(tenant)
          .filter((block) => this.#counted.has(block) && fresh.some(overlapping(block)))
          .map((block) => [block, this.#counted.get(block)] as const),
      );
      const all = [...counted.keys(), ...fresh];
      const version = this.#hiddenVersion;
      for (const block of all) block.retain();
      try {
        await verifyAll(this, all, ["totals"]);
        const readable = (block: Block): boolean => block.isVerified(["totals"]);
        const good = fresh.filter(readable);
        const labels = await this.#repeats.find(
          new Map([...counted].filter(([block]) => readable(block))),
          good,
        );
        // One that went meanwhile, or of which less counts, may be what another was compared with: those are compared again.
        const isSame = version === this.#hiddenVersion && all.every((block) => this.has(block));
        if (isSame) for (const block of good) this.#counted.set(block, labels.get(block));
      } finally {
        for (const block of all) block.release();
      }
    }
  }
}

function overlapping(block: Block): (other: Block) => boolean {
  return ({ meta }) => block.overlaps(meta.minUnixNanos, meta.maxUnixNanos);
}
