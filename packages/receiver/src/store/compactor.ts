import type { Block } from "./block.ts";
import { rolledUpBlocks } from "./block-cover.ts";
import { type BlockMeta, blockBytes } from "./block-meta.ts";
import type { Lease } from "./catalog.ts";
import { type CompactionJob, type IsPast, planCompaction } from "./compaction-plan.ts";
import type { Deletions } from "./deletions.ts";
import { discardBlock } from "./discard-block.ts";
import { JobRunner, type JobRunnerOptions } from "./job-runner.ts";
import type { KnownIdentities } from "./known-identities.ts";
import { LEVELS } from "./level.ts";

/** What one pass of compaction did. */
export interface CompactionReport {
  /** Merges that were committed. */
  readonly mergeCount: number;
  readonly replacedBlockCount: number;
  readonly writtenBlockCount: number;
  /** Roll-ups that were committed. */
  readonly rollUpCount: number;
  /** Merges and roll-ups that failed; their blocks stay as they are. */
  readonly failureCount: number;
}

type Count<T> = { -readonly [K in keyof T]: T[K] };

export interface CompactorOptions extends JobRunnerOptions {
  readonly known: KnownIdentities;
  readonly deletions: Pick<Deletions, "hiddenIn" | "isPending" | "settle">;
  readonly isPast: IsPast;
  /** Bytes of all blocks, with those that are written while others stay; 0: no limit. */
  readonly maxBytes: number;
  readonly log: (line: string) => void;
}

/**
 * Merges small blocks into larger ones, in a DuckDB of its own, so that queries and flushes neither wait for it nor
 * run out of the memory that it takes.
 */
export class Compactor {
  readonly #options: CompactorOptions;
  readonly #runner: JobRunner;
  readonly #stop = new AbortController();
  /** Ends the pass that runs. */
  #pass = new AbortController();
  #running: Promise<CompactionReport> | undefined;
  /** What no pass may run beside. */
  #exclusive: Promise<unknown> = Promise.resolve();
  /** Blocks that are replaced and whose files go when the last query that holds them is done. */
  readonly #discards = new Map<Block, Promise<void>>();

  constructor(options: CompactorOptions) {
    this.#options = options;
    this.#runner = new JobRunner(options, (lease, metas) => this.#swap(lease, metas));
  }

  /** Merges until there is nothing to merge. Who asks while a pass runs shares it. */
  compact(): Promise<CompactionReport> {
    this.#running ??= this.#exclusive
      .then(() => this.#compact())
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  /** Interrupts the pass that runs, and does something before the next one. */
  async whileIdle<Result>(act: () => Promise<Result>): Promise<Result> {
    const before = [this.#exclusive, this.#running];
    this.#pass.abort();
    const result = Promise.allSettled(before).then(act);
    this.#exclusive = result.catch(() => undefined);
    return await result;
  }

  get #signal(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, this.#pass.signal]);
  }

  /** Interrupts the pass that runs; resolves when it has ended. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running?.catch(() => undefined);
  }

  async #compact(): Promise<CompactionReport> {
    const report = {
      ...{ mergeCount: 0, replacedBlockCount: 0, writtenBlockCount: 0 },
      ...{ rollUpCount: 0, failureCount: 0 },
    };
    const { catalog, deletions } = this.#options;
    this.#pass = new AbortController();
    await catalog.refresh();
    for (const tenant of catalog.tenants()) {
      await this.#compactTenant(tenant, report);
      // What a query holds goes with a later pass.
      const discards = [...this.#discards].filter(([block]) => !block.isInUse);
      await Promise.all(discards.map(([, discarded]) => discarded));
      await deletions.settle(tenant);
    }
    return report;
  }

  async #compactTenant(tenant: string, report: Count<CompactionReport>): Promise<void> {
    const { catalog, clock, limits, isPast } = this.#options;
    // In this pass only: a disk that was full may have room in the next, and others may have given back what they took.
    const excluded = new Set<string>();
    while (!this.#signal.aborted) {
      const blocks = catalog.blocksOf(tenant);
      const job =
        this.#planRewrite(blocks, excluded) ??
        planCompaction(
          blocks,
          clock.nowUnixMillis(),
          limits,
          new Set([...excluded, ...this.#pendingIds(blocks)]),
          isPast,
        ) ??
        this.#planForgetting(blocks, excluded);
      if (job === undefined) return;
      const isDone = await this.#runLeased(tenant, job, report);
      if (!isDone) for (const { meta } of job.blocks) excluded.add(meta.id);
    }
  }

  /** What was deleted goes first. The finest level first: a roll-up then knows which of its sources are gone whole. */
  #planRewrite(blocks: readonly Block[], excluded: ReadonlySet<string>): CompactionJob | undefined {
    const pending = blocks.filter(
      (block) => this.#options.deletions.isPending(block) && !excluded.has(block.meta.id),
    );
    const [block] = pending.toSorted(
      (left, right) => LEVELS.indexOf(left.meta.level) - LEVELS.indexOf(right.meta.level),
    );
    return block && { kind: "rewrite", level: block.meta.level, blocks: [block] };
  }

  /** Last: a merge of such blocks takes the ids out as well. */
  #planForgetting(blocks: readonly Block[], excluded: ReadonlySet<string>): CompactionJob | undefined {
    const block = blocks.find(
      (candidate) => this.#options.forgetsSpans(candidate) && !excluded.has(candidate.meta.id),
    );
    return block && { kind: "rewrite", level: block.meta.level, blocks: [block] };
  }

