import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock, Timer } from "../../clock.ts";
import { ReceiverError } from "../../errors.ts";
import { ActiveSeries } from "../active-series.ts";
import type { Admission, AdmittedProfile } from "../admission.ts";
import type { Blobs } from "../blobs.ts";
import type { Block } from "../block.ts";
import { type BlockMeta, blockBytes } from "../block-meta.ts";
import type { BlockPlace } from "../commit-block.ts";
import type { CompactionLimits } from "../compaction-plan.ts";
import { type CompactionReport, Compactor } from "../compactor.ts";
import { discardBlock } from "../discard-block.ts";
import type { Duckdb } from "../duckdb.ts";
import { blockPath, dataPaths } from "../filenames.ts";
import type { FlushObserver } from "../flushed-profiles.ts";
import type { Fs } from "../fs.ts";
import { type HashedProfile, ProfileHasher } from "../hash-profile.ts";
import { KnownIdentities } from "../known-identities.ts";
import type { Level } from "../level.ts";
import { openDatabase } from "../open-database.ts";
import { createProfileRows } from "../profile-rows.ts";
import { QueryDatabase } from "../query-database.ts";
import type { RemoteEngine } from "../remote-engine.ts";
import { Retention, type RetentionReport } from "../retention.ts";
import { resolveRule, type TenantRetention } from "../retention-rule.ts";
import type { Snapshot, SnapshotRange } from "../snapshot.ts";
import type { Application, DeletionReport, Store, StoreStatus, TenantStats } from "../store.ts";
import { type DatabaseLimits, DEFAULT_COMPACTION_LIMITS, DEFAULT_DATABASE_LIMITS } from "../store-options.ts";
import { findVersion, type SnapshotSources, takeSnapshot } from "../take-snapshot.ts";
import { encodeText } from "./block-row.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { migrate } from "./migrate.ts";
import type { Postgres } from "./postgres.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { SharedBucket } from "./shared-bucket.ts";
import { SharedCatalog } from "./shared-catalog.ts";
import { deleteSharedApplication, SharedDeletions } from "./shared-deletions.ts";

/** What a process does for the deployment. */
interface SharedRole {
  readonly writes: boolean;
  readonly reads: boolean;
  readonly compacts: boolean;
}

/** What a shared store is opened with. */
export interface SharedStoreOptions {
  /** Of this process alone; nothing in it is needed after the process. */
  readonly directory: string;
  readonly fs: Fs;
  readonly clock: Clock;
  readonly blobs: Blobs;
  readonly maxLocalBytes: number;
  readonly postgres: Postgres;
  readonly role: SharedRole;
  readonly retentionMillis: number;
  readonly retentionLevels?: Readonly<Partial<Record<Level, number>>>;
  readonly spanRetentionMillis?: number;
  readonly maxBytes?: number;
  readonly maxTenantBytes?: number;
  readonly compaction?: Partial<CompactionLimits>;
  readonly database?: Partial<DatabaseLimits>;
  /** Sums up samples in the bucket for queries; closed with the store. undefined: this process does. */
  readonly engine?: RemoteEngine | undefined;
  readonly log: (line: string) => void;
  readonly observer?: FlushObserver | undefined;
  readonly onHeld?: () => void;
}

const RETRY_MS = 1000;
const RETENTION_LEASE_MS = 5 * 60_000;
const LOOK_INTERVAL_MS = 60_000;
const NANOS_PER_MILLI = 1_000_000;

/**
 * Opens a store over a bucket and a catalog that several processes share. Waits for PostgreSQL for as long as it takes.
 *
 * @throws {@link ReceiverError} STORAGE_LOCKED when another process has the directory, STORAGE_FORMAT when the catalog
 * is of a newer version.
 */
export async function openSharedStore(options: SharedStoreOptions): Promise<Store> {
  const { fs, clock, log, blobs, postgres } = options;
  // Beside what a receiver with a directory of its own keeps there: this is emptied.
  const paths = dataPaths(join(options.directory, "cache"));
  await fs.makeDirectory(paths.root);
  const database = await openDatabase({ fs, paths, limits: options.database, log });
  try {
    options.onHeld?.();
    for (const directory of [paths.blocks, paths.building, paths.spill]) await fs.remove(directory);
    for (const directory of [paths.blocks, paths.building, paths.wal]) await fs.makeDirectory(directory);
    await migrateWhenPossible(options);
    const bucket = new SharedBucket({ ...options, paths });
    const place = { fs, clock, paths, bucket };
    const deletions = new SharedDeletions();
    const catalog = await SharedCatalog.create({ ...place, postgres, database, deletions, log });
    const compaction = { ...DEFAULT_COMPACTION_LIMITS, ...options.compaction };
    const known = new KnownIdentities(database, catalog, deletions);
    const writer = new SegmentWriter({
      ...{ ...place, database, blobs, log, observer: options.observer },
      commit: (rows) => catalog.addAll(rows),
      settle: (metas) => settleFiles(metas, options.role, catalog, place),
    });
    const retention = new Retention({
      ...{ ...place, catalog, log },
      rule: resolveRule(options),
      maxBytes: options.maxBytes ?? 0,
      rollUpLevels: compaction.rollUpLevels,
      onRemoved: () => undefined,
    });
    const compactor = new Compactor({
      ...{ ...place, database, catalog, known, deletions, log },
      ...{ limits: compaction, maxBytes: options.maxBytes ?? 0 },
      isPast: (...of) => retention.isPast(...of),
      forgetsSpans: (block) => retention.forgetsSpans(block),
    });
    const { maxQueryCount } = { ...DEFAULT_DATABASE_LIMITS, ...options.database };
    const queries = new QueryDatabase(database, maxQueryCount);
    return new SharedStore(
      { database, queries, catalog, bucket, deletions, writer, compactor, retention },
      options,
    );
  } catch (error) {
    database.close();
    throw error;
  }
}

