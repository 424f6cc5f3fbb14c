import { ReceiverError } from "../errors.ts";
import { ActiveSeries } from "./active-series.ts";
import type { Admission, AdmittedProfile } from "./admission.ts";
import { blockBytes } from "./block-meta.ts";
import { BlockShipper } from "./block-shipper.ts";
import { type CompactionReport, Compactor } from "./compactor.ts";
import { Deletions } from "./deletions.ts";
import type { Duckdb } from "./duckdb.ts";
import { type DataPaths, dataPaths } from "./filenames.ts";
import { snapshotOfBlock } from "./flushed-profiles.ts";
import { type HashedProfile, ProfileHasher } from "./hash-profile.ts";
import { Head } from "./head.ts";
import { KnownIdentities } from "./known-identities.ts";
import { LocalCatalog } from "./local-catalog.ts";
import { openDatabase } from "./open-database.ts";
import { PendingProfiles } from "./pending-profiles.ts";
import { createProfileRows, type ProfileRows } from "./profile-rows.ts";
import { Quarantine } from "./quarantine.ts";
import { QueryDatabase } from "./query-database.ts";
import { Retention, type RetentionReport } from "./retention.ts";
import { resolveRule, type TenantRetention } from "./retention-rule.ts";
import { TABLE_NAMES } from "./schema.ts";
import type { Snapshot, SnapshotRange } from "./snapshot.ts";
import type { Application, DeletionReport, Store, StoreStatus, TenantStats } from "./store.ts";
import {
  DEFAULT_COMPACTION_LIMITS,
  DEFAULT_DATABASE_LIMITS,
  DEFAULT_FLUSH_LIMITS,
  type FlushLimits,
  type StoreOptions,
} from "./store-options.ts";
import { findVersion, takeSnapshot } from "./take-snapshot.ts";
import { UncertainBlocks } from "./uncertain-blocks.ts";
import { replayWal } from "./wal-replay.ts";

const NANOS_PER_MILLI = 1_000_000n;

/** The parts of an open store. */
interface StoreParts {
  readonly database: Duckdb;
  readonly queries: QueryDatabase;
  readonly catalog: LocalCatalog;
  readonly known: KnownIdentities;
  readonly deletions: Deletions;
  readonly quarantine: Quarantine;
  readonly uncertain: UncertainBlocks;
  readonly head: Head;
  readonly retention: Retention;
  readonly compactor: Compactor;
  readonly series: ActiveSeries;
  readonly bucket: BlockShipper | undefined;
}

/**
 * Opens a store in one directory of this machine: takes the directory's lock, finds its blocks, replays the log.
 *
 * @throws {@link ReceiverError} STORAGE_LOCKED when another process has it, STORAGE_FORMAT when it is of a newer
 * version, STORAGE_UNAVAILABLE when the disk cannot be read or written.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { fs, clock, log } = options;
  const paths = dataPaths(options.directory);
  await fs.makeDirectory(paths.root);
  const database = await openDatabase({ fs, paths, limits: options.database, log });
  try {
    options.onHeld?.();
    // Only now: these are someone else's while he holds the lock.
    await fs.remove(paths.building);
    await fs.remove(paths.spill);
    for (const directory of [paths.blocks, paths.wal, paths.building]) await fs.makeDirectory(directory);
    const quarantine = new Quarantine(fs, paths, log);
    await quarantine.load();
    const bucket = options.bucket && new BlockShipper({ fs, clock, paths, log, ...options.bucket });
    const deletions = new Deletions(fs, paths, bucket);
    await deletions.load();
    await bucket?.open(deletions);
    const uncertain = new UncertainBlocks(fs);
    const place = { fs, clock, paths, bucket, uncertain };
    const catalog = new LocalCatalog({ ...place, database, quarantine, log });
    await catalog.open();
    const known = new KnownIdentities(database, catalog, deletions);
    const compaction = { ...DEFAULT_COMPACTION_LIMITS, ...options.compaction };
    const budget = resolveBudget(options);
    const retention = new Retention({
      ...{ ...place, catalog, log },
      rule: resolveRule(options),
      maxBytes: budget.maxBlockBytes,
      rollUpLevels: compaction.rollUpLevels,
      onRemoved: (blocks) => known.forget(blocks.map(({ meta }) => meta.id)),
    });
    const onFlushed = (): Promise<unknown> => retention.enforceBudgets();
    const limits = budget.flush;
    const { observer } = options;
    const head = await Head.create({ ...place, database, catalog, known, limits, onFlushed, observer, log });
    const compactor = new Compactor({
      ...{ ...place, database, catalog, known, deletions, log },
      ...{ limits: compaction, maxBytes: options.maxBytes ?? 0 },
      isPast: (...of) => retention.isPast(...of),
      forgetsSpans: (block) => retention.forgetsSpans(block),
    });
    const series = new ActiveSeries(clock);
    const { maxQueryCount } = { ...DEFAULT_DATABASE_LIMITS, ...options.database };
    const queries = new QueryDatabase(database, maxQueryCount);
    const store = new LocalStore(
      {
        database,
        queries,
        catalog,
        known,
        deletions,
        quarantine,
        uncertain,
        head,
        retention,
        compactor,
        series,
        bucket,
      },
      options,
    );
    await store.observeMissed();
    await store.replay(paths);
    return store;
  } catch (error) {
    database.close();
    throw error;
  }
}

// Parts of the budget of bytes that are not the blocks': two slots of the log, and what is not counted.
const LOG_SHARE = 0.025;
const BLOCK_SHARE = 0.95;

/** What of the budget is for blocks, and a log that stays small beside them. */
function resolveBudget({ maxBytes = 0, flush }: StoreOptions): {
  readonly maxBlockBytes: number;
  readonly flush: FlushLimits;
} {
  const limits = { ...DEFAULT_FLUSH_LIMITS, ...flush };
  if (maxBytes === 0) return { maxBlockBytes: 0, flush: limits };
  const maxWalBytes = Math.min(limits.maxWalBytes, LOG_SHARE * maxBytes);
  return { maxBlockBytes: BLOCK_SHARE * maxBytes, flush: { ...limits, maxWalBytes } };
}

