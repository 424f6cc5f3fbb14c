import type { Admission } from "./admission.ts";
import type { CompactionReport } from "./compactor.ts";
import type { RetentionReport } from "./retention.ts";
import type { TenantRetention } from "./retention-rule.ts";
import type { Snapshot, SnapshotRange } from "./snapshot.ts";

/** What a tenant has. Times are 0 when there is nothing. */
export interface TenantStats {
  readonly dataIngested: boolean;
  readonly oldestUnixMillis: number;
  readonly newestUnixMillis: number;
}

/** How the store is, for `/ready`, `/metrics` and the status page. */
export interface StoreStatus {
  /** Rows of samples and estimated bytes in memory, frozen generations included. */
  readonly headRowCount: number;
  readonly headBytes: number;
  readonly headProfileCount: number;
  /** Series of all tenants that had a profile lately. */
  readonly activeSeriesCount: number;
  readonly blockCount: number;
  readonly blockBytes: number;
  readonly logSegmentCount: number;
  readonly logBytes: number;
  /** Blocks in quarantine. */
  readonly quarantinedBlockCount: number;
  /** Pieces of the log that were damaged and set aside since the start. */
  readonly quarantinedLogPieceCount: number;
  /** Profiles that came again and were not counted again, since the start. */
  readonly duplicateProfileCount: number;
  /** Attempts to write blocks to the disk or the bucket that failed, and are tried again, since the start. */
  readonly failedBlockWriteCount: number;
  /** Blocks that are not in the bucket yet; 0 where there is no bucket. */
  readonly unshippedBlockCount: number;
  /** Whether an append would be tried now: the last write was good, or enough time has passed to try again. */
  readonly takesWrites: boolean;
}

/** A service of a tenant, with all of its profiles. */
export interface Application {
  readonly tenant: string;
  /** Value of `service_name`. */
  readonly service: string;
}

/** What a deletion has hidden. */
export interface DeletionReport {
  /** Blocks that hold the application, and that the next compaction writes again without it. */
  readonly blockCount: number;
  /** Damaged blocks of the tenant that may hold it: they are for someone to look at, and nobody's answers. */
  readonly quarantinedBlockCount: number;
}

/** Durable profiles: a log, a head in memory, blocks on disk. */
export interface Store {
  /**
   * Resolves when the record is durable and its rows are in the head: the next snapshot has them. A profile whose
   * identity was seen before counts once, and resolves no earlier than the first.
   *
   * @throws `ReceiverError` STORAGE_UNAVAILABLE when the disk does not take it or the flush cannot keep up: nothing
   * is acknowledged. OUT_OF_RANGE when a sum of its values leaves int64.
   */
  append(admission: Admission): Promise<void>;
  /** Holds head and blocks as they are now, for one query. */
  snapshot(range: SnapshotRange): Promise<Snapshot>;
  /** What {@link Snapshot.version} of a snapshot would be that is taken now; undefined: it cannot be told without taking one. */
  version(range: SnapshotRange): Promise<string | undefined>;
  /** Whether the tenant has had a profile of this series (hash of its label set) lately. */
  hasSeries(tenant: string, series: bigint): boolean;
  /** How many series the tenant has had lately. */
  seriesCount(tenant: string): number;
  stats(tenant: string): Promise<TenantStats>;
  /** Writes the head to blocks now; resolves when the log of what was in it is dropped. */
  flush(): Promise<void>;
  /**
   * Deletes blocks that are past their retention, and the oldest where there are more bytes than allowed; see
   * {@link RetentionReport}.
   *
   * @param tenants - What tenants have that have their own.
   */
  applyRetention(tenants?: ReadonlyMap<string, TenantRetention>): Promise<RetentionReport>;
  /**
   * Deletes what an application has pushed. No answer has it from the call on, and none after a restart once it
   * resolves; {@link Store.compact} takes it out of the files. What is pushed after it resolves counts.
   */
  deleteApplication(application: Application): Promise<DeletionReport>;
  /** Merges blocks that are due into larger ones; see {@link CompactionReport}. Answers stay the same. */
  compact(): Promise<CompactionReport>;
  status(): StoreStatus;
  /** Flushes and gives the directory back. A second call returns the first one's promise. */
  close(): Promise<void>;
}
