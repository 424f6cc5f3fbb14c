import type { ProfileIdentity } from "./admission.ts";
import type { Block } from "./block.ts";
import type { Catalog } from "./catalog.ts";
import type { Deletions } from "./deletions.ts";
import type { Duckdb } from "./duckdb.ts";
import { IdentitySet, parseIdentity } from "./identity-set.ts";
import { unionSql } from "./snapshot-sql.ts";

// Identities of blocks that are kept in memory: 32 to 64 bytes each. Pushes are about now, so the newest blocks serve
// nearly all of them; a backfill reads the blocks of its time in turn.
const MAX_CACHED_IDENTITIES = 1_000_000;

/**
 * Which profiles the blocks hold already. A profile's time is part of its identity, so that only blocks around that
 * time can hold it.
 */
export class KnownIdentities {
  readonly #database: Duckdb;
  readonly #catalog: Catalog;
  readonly #deletions: Pick<Deletions, "hiddenIn">;
  /** By block id, the one used last at the end. */
  readonly #cache = new Map<string, Promise<IdentitySet>>();
  #cachedCount = 0;

  constructor(database: Duckdb, catalog: Catalog, deletions: Pick<Deletions, "hiddenIn">) {
    this.#database = database;
    this.#catalog = catalog;
    this.#deletions = deletions;
  }

  /** Whether a block of the tenant holds the profile. */
  async has(tenant: string, timeUnixNanos: bigint, identity: ProfileIdentity): Promise<boolean> {
    const found = this.#catalog.overlapping(tenant, timeUnixNanos, timeUnixNanos);
    const blocks = found.filter(({ meta }) => meta.level === "raw");
    // All of them at once: one that is merged into another while its predecessor is read must still be there.
    for (const block of blocks) block.retain();
    try {
      for (const block of blocks) {
        const identities = await this.#identitiesOf(block);
        if (identities.has(identity)) return true;
      }
      return false;
    } finally {
      for (const block of blocks) block.release();
    }
  }

  /** Takes over the identities of a block that was written just now. */
  add(blockId: string, identities: IdentitySet): void {
    this.#cache.set(blockId, Promise.resolve(identities));
    this.#cachedCount += identities.size;
    this.#evict();
  }

  /** Lets go of what is known about blocks that are gone. */
  forget(blockIds: readonly string[]): void {
    for (const id of blockIds) this.#drop(id);
  }

  async #identitiesOf(block: Block): Promise<IdentitySet> {
    const cached = this.#cache.get(block.meta.id);
    if (cached !== undefined) {
      this.#cache.delete(block.meta.id);
      this.#cache.set(block.meta.id, cached);
      return await cached;
    }
    const loading = this.#load(block);
    this.#cache.set(block.meta.id, loading);
    try {
      const identities = await loading;
      this.#cachedCount += identities.size;
      this.#evict();
      return identities;
    } catch (error) {
      this.#cache.delete(block.meta.id);
      throw error;
    }
  }

  async #load(block: Block): Promise<IdentitySet> {
    const identities = new IdentitySet();
    // A damaged block is set aside by this; what it held counts as never seen.
    if (!(await this.#catalog.verify(block, ["totals"]))) return identities;
    // What was deleted may come again, and counts then.
    const file = {
      ...{ path: block.file("totals"), repeats: undefined },
      hiddenServices: this.#deletions.hiddenIn(block),
    };
    const from = unionSql("totals", { heads: [], files: [file] });
    const rows = await this.#database.select(`SELECT DISTINCT profile FROM ${from}`);
    for (const uuid of rows.texts("profile")) identities.add(parseIdentity(uuid));
    return identities;
  }

  #evict(): void {
    for (const id of this.#cache.keys()) {
      if (this.#cachedCount <= MAX_CACHED_IDENTITIES || this.#cache.size === 1) return;
      this.#drop(id);
    }
  }

  #drop(id: string): void {
    const loading = this.#cache.get(id);
    this.#cache.delete(id);
    // A load that fails was never counted.
    void loading?.then(
      ({ size }) => {
        this.#cachedCount -= size;
      },
      () => undefined,
    );
  }
}
