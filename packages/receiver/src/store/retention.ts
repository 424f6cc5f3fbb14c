import type { Block } from "./block.ts";
import type { Catalog } from "./catalog.ts";
import type { BlockPlace } from "./commit-block.ts";
import { discardBlock } from "./discard-block.ts";

/** What one sweep of retention did. */
export interface RetentionReport {
  readonly deletedBlockCount: number;
  /** Blocks past their time that wait for the next sweep to confirm them: too many at once. */
  readonly heldBlockCount: number;
}

export interface RetentionOptions extends BlockPlace {
  readonly catalog: Catalog;
  /** Age of the newest profile after which a block goes; 0: never. */
  readonly retentionMillis: number;
  readonly log: (line: string) => void;
}

// Share of all blocks that one sweep may delete without a second one that agrees.
const MAX_UNCONFIRMED_RATIO = 0.1;
const NANOS_PER_MILLI = 1_000_000n;

/**
 * Which blocks may go: those whose newest profile is older than the retention.
 *
 * A clock that jumps forward makes everything look old. So a sweep that would delete more than a tenth of all blocks
 * only remembers them; the next one deletes what is past its time still.
 */
export class Retention {
  readonly #options: RetentionOptions;
  /** Ids that the last sweep held back. */
  #held: ReadonlySet<string> = new Set();

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** @param tenants - Retention of tenants that have their own. */
  async sweep(tenants: ReadonlyMap<string, number> = new Map()): Promise<RetentionReport> {
    const { clock, catalog, retentionMillis } = this.#options;
    await catalog.refresh();
    const blocks = catalog.blocks();
    const now = clock.nowUnixMillis();
    const expired = blocks.filter(({ meta }) => {
      const retention = tenants.get(meta.tenant) ?? retentionMillis;
      return retention > 0 && meta.maxUnixNanos < BigInt(Math.trunc(now - retention)) * NANOS_PER_MILLI;
    });
    const isMany = expired.length > blocks.length * MAX_UNCONFIRMED_RATIO;
    const confirmed = isMany ? expired.filter(({ meta }) => this.#held.has(meta.id)) : expired;
    const held = expired.filter((block) => !confirmed.includes(block));
    this.#held = new Set(held.map(({ meta }) => meta.id));
    for (const block of confirmed) await this.#delete(block);
    return { deletedBlockCount: confirmed.length, heldBlockCount: held.length };
  }

  async #delete(block: Block): Promise<void> {
    const { catalog, log } = this.#options;
    await catalog.remove(block);
    // Queries that hold the block read on; its files go after the last of them.
    void block
      .unused()
      .then(() => discardBlock(this.#options, block.path))
      .catch((error: unknown) =>
        log(`block ${block.meta.id} is past its retention and stays: ${String(error)}`),
      );
  }
}
