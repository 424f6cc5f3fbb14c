import type { Block } from "./block.ts";
import type { BlockMeta } from "./block-meta.ts";
import type { TableName } from "./schema.ts";

/** Blocks that nobody else merges, rolls up or deletes until {@link Lease.release}, or until they are replaced. */
export interface Lease {
  readonly blocks: readonly Block[];
  /**
   * SQL of the profiles of one of the blocks that must not count again in what is made of them, as a query with the column
   * `profile`; undefined where there are none. Their totals must be verified.
   */
  repeatsOf(block: Block): Promise<string | undefined>;
  /** Lets others have what is left of the blocks. */
  release(): Promise<void>;
}

/**
 * Which blocks exist. Answers come from memory; {@link Catalog.refresh} makes that memory equal to what is true, where
 * others can change it.
 */
export interface Catalog {
  /** Learns of everything that was committed before the call: of some tenants and times, or of all. */
  refresh(range?: CatalogRange): Promise<void>;
  /** Blocks of a tenant that can hold profiles of these times, both inclusive; the newest first. */
  overlapping(tenant: string, fromUnixNanos: bigint, untilUnixNanos: bigint): readonly Block[];
  /** All blocks of a tenant, in the order of their newest profiles. */
  blocksOf(tenant: string): readonly Block[];
  /** Tenants that have had blocks. */
  tenants(): readonly string[];
  /** All blocks of all tenants. */
  blocks(): readonly Block[];
  /** Whether a block is part of answers. */
  has(block: Block): boolean;
  /**
   * SQL of the profiles of a block that another block holds too and that must not count again, as a query with the
   * column `profile`; undefined where there are none.
   */
  repeatsOf(block: Block): string | undefined;
  /** Blocks of which {@link Catalog.repeatsOf} does not know yet: {@link Catalog.countRepeats} finds it out. */
  uncounted(blocks: readonly Block[]): readonly Block[];
  /** Finds out which profiles of blocks, whose totals must be verified, are in others, too. */
  countRepeats(blocks: readonly Block[]): Promise<void>;
  /**
   * Takes blocks for a merge or a deletion. What is known of their tenants then is as of that moment or later.
   *
   * @returns undefined when someone else has one of them, or when one of them is gone.
   */
  lease(blocks: readonly Block[]): Promise<Lease | undefined>;
  /** Adds a block that was committed just now. */
  add(meta: BlockMeta): Promise<void>;
  /**
   * Lets blocks that were committed just now take the place of others, in one step for queries.
   *
   * @throws `ReceiverError` UNAVAILABLE when the lease was lost: nothing has changed.
   */
  replace(lease: Lease, metas: readonly BlockMeta[]): Promise<void>;
  /**
   * Adds a block that was made of others, which stay.
   *
   * @throws `ReceiverError` UNAVAILABLE when the lease was lost: nothing has changed.
   */
  derive(lease: Lease, meta: BlockMeta): Promise<void>;
  /** Takes a block out; its files stay. Queries that hold it go on. */
  remove(block: Block): Promise<void>;
  /** Checks the wanted files of a block; sets the block aside when they are damaged. Returns whether they are good. */
  verify(block: Block, wanted: readonly TableName[]): Promise<boolean>;
}

/** What of the catalog a query needs. */
interface CatalogRange {
  readonly tenants: readonly string[];
  /** Both inclusive. */
  readonly fromUnixNanos: bigint;
  readonly untilUnixNanos: bigint;
}
