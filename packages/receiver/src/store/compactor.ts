import { join } from "node:path";
import { ReceiverError } from "../errors.ts";
import { Block } from "./block.ts";
import { fromInputs, type InputFiles } from "./block-content.ts";
import { rolledUpBlocks } from "./block-cover.ts";
import { type BlockMeta, blockBytes } from "./block-meta.ts";
import type { Catalog, Lease } from "./catalog.ts";
import { type BlockOrigin, type BlockPlace, commitBlock } from "./commit-block.ts";
import {
  type CompactionJob,
  type CompactionLimits,
  type IsPast,
  planCompaction,
  type ServiceRange,
  splitServices,
} from "./compaction-plan.ts";
import type { Deletions } from "./deletions.ts";
import { discardBlock } from "./discard-block.ts";
import { Duckdb, quoteSql } from "./duckdb.ts";
import { createBlockId } from "./filenames.ts";
import type { KnownIdentities } from "./known-identities.ts";
import { LEVELS, type Level } from "./level.ts";
import { BlockMerger } from "./merge-blocks.ts";
import { BlockRoller } from "./roll-up-blocks.ts";
import { TABLE_NAMES } from "./schema.ts";

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

export interface CompactorOptions extends BlockPlace {
  /** The store's: it knows which profiles are repeats. */
  readonly database: Duckdb;
  readonly catalog: Catalog;
  readonly known: KnownIdentities;
  readonly deletions: Pick<Deletions, "hiddenIn" | "isPending" | "settle">;
  readonly limits: CompactionLimits;
  readonly isPast: IsPast;
  /** Bytes of all blocks, with those that are written while others stay; 0: no limit. */
  readonly maxBytes: number;
  readonly log: (line: string) => void;
}

/**
 * Merges small blocks into larger ones, in a DuckDB of its own, so that queries and flushes neither wait for it nor
 * run out of the memory that it takes.
 *
 * The last block that a merge writes names all blocks that the merge replaces: with it they are dead. A crash before it
 * leaves copies, which count once as all copies do.
 */