class LocalStore implements Store {
  readonly #parts: StoreParts;
  readonly #options: StoreOptions;
  readonly #pending = new PendingProfiles();
  readonly #hasher = new ProfileHasher();
  #duplicateCount = 0;
  #closing: Promise<void> | undefined;

  constructor(parts: StoreParts, options: StoreOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  async replay(paths: DataPaths): Promise<void> {
    const { catalog, quarantine, head } = this.#parts;
    const { fs, expand, log } = this.#options;
    await replayWal({
      fs,
      paths,
      catalog,
      quarantine,
      expand,
      log,
      insert: async (tenant, profiles) => {
        const { mine, settle } = this.#pending.claim(tenant, profiles, (profile) =>
          this.#isInHead(tenant, profile),
        );
        // Nobody else appends yet.
        settle();
        head.replay(tenant, this.#createRows(tenant, await this.#withoutKnown(tenant, mine)));
      },
      endSegment: (segment) => head.endReplayedSegment(segment),
    });
  }

  /** Shows the observer the blocks that the end of the process kept from it. */
  async observeMissed(): Promise<void> {
    const { observer } = this.#options;
    const { catalog, database } = this.#parts;
    const flushed = catalog.blocks().filter(({ meta }) => meta.level === "raw" && meta.mergeCount === 0);
    const missed = new Set(await observer?.findMissed(flushed.map(({ meta }) => meta)));
    for (const block of flushed.filter(({ meta }) => missed.has(meta))) {
      block.retain();
      try {
        if (!(await catalog.verify(block, TABLE_NAMES))) continue;
        const snapshot = snapshotOfBlock(database, (table) => ({
          heads: [],
          files: [{ path: block.file(table), repeats: catalog.repeatsOf(block) }],
        }));
        await observer?.flushed([{ meta: block.meta, snapshot }]);
      } finally {
        block.release();
      }
    }
  }

  async append({ tenant, record, profiles }: Admission): Promise<void> {
    const { head } = this.#parts;
    this.#checkTakesWrites();
    const claim = this.#pending.claim(tenant, profiles, (profile) => this.#isInHead(tenant, profile));
    try {
      const fresh = await this.#withoutKnown(tenant, claim.mine);
      this.#duplicateCount += profiles.length - fresh.length;
      if (fresh.length > 0) await head.append({ tenant, record }, this.#createRows(tenant, fresh));
      claim.settle();
    } catch (error) {
      claim.settle(error);
      throw error;
    }
    await claim.others;
  }

  async snapshot(range: SnapshotRange): Promise<Snapshot> {
    this.#checkOpen();
    return await takeSnapshot(this.#parts, range);
  }

  async version(range: SnapshotRange): Promise<string | undefined> {
    this.#checkOpen();
    return await findVersion(this.#parts, range);
  }

  hasSeries(tenant: string, series: bigint): boolean {
    return this.#parts.series.has(tenant, series);
  }

  seriesCount(tenant: string): number {
    return this.#parts.series.count(tenant);
  }

  async stats(tenant: string): Promise<TenantStats> {
    const parts = [
      ...this.#parts.catalog.blocksOf(tenant).map(({ meta }) => meta),
      ...this.#parts.head.slots.flatMap(({ generation }) => generation.tenants.get(tenant) ?? []),
    ];
    if (parts.length === 0) return { dataIngested: false, oldestUnixMillis: 0, newestUnixMillis: 0 };
    let { minUnixNanos: oldest, maxUnixNanos: newest } = parts[0]!;
    for (const { minUnixNanos, maxUnixNanos } of parts) {
      if (minUnixNanos < oldest) oldest = minUnixNanos;
      if (maxUnixNanos > newest) newest = maxUnixNanos;
    }
    return {
      dataIngested: true,
      oldestUnixMillis: Number(oldest / NANOS_PER_MILLI),
      newestUnixMillis: Number(newest / NANOS_PER_MILLI),
    };
  }

  async flush(): Promise<void> {
    this.#checkOpen();
    this.#parts.series.sweep();
    await this.#parts.head.flush();
  }

  async applyRetention(tenants?: ReadonlyMap<string, TenantRetention>): Promise<RetentionReport> {
    this.#checkOpen();
    return await this.#parts.retention.sweep(tenants);
  }

  async deleteApplication({ tenant, service }: Application): Promise<DeletionReport> {
    this.#checkOpen();
    const { catalog, compactor, deletions, head, known, quarantine, uncertain } = this.#parts;
    return await deletions.whileHidden(tenant, service, async () => {
      await head.flush();
      // A merge that runs would write what is deleted into a block of another name.
      return await compactor.whileIdle(async () => {
        // A block that came back with the next start would bring back what is deleted.
        await uncertain.settle();
        const blocks = catalog.blocksOf(tenant).filter(({ meta }) => meta.services.includes(service));
        await deletions.add(tenant, service, blocks);
        known.forget(blocks.map(({ meta }) => meta.id));
        return {
          blockCount: blocks.length,
          quarantinedBlockCount: quarantine.blocks.filter((block) => block.tenant === tenant).length,
        };
      });
    });
  }

  async compact(): Promise<CompactionReport> {
    this.#checkOpen();
    return await this.#parts.compactor.compact();
  }

  status(): StoreStatus {
    const { head, catalog, quarantine, bucket } = this.#parts;
    const { slots } = head;
    const blocks = catalog.blocks();
    const tenants = slots.flatMap(({ generation }) => [...generation.tenants.values()]);
    return {
      headRowCount: slots.reduce((sum, { generation }) => sum + generation.sampleCount, 0),
      headBytes: slots.reduce((sum, { generation }) => sum + generation.bytes, 0),
      headProfileCount: tenants.reduce((sum, { profileCount }) => sum + profileCount, 0),
      activeSeriesCount: this.#parts.series.totalCount,
      blockCount: blocks.length,
      blockBytes: blocks.reduce((sum, { meta }) => sum + blockBytes(meta), 0),
      logSegmentCount: slots.reduce((sum, { segments }) => sum + segments.length, 0),
      logBytes: slots.reduce((sum, { wal }) => sum + wal.bytes, 0),
      quarantinedBlockCount: quarantine.blocks.length,
      quarantinedLogPieceCount: quarantine.logPieceCount,
      duplicateProfileCount: this.#duplicateCount,
      failedBlockWriteCount: head.failedFlushCount + (bucket?.failedUploadCount ?? 0),
      unshippedBlockCount: bucket?.unshippedBlockCount ?? 0,
      takesWrites: this.#closing === undefined && this.#refusal === undefined,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { head, compactor, database, bucket } = this.#parts;
    await compactor.close();
    try {
      await head.flush();
    } catch (error) {
      this.#options.log(`flush at close: ${String(error)}; the next start replays the log`);
    }
    await head.close();
    await bucket?.close();
    database.close();
  }

  #isInHead(tenant: string, { identity }: AdmittedProfile): boolean {
    return this.#parts.head.has(tenant, identity);
  }

  async #withoutKnown(
    tenant: string,
    profiles: readonly AdmittedProfile[],
  ): Promise<readonly AdmittedProfile[]> {
    const fresh: AdmittedProfile[] = [];
    for (const profile of profiles) {
      if (!(await this.#parts.known.has(tenant, profile.timeUnixNanos, profile.identity)))
        fresh.push(profile);
    }
    return fresh;
  }

  #createRows(tenant: string, profiles: readonly AdmittedProfile[]): readonly ProfileRows[] {
    const hashed = new Map<AdmittedProfile["profile"], HashedProfile>();
    return profiles.map((admitted) => {
      const hashedProfile =
        hashed.get(admitted.profile) ?? this.#hasher.hash(admitted.profile, admitted.stringHashes);
      hashed.set(admitted.profile, hashedProfile);
      const rows = createProfileRows(admitted, hashedProfile);
      this.#parts.series.add(tenant, rows.series);
      return rows;
    });
  }

  /** Why appends are refused now, or undefined. */
  get #refusal(): string | undefined {
    return this.#parts.head.refusal ?? this.#parts.bucket?.refusal;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new ReceiverError("the store is closed", { code: "UNAVAILABLE" });
  }

  #checkTakesWrites(): void {
    this.#checkOpen();
    const refusal = this.#refusal;
    if (refusal !== undefined) throw new ReceiverError(refusal, { code: "STORAGE_UNAVAILABLE" });
  }
}