  #pendingIds(blocks: readonly Block[]): readonly string[] {
    return blocks.filter((block) => this.#options.deletions.isPending(block)).map(({ meta }) => meta.id);
  }

  /** Returns whether a plan can go on from this one's outcome: the job is done, by others too, or a damaged block is set aside. */
  async #runLeased(tenant: string, job: CompactionJob, report: Count<CompactionReport>): Promise<boolean> {
    const { kind, level, blocks } = job;
    if (!this.#hasRoom(blocks)) return false;
    const lease = await this.#options.catalog.lease(blocks);
    if (lease === undefined) return false;
    try {
      if (this.#isDone(tenant, job)) return true;
      const writtenCount = await this.#runner.run(tenant, job, lease, this.#signal);
      if (writtenCount === undefined) return true;
      report.writtenBlockCount += writtenCount;
      if (kind === "rollUp") report.rollUpCount++;
      else report.replacedBlockCount += blocks.length;
      if (kind === "merge") report.mergeCount++;
      return true;
    } catch (error) {
      if (this.#signal.aborted) return false;
      report.failureCount++;
      const what = { merge: "compaction", rollUp: `roll-up to ${level}`, rewrite: "rewrite" }[kind];
      this.#options.log(
        `${what} of ${blocks.length} blocks of tenant ${JSON.stringify(tenant)}: ${String(error)}`,
      );
      return false;
    } finally {
      await lease.release();
    }
  }

  /** Whether others rolled the blocks up between the plan and the lease: again, all of it would count twice. */
  #isDone(tenant: string, { kind, blocks }: CompactionJob): boolean {
    if (kind === "rewrite") return false;
    const rolledUp = rolledUpBlocks(this.#options.catalog.blocksOf(tenant));
    return blocks.some((block) => rolledUp.has(block));
  }

  /** Whether what comes out, which is not larger than what goes in, has room beside it. */
  #hasRoom(blocks: readonly Block[]): boolean {
    const { catalog, maxBytes } = this.#options;
    if (maxBytes === 0) return true;
    const bytes = [...catalog.blocks(), ...blocks].reduce((sum, { meta }) => sum + blockBytes(meta), 0);
    return bytes <= maxBytes;
  }

  async #swap(lease: Lease, metas: readonly BlockMeta[]): Promise<void> {
    const { catalog, known, log } = this.#options;
    const noted = catalog.replace(lease, metas);
    known.forget(lease.blocks.map(({ meta }) => meta.id));
    await noted;
    for (const block of lease.blocks) {
      const discarded = block
        .unused()
        .then(() => discardBlock(this.#options, block.path))
        .catch((error: unknown) => log(`block ${block.meta.id} is merged and stays: ${String(error)}`))
        .finally(() => this.#discards.delete(block));
      this.#discards.set(block, discarded);
    }
  }
}
