import type { Block } from "./block.ts";
import { rolledUpBlocks } from "./block-cover.ts";
import { blockBytes } from "./block-meta.ts";
import type { Catalog } from "./catalog.ts";
import type { BlockPlace } from "./commit-block.ts";
import { ROLL_UP_WINDOWS_MS } from "./compaction-plan.ts";
import { discardBlock } from "./discard-block.ts";
import { coarserLevel, LEVELS, type Level, type RollUpLevel } from "./level.ts";
import { type RetentionRule, retentionOf, type TenantRetention } from "./retention-rule.ts";

/** What one sweep of retention did. */
export interface RetentionReport {
  readonly deletedBlockCount: number;
  /** Blocks past their time that wait for the next sweep to confirm them: too many at once. */
  readonly heldBlockCount: number;
  /** Blocks that went because there were too many bytes. */
  readonly overBudgetBlockCount: number;
}

export interface RetentionOptions extends BlockPlace {
  readonly catalog: Catalog;
  readonly rule: RetentionRule;
  /** Bytes of all blocks above which the oldest go; 0: no limit. */
  readonly maxBytes: number;
  /** Levels that blocks are rolled up to. */
  readonly rollUpLevels: readonly RollUpLevel[];
  /** Called with blocks that are out of answers. */
  readonly onRemoved: (blocks: readonly Block[]) => void;
  readonly log: (line: string) => void;
}

// Share of all blocks that one sweep may delete without a second one that agrees.
const MAX_UNCONFIRMED_RATIO = 0.1;
const NANOS_PER_MILLI = 1_000_000n;
const DAY_MS = 86_400_000;

/**
 * Which blocks may go: those whose newest profile is older than the retention, and the oldest where there are more bytes
 * than allowed.
 *
 * A clock that jumps forward makes everything look old. So a sweep that would delete more than a tenth of all blocks
 * only remembers them; the next one deletes what is past its time still. Bytes need no clock. Compaction takes the ids of
 * spans out of blocks, and asks which ones: the same holds for them.
 */