export class Compactor {
  readonly #options: CompactorOptions;
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
        );
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
      const writtenCount = await this.#run(tenant, job, lease);
      if (writtenCount === undefined) return true;
      report.writtenBlockCount += writtenCount;
      if (kind === "rollUp") report.rollUpCount++;
      else report.replacedBlockCount += blocks.length;
      if (kind === "merge") report.mergeCount++;
      return true;
    } catch (error) {
      if (this.#signal.aborted) return false;
      report.failureCount++;
      const what = { merge: "compaction", rollUp: `roll-up to ${level}`, rewrite: "deletion" }[kind];
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

  /** Returns how many blocks came out; undefined when one of these was damaged and is set aside. */
  async #run(tenant: string, job: CompactionJob, lease: Lease): Promise<number | undefined> {
    const { blocks } = lease;
    for (const block of blocks) block.retain();
    try {
      // One that is damaged is out of the catalog now, and the next plan goes without it.
      for (const block of blocks) {
        if (!(await this.#options.catalog.verify(block, TABLE_NAMES))) return undefined;
      }
      const scratch = join(this.#options.paths.building, createBlockId(this.#options.clock.nowUnixMillis()));
      await this.#options.fs.makeDirectory(scratch);
      try {
        return await this.#runIn(scratch, tenant, job, lease);
      } finally {
        await this.#options.fs.remove(scratch).catch(() => undefined);
      }
    } finally {
      for (const block of blocks) block.release();
    }
  }

  async #runIn(scratch: string, tenant: string, job: CompactionJob, lease: Lease): Promise<number> {
    const { paths, limits } = this.#options;
    const { blocks } = lease;
    const inputs = await this.#inputsOf(scratch, lease);
    const database = await Duckdb.open({
      path: ":memory:",
      directory: paths.root,
      temporaryDirectory: join(scratch, "spill"),
      memoryLimitBytes: limits.memoryLimitBytes,
      threadCount: 1,
    });
    try {
      if (job.kind === "rewrite") return await this.#rewrite(database, inputs, lease);
      if (job.level !== "raw") return await this.#rollUp(database, inputs, tenant, job, lease);
      const merger = new BlockMerger(database, inputs, this.#signal);
      const ranges = await this.#split(merger, blocks);
      const metas = await this.#write(merger, tenant, blocks, ranges);
      await this.#swap(lease, metas);
      return metas.length;
    } finally {
      database.close();
    }
  }

  /** Writes a block again without what was deleted, and takes its place; nothing where nothing is left. */
  async #rewrite(database: Duckdb, inputs: InputFiles, lease: Lease): Promise<number> {
    const [block] = lease.blocks as readonly [Block];
    const { meta } = block;
    const merger = new BlockMerger(database, inputs, this.#signal);
    const services = (await merger.services()).map(({ service }) => service);
    this.#checkPresent(lease.blocks);
    if (services.length === 0) {
      await this.#swap(lease, []);
      return 0;
    }
    const origin = {
      ...originOf(meta.tenant, meta.level, lease.blocks),
      ...{ mergeCount: meta.mergeCount, rolledUp: meta.rolledUp },
      segments: await this.#livingSegments(lease.blocks),
      // Roll-ups may name the block by any of these.
      blocks: [meta.id, ...meta.blocks].toSorted(),
    };
    const range = { first: services[0]!, last: services.at(-1)! };
    const written = await commitBlock(this.#options, origin, (directory) => merger.write(directory, range));
    await this.#swap(lease, [written]);
    return 1;
  }

  /** Sums blocks up to a level; blocks of that level itself become one. The block that is written says which it covers. */
  async #rollUp(
    database: Duckdb,
    inputs: InputFiles,
    tenant: string,
    { kind, level, blocks }: CompactionJob,
    lease: Lease,
  ): Promise<number> {
    const ids = blocks.map(({ meta }) => meta.id);
    const before = blocks.flatMap(({ meta }) => meta.rolledUp);
    const counted = await database.select(`SELECT count(*) AS n FROM ${fromInputs(inputs, "totals")}`);
    if (counted.bigints("n")[0] === 0n) {
      // All of it came again after it was rolled up: the blocks that it was rolled up from have it.
      await this.#swap(lease, []);
      return 0;
    }
    const roller = new BlockRoller(database, inputs, level, this.#options.limits, this.#signal);
    const origin = {
      ...originOf(tenant, level, blocks),
      mergeCount: kind === "merge" ? 1 + Math.max(...blocks.map(({ meta }) => meta.mergeCount)) : 0,
      blocks: kind === "merge" ? ids.toSorted() : [],
      // All of them, not those of the level before only: a roll-up must be known to cover a block when what is between is lost.
      rolledUp: [...(kind === "merge" ? before : [...ids, ...before])].toSorted(),
    };
    this.#checkPresent(blocks);
    const meta = await commitBlock(this.#options, origin, (directory) => roller.write(directory));
    if (kind === "merge") await this.#swap(lease, [meta]);
    else await this.#options.catalog.derive(lease, meta);
    return 1;
  }

  async #inputsOf(scratch: string, lease: Lease): Promise<InputFiles> {
    const { database, deletions } = this.#options;
    const { blocks } = lease;
    const repeats = new Map<Block, string>();
    for (const block of blocks) {
      const select = await lease.repeatsOf(block);
      if (select === undefined) continue;
      const path = quoteSql(join(scratch, `${block.meta.id}.parquet`));
      await database.run(`COPY (${select}) TO ${path} (FORMAT parquet)`);
      repeats.set(block, `SELECT profile FROM read_parquet(${path})`);
    }
    const entries = TABLE_NAMES.map((table) => [
      table,
      blocks.map((block) => ({
        ...{ path: block.file(table), repeats: repeats.get(block) },
        hiddenServices: deletions.hiddenIn(block),
      })),
    ]);
    return Object.fromEntries(entries) as InputFiles;
  }

  async #split(merger: BlockMerger, blocks: readonly Block[]): Promise<readonly ServiceRange[]> {
    const bytes = blocks.reduce((sum, { meta }) => sum + blockBytes(meta), 0);
    const services = await merger.services();
    const rowCount = services.reduce((sum, service) => sum + service.rowCount, 0);
    const sized = services.map((service) => ({
      service: service.service,
      bytes: (bytes * service.rowCount) / rowCount,
    }));
    return splitServices(sized, this.#options.limits.maxBlockBytes);
  }

  async #write(
    merger: BlockMerger,
    tenant: string,
    blocks: readonly Block[],
    ranges: readonly ServiceRange[],
  ): Promise<readonly BlockMeta[]> {
    const metas: BlockMeta[] = [];
    try {
      for (const range of ranges) {
        const isLast = range === ranges.at(-1);
        if (isLast) this.#checkPresent(blocks);
        const origin = {
          ...originOf(tenant, "raw", blocks),
          mergeCount: 1 + Math.max(...blocks.map(({ meta }) => meta.mergeCount)),
          segments: isLast ? await this.#livingSegments(blocks) : [],
          blocks: isLast ? blocks.map(({ meta }) => meta.id).toSorted() : [],
        };
        metas.push(await commitBlock(this.#options, origin, (directory) => merger.write(directory, range)));
      }
      return metas;
    } catch (error) {
      for (const meta of metas) {
        const { path } = new Block(meta, this.#options.paths.blocks);
        await discardBlock(this.#options, path).catch(() => undefined);
      }
      throw error;
    }
  }

  /** Log segments of the blocks that are still there: a replay must skip them. Names of others are never used again. */
  async #livingSegments(blocks: readonly Block[]): Promise<readonly string[]> {
    const { fs, paths } = this.#options;
    await fs.syncDirectory(paths.wal);
    const living = new Set((await fs.list(paths.wal)).map(({ name }) => name));
    const segments = new Set(blocks.flatMap(({ meta }) => meta.segments));
    return [...segments].filter((segment) => living.has(segment)).toSorted();
  }

  #checkPresent(blocks: readonly Block[]): void {
    const gone = blocks.find((block) => !this.#options.catalog.has(block));
    if (gone === undefined) return;
    throw new ReceiverError(`merge blocks: ${gone.meta.id} was deleted meanwhile`, { code: "UNAVAILABLE" });
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

function originOf(
  tenant: string,
  level: Level,
  blocks: readonly Block[],
): Pick<Required<BlockOrigin>, "tenant" | "level" | "receivedUnixMillis" | "segments" | "rolledUp"> {
  const receivedUnixMillis = Math.max(...blocks.map(({ meta }) => meta.receivedUnixMillis));
  return { tenant, level, receivedUnixMillis, segments: [], rolledUp: [] };
}
