import type { Clock } from "../clock.ts";
import type { ExpandRecord } from "./admission.ts";
import type { Blobs } from "./blobs.ts";
import type { CompactionLimits } from "./compaction-plan.ts";
import type { FlushObserver } from "./flushed-profiles.ts";
import type { Fs } from "./fs.ts";
import { ROLL_UP_LEVELS } from "./level.ts";
import type { RetentionRule } from "./retention-rule.ts";

/** When the head becomes blocks, and when it pushes back. */
export interface FlushLimits {
  /** Rows of samples after which the head is flushed. */
  readonly maxSampleCount: number;
  /** Longest time that a profile waits for its block. */
  readonly flushIntervalMillis: number;
  /** Bytes of log after which the head is flushed. */
  readonly maxWalBytes: number;
  /** Estimated bytes in memory above which appends are refused; a third of it starts a flush. */
  readonly maxHeadBytes: number;
  /** Wait after a flush that the disk did not take. */
  readonly retryMillis: number;
}

/** What DuckDB may take. */
export interface DatabaseLimits {
  readonly memoryLimitBytes: number;
  readonly threadCount: number;
  /** Queries that run at once; more wait. */
  readonly maxQueryCount: number;
}

const MEBIBYTE = 1024 * 1024;

// Half a million rows are sorted in a third of a second, for which pushes wait in part, and take half of the memory of a million: with
// those that come meanwhile, and their sort, 100 MB in place of 230. Merging makes larger blocks of them within minutes. Half of DuckDB's
// memory for the head leaves the other half to the flush, which needs 160 to 256 MB for a million rows (measured), and to queries.
export const DEFAULT_FLUSH_LIMITS: FlushLimits = {
  maxSampleCount: 500_000,
  flushIntervalMillis: 5 * 60_000,
  maxWalBytes: 256 * MEBIBYTE,
  maxHeadBytes: 240 * MEBIBYTE,
  retryMillis: 2000,
};

export const DEFAULT_DATABASE_LIMITS: DatabaseLimits = {
  memoryLimitBytes: 512 * MEBIBYTE,
  threadCount: 2,
  maxQueryCount: 3,
};

export const DEFAULT_COMPACTION_LIMITS: CompactionLimits = {
  maxBlockBytes: 128 * MEBIBYTE,
  maxFlushedBlocks: 16,
  maxInputBytes: 4096 * MEBIBYTE,
  memoryLimitBytes: 256 * MEBIBYTE,
  rollUpLevels: ROLL_UP_LEVELS,
  maxNodes: 2048,
};

/** Where blocks are kept beyond the data directory. */
export interface BucketOptions {
  readonly blobs: Blobs;
  /** Bytes of blocks that this machine keeps of them, and of those that could not be shipped yet. */
  readonly maxLocalBytes: number;
}

/** What a store is opened with. */
export interface StoreOptions {
  /** The data directory; made when it is not there. */
  readonly directory: string;
  readonly fs: Fs;
  readonly clock: Clock;
  /** Makes the profiles of a log record again. */
  readonly expand: ExpandRecord;
  /** Age of the newest profile after which a block is deleted; 0: never. */
  readonly retentionMillis: number;
  /** The same for levels that have their own. */
  readonly retentionLevels?: RetentionRule["levelMillis"];
  /** Age after which raw blocks lose the ids of spans and traces; absent or 0: with their profiles. */
  readonly spanRetentionMillis?: number;
  /** Bytes of all blocks and the log above which the oldest blocks go; absent or 0: no limit. */
  readonly maxBytes?: number;
  /** Bytes of the blocks of one tenant above which its oldest go; absent or 0: no limit. */
  readonly maxTenantBytes?: number;
  /** Told one line for each thing that someone who runs the server should know. */
  readonly log: (line: string) => void;
  readonly flush?: Partial<FlushLimits>;
  readonly database?: Partial<DatabaseLimits>;
  readonly compaction?: Partial<CompactionLimits>;
  /** Where blocks are shipped to; absent: they are in the data directory alone. */
  readonly bucket?: BucketOptions | undefined;
  /** Looks at profiles when they become blocks; absent: nobody does. Asked only once the directory is this process's. */
  readonly observer?: FlushObserver | undefined;
  /** Called when the directory is this process's, before the log is replayed. */
  readonly onHeld?: () => void;
}