async function migrateWhenPossible({ postgres, log }: SharedStoreOptions): Promise<void> {
  for (let last: string | undefined; ; ) {
    try {
      return await migrate(postgres);
    } catch (error) {
      if (!(error instanceof ReceiverError) || error.code !== "STORAGE_UNAVAILABLE") throw error;
      if (error.message !== last) log(`${error.message}; it is tried again`);
      last = error.message;
      await sleep(RETRY_MS);
    }
  }
}

/** Keeps the files of blocks that were committed for those who read here, if anybody does: nothing else counts them or deletes them. */
async function settleFiles(
  metas: readonly BlockMeta[],
  { reads, compacts }: SharedRole,
  catalog: SharedCatalog,
  place: BlockPlace,
): Promise<void> {
  const tenants = metas.map(({ tenant }) => tenant);
  if (reads || compacts) await catalog.refresh({ tenants }).catch(() => undefined);
  for (const { id, tenant, level, minUnixNanos } of metas) {
    const isKept = catalog.blocksOf(tenant).some(({ meta }) => meta.id === id);
    if (!isKept) await discardBlock(place, blockPath(tenant, level, minUnixNanos, id));
  }
}

interface SharedParts {
  readonly database: Duckdb;
  readonly queries: QueryDatabase;
  readonly catalog: SharedCatalog;
  readonly bucket: SharedBucket;
  readonly deletions: SharedDeletions;
  readonly writer: SegmentWriter;
  readonly compactor: Compactor;
  readonly retention: Retention;
}

