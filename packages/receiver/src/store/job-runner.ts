import { join } from "node:path";
import { ReceiverError } from "../errors.ts";
import { Block } from "./block.ts";
import { fromInputs, type InputFiles } from "./block-content.ts";
import { type BlockMeta, blockBytes } from "./block-meta.ts";
import type { Catalog, Lease } from "./catalog.ts";
import { type BlockOrigin, type BlockPlace, commitBlock, UncertainCommit } from "./commit-block.ts";
import {
  type CompactionJob,
  type CompactionLimits,
  type ServiceRange,
  splitServices,
} from "./compaction-plan.ts";
import type { Deletions } from "./deletions.ts";
import { discardBlock } from "./discard-block.ts";
import { Duckdb, quoteSql } from "./duckdb.ts";
import { createBlockId } from "./filenames.ts";
import type { Level } from "./level.ts";
import { BlockMerger } from "./merge-blocks.ts";
import { BlockRoller } from "./roll-up-blocks.ts";
import { TABLE_NAMES } from "./schema.ts";

export interface JobRunnerOptions extends BlockPlace {
  /** The store's: it knows which profiles are repeats. */
  readonly database: Duckdb;
  readonly catalog: Catalog;
  readonly deletions: Pick<Deletions, "hiddenIn">;
  readonly limits: CompactionLimits;
  /** Whether a block is past the time for which ids of spans and traces are kept. */
  readonly forgetsSpans: (block: Block) => boolean;
}

/**
 * Does the jobs of compaction, each in a DuckDB of its own.
 *
 * The last block that a merge writes names all blocks that the merge replaces: with it they are dead. A crash before it
 * leaves copies, which count once as all copies do.
 */
export class JobRunner {
  readonly #options: JobRunnerOptions;
  readonly #swap: (lease: Lease, metas: readonly BlockMeta[]) => Promise<void>;

  /** @param swap - Lets blocks that were written take the place of those of a lease. */
  constructor(options: JobRunnerOptions, swap: (lease: Lease, metas: readonly BlockMeta[]) => Promise<void>) {
    this.#options = options;
    this.#swap = swap;
  }

  /** Returns how many blocks came out; undefined when one of these was damaged and is set aside. */
  async run(
    tenant: string,
    job: CompactionJob,
    lease: Lease,
    signal: AbortSignal,
  ): Promise<number | undefined> {
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
        return await this.#runIn(scratch, tenant, job, lease, signal);
      } finally {
        await this.#options.fs.remove(scratch).catch(() => undefined);
      }
    } finally {
      for (const block of blocks) block.release();
    }
  }

  async #runIn(
    scratch: string,
    tenant: string,
    job: CompactionJob,
    lease: Lease,
    signal: AbortSignal,
  ): Promise<number> {
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
      if (job.kind === "rewrite") return await this.#rewrite(database, inputs, lease, signal);
      if (job.level !== "raw") return await this.#rollUp(database, inputs, tenant, job, lease, signal);
      const keepsSpans = !blocks.every((block) => this.#options.forgetsSpans(block));
      const merger = new BlockMerger(database, inputs, signal, { keepsSpans });
      const ranges = await this.#split(merger, blocks);
      const metas = await this.#write(merger, tenant, blocks, ranges);
      await this.#swap(lease, metas);
      return metas.length;
    } finally {
      database.close();
    }
  }

  /** Writes a block again without what was deleted or is past its time, and takes its place; nothing where nothing is left. */
  async #rewrite(database: Duckdb, inputs: InputFiles, lease: Lease, signal: AbortSignal): Promise<number> {
    const [block] = lease.blocks as readonly [Block];
    const { meta } = block;
    const keepsSpans = !this.#options.forgetsSpans(block);
    const merger = new BlockMerger(database, inputs, signal, { keepsSpans });
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
    signal: AbortSignal,
  ): Promise<number> {
    const ids = blocks.map(({ meta }) => meta.id);
    const before = blocks.flatMap(({ meta }) => meta.rolledUp);
    const counted = await database.select(`SELECT count(*) AS n FROM ${fromInputs(inputs, "totals")}`);
    if (counted.bigints("n")[0] === 0n) {
      // All of it came again after it was rolled up: the blocks that it was rolled up from have it.
      await this.#swap(lease, []);
      return 0;
    }
    const roller = new BlockRoller(database, inputs, level, this.#options.limits, signal);
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
      // The last part says that the sources are replaced: where it may be, all others must be. They count once beside the sources.
      if (error instanceof UncertainCommit) throw error;
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
}

function originOf(
  tenant: string,
  level: Level,
  blocks: readonly Block[],
): Pick<Required<BlockOrigin>, "tenant" | "level" | "receivedUnixMillis" | "segments" | "rolledUp"> {
  const receivedUnixMillis = Math.max(...blocks.map(({ meta }) => meta.receivedUnixMillis));
  return { tenant, level, receivedUnixMillis, segments: [], rolledUp: [] };
}