export class Retention {
  readonly #options: RetentionOptions;
  /** Ids of blocks that the last sweep held back: from deletion, and from losing the ids of their spans. */
  #held: ReadonlySet<string> = new Set();
  #heldSpans: ReadonlySet<string> = new Set();
  /** Ids of blocks that are to lose the ids of their spans. */
  #pastSpans: ReadonlySet<string> = new Set();
  #tenants: ReadonlyMap<string, TenantRetention> = new Map();

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** @param tenants - What tenants have that have their own. */
  async sweep(tenants: ReadonlyMap<string, TenantRetention> = new Map()): Promise<RetentionReport> {
    this.#tenants = tenants;
    const { catalog } = this.#options;
    await catalog.refresh();
    const blocks = catalog.blocks();
    const expired = catalog.tenants().flatMap((tenant) => this.#expired(tenant));
    const deleted = confirm(expired, blocks.length, this.#held);
    this.#held = deleted.held;
    for (const block of deleted.confirmed) await this.#delete(block, "is past its retention");
    const left = catalog.blocks();
    const pastSpans = left.filter((block) => this.#isPastSpans(block));
    // Those that were confirmed wait for compaction.
    const forgotten = confirm(pastSpans, left.length, new Set([...this.#heldSpans, ...this.#pastSpans]));
    this.#heldSpans = forgotten.held;
    this.#pastSpans = new Set(forgotten.confirmed.map(({ meta }) => meta.id));
    return {
      deletedBlockCount: deleted.confirmed.length,
      heldBlockCount: deleted.held.size + forgotten.held.size,
      overBudgetBlockCount: await this.enforceBudgets(),
    };
  }

  /** Whether profiles of a tenant, none newer than a time, are older than a level keeps them. */
  isPast(tenant: string, level: Level, maxUnixNanos: bigint): boolean {
    const { rule } = this.#options;
    return this.#isOlder(maxUnixNanos, retentionOf(rule, this.#tenants.get(tenant), level));
  }

  /** Whether a block is to be written again without the ids of spans and traces: a sweep found that it is old enough. */
  forgetsSpans({ meta }: Block): boolean {
    return this.#pastSpans.has(meta.id);
  }

  #isPastSpans({ meta: { tenant, level, spanRows = 1, maxUnixNanos } }: Block): boolean {
    // Roll-ups have none.
    if (level !== "raw" || spanRows === 0) return false;
    return this.#isOlder(
      maxUnixNanos,
      this.#tenants.get(tenant)?.spanMillis ?? this.#options.rule.spanMillis,
    );
  }

  /** Deletes the oldest blocks of whoever has more bytes than allowed. Returns how many. */
  async enforceBudgets(): Promise<number> {
    const { catalog, rule, maxBytes } = this.#options;
    let count = 0;
    for (const tenant of catalog.tenants()) {
      const allowed = this.#tenants.get(tenant)?.maxTenantBytes ?? rule.maxTenantBytes;
      count += await this.#enforce(catalog.blocksOf(tenant), allowed);
    }
    return count + (await this.#enforce(catalog.blocks(), maxBytes));
  }

  async #enforce(blocks: readonly Block[], maxBytes: number): Promise<number> {
    if (maxBytes === 0) return 0;
    let bytes = blocks.reduce((sum, { meta }) => sum + blockBytes(meta), 0);
    let count = 0;
    for (const block of blocks.toSorted(byAge)) {
      if (bytes <= maxBytes) break;
      bytes -= blockBytes(block.meta);
      await this.#delete(block, "is over the budget");
      count++;
    }
    return count;
  }

  #expired(tenant: string): readonly Block[] {
    const own = this.#tenants.get(tenant);
    const blocks = this.#options.catalog.blocksOf(tenant);
    const expired = blocks.filter(({ meta: { level, maxUnixNanos } }) =>
      this.isPast(tenant, level, maxUnixNanos),
    );
    if (expired.length === 0) return expired;
    const rolledUp = rolledUpBlocks(blocks);
    return expired.filter(
      (block) => rolledUp.has(block) || this.#isOlder(block.meta.maxUnixNanos, this.#wait(block, own)),
    );
  }

  #isOlder(maxUnixNanos: bigint, millis: number): boolean {
    const now = this.#options.clock.nowUnixMillis();
    return millis > 0 && maxUnixNanos < BigInt(Math.trunc(now - millis)) * NANOS_PER_MILLI;
  }

  /** How long a block stays for the roll-up that is to be made of it and kept for longer; after that it failed. */
  #wait({ meta: { level } }: Block, own: TenantRetention | undefined): number {
    const { rule, rollUpLevels } = this.#options;
    const retention = retentionOf(rule, own, level);
    const next = coarserLevel(level);
    if (next === undefined || !rollUpLevels.includes(next)) return retention;
    const isKeptLonger = rollUpLevels.slice(rollUpLevels.indexOf(next)).some((coarser) => {
      const millis = retentionOf(rule, own, coarser);
      return millis === 0 || millis > retention;
    });
    return isKeptLonger ? Math.max(retention, ROLL_UP_WINDOWS_MS[next] + DAY_MS) : retention;
  }

  async #delete(block: Block, reason: string): Promise<void> {
    const { catalog, onRemoved, log } = this.#options;
    await catalog.remove(block);
    onRemoved([block]);
    // Queries that hold the block read on; its files go after the last of them.
    void block
      .unused()
      .then(() => discardBlock(this.#options, block.path))
      .catch((error: unknown) => log(`block ${block.meta.id} ${reason} and stays: ${String(error)}`));
  }
}

/** Which blocks may go now, and the ids of those that are too many at once and must be past their time at the next sweep, too. */
function confirm(
  past: readonly Block[],
  blockCount: number,
  heldBefore: ReadonlySet<string>,
): { readonly confirmed: readonly Block[]; readonly held: ReadonlySet<string> } {
  const isMany = past.length > blockCount * MAX_UNCONFIRMED_RATIO;
  const isConfirmed = ({ meta }: Block): boolean => !isMany || heldBefore.has(meta.id);
  const held = past.filter((block) => !isConfirmed(block));
  return { confirmed: past.filter(isConfirmed), held: new Set(held.map(({ meta }) => meta.id)) };
}

/** The oldest first; of the same age the finest level, which the others stand in for. */
function byAge(left: Block, right: Block): number {
  const [older, newer] = [left.meta.maxUnixNanos, right.meta.maxUnixNanos];
  if (older !== newer) return older < newer ? -1 : 1;
  return LEVELS.indexOf(left.meta.level) - LEVELS.indexOf(right.meta.level);
}