class SharedStore implements Store {
  readonly #parts: SharedParts;
  readonly #options: SharedStoreOptions;
  readonly #series: ActiveSeries;
  readonly #hasher = new ProfileHasher();
  /** Damaged blocks that the last sweep found past their retention. */
  #damagedPast: ReadonlySet<string> = new Set();
  /** Undefined where compaction looks by itself. */
  #nextLook: Timer | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: SharedParts, options: SharedStoreOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#series = new ActiveSeries(options.clock);
    const { reads, compacts } = options.role;
    if (reads && !compacts) this.#lookLater();
  }

  async append(admission: Admission): Promise<void> {
    this.#check("writes", "it takes no profiles");
    const hashed = new Map<AdmittedProfile["profile"], HashedProfile>();
    await this.#parts.writer.append(admission, (admitted) => {
      const hashedProfile =
        hashed.get(admitted.profile) ?? this.#hasher.hash(admitted.profile, admitted.stringHashes);
      hashed.set(admitted.profile, hashedProfile);
      const rows = createProfileRows(admitted, hashedProfile);
      this.#series.add(admission.tenant, rows.series);
      return rows;
    });
  }

  async snapshot(range: SnapshotRange): Promise<Snapshot> {
    this.#check("reads", "it answers no queries");
    return await takeSnapshot(this.#sources, range);
  }

  async version(range: SnapshotRange): Promise<string | undefined> {
    this.#check("reads", "it answers no queries");
    return await findVersion(this.#sources, range);
  }

  get #sources(): SnapshotSources {
    const { queries, catalog, deletions, bucket } = this.#parts;
    const { engine } = this.#options;
    const remote = engine && { engine, isReachable: (block: Block) => bucket.isWhole(block) };
    const quarantine = {
      get blocks() {
        return catalog.quarantined;
      },
    };
    return { queries, catalog, head: { slots: [] }, quarantine, deletions, remote };
  }

  hasSeries(tenant: string, series: bigint): boolean {
    return this.#series.has(tenant, series);
  }

  seriesCount(tenant: string): number {
    return this.#series.count(tenant);
  }

  async stats(tenant: string): Promise<TenantStats> {
    this.#check("reads", "it answers no queries");
    const [row] = await this.#options.postgres.query(
      `SELECT min(min_unix_nanos) AS oldest, max(max_unix_nanos) AS newest FROM pyroscope_blocks
 WHERE tenant = $1 AND deleted_at IS NULL`,
      [encodeText(tenant)],
    );
    const { oldest = null, newest = null } = row ?? {};
    return {
      dataIngested: oldest !== null,
      oldestUnixMillis: Math.floor(Number(oldest ?? 0) / NANOS_PER_MILLI),
      newestUnixMillis: Math.floor(Number(newest ?? 0) / NANOS_PER_MILLI),
    };
  }

  async flush(): Promise<void> {
    this.#series.sweep();
    await this.#parts.writer.flush();
  }

  /** One process of all does it at a time. */
  async applyRetention(tenants?: ReadonlyMap<string, TenantRetention>): Promise<RetentionReport> {
    this.#check("compacts", "it deletes nothing");
    const { postgres, blobs } = this.#options;
    const rows = await postgres.query(
      `UPDATE pyroscope_jobs SET token = token + 1, lease_until = now() + $1 * interval '1 millisecond'
 WHERE name = (
  SELECT name FROM pyroscope_jobs WHERE name = 'retention' AND (lease_until IS NULL OR lease_until < now())
  FOR UPDATE SKIP LOCKED
) RETURNING token`,
      [RETENTION_LEASE_MS],
    );
    const token = rows[0]?.token;
    if (token === undefined) return { deletedBlockCount: 0, heldBlockCount: 0, overBudgetBlockCount: 0 };
    try {
      const report = await this.#parts.retention.sweep(tenants);
      await this.#removeDamaged();
      await collectGarbage(postgres, blobs);
      return report;
    } finally {
      await postgres
        .query("UPDATE pyroscope_jobs SET lease_until = NULL WHERE name = 'retention' AND token = $1", [
          String(token),
        ])
        .catch(() => undefined);
    }
  }

  /** Deletes damaged blocks that are past their retention, for two sweeps: a clock that jumps deletes none. */
  async #removeDamaged(): Promise<void> {
    const { catalog, retention } = this.#parts;
    const past = catalog.quarantined.filter(({ tenant, level, maxUnixNanos }) =>
      retention.isPast(tenant, level, maxUnixNanos),
    );
    const before = this.#damagedPast;
    this.#damagedPast = new Set(past.map(({ id }) => id));
    for (const { id } of past) if (before.has(id)) await catalog.removeDamaged(id);
  }

  /** Any process does it: compactors find in the catalog what they have to write again. */
  async deleteApplication(application: Application): Promise<DeletionReport> {
    if (this.#closing !== undefined) throw closed();
    return await deleteSharedApplication(this.#options.postgres, application);
  }

  async compact(): Promise<CompactionReport> {
    this.#check("compacts", "it merges nothing");
    return await this.#parts.compactor.compact();
  }

  status(): StoreStatus {
    const { catalog, writer } = this.#parts;
    const blocks = catalog.blocks();
    return {
      ...{ headRowCount: 0, headBytes: 0, headProfileCount: 0 },
      activeSeriesCount: this.#series.totalCount,
      blockCount: blocks.length,
      blockBytes: blocks.reduce((sum, { meta }) => sum + blockBytes(meta), 0),
      logSegmentCount: writer.pendingSegmentCount,
      logBytes: 0,
      quarantinedBlockCount: catalog.quarantined.length,
      quarantinedLogPieceCount: 0,
      duplicateProfileCount: 0,
      failedBlockWriteCount: writer.failedSegmentCount,
      unshippedBlockCount: 0,
      takesWrites: this.#closing === undefined && (!this.#options.role.writes || writer.takesWrites),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { writer, compactor, database } = this.#parts;
    this.#nextLook?.cancel();
    await compactor.close();
    await writer.close();
    await this.#options.postgres.close();
    await this.#options.engine?.close();
    this.#options.blobs.close();
    database.close();
  }

  /** Lets go of files of blocks that are gone, also of tenants whom nobody asks for. */
  #lookLater(): void {
    const { catalog } = this.#parts;
    const look = async (): Promise<void> => {
      // PostgreSQL may be away: queries say so.
      await catalog.refresh({ tenants: catalog.tenants() }).catch(() => undefined);
      if (this.#closing === undefined) this.#lookLater();
    };
    this.#nextLook = this.#options.clock.setTimer(() => void look(), LOOK_INTERVAL_MS);
  }

  #check(part: keyof SharedRole, consequence: string): void {
    if (this.#closing !== undefined) throw closed();
    if (this.#options.role[part]) return;
    // Not for good: whoever asks again may reach one that does.
    throw new ReceiverError(`this process has another --target: ${consequence}`, { code: "UNAVAILABLE" });
  }
}

function closed(): ReceiverError {
  return new ReceiverError("the store is closed", { code: "UNAVAILABLE" });
}
