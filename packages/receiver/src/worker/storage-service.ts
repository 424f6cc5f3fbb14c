import type { PushService } from "../ingest/push-service.ts";
import type { QueryService } from "../query/query-service.ts";

/** What the storage thread does for the HTTP thread. */
export interface StorageService extends PushService, QueryService {
  /** Resolves when the replay is complete and writes are taken; rejects when the data directory cannot be used. */
  ready(): Promise<void>;
  /** Writes everything in memory into blocks. */
  flush(): Promise<void>;
  status(): Promise<StorageStatus>;
  /** Flushes and releases the data directory. A second call returns the first call's promise. */
  close(): Promise<void>;
}

/** The state of the storage, for `/ready` and `/metrics`. */
export interface StorageStatus {
  /** Why writes would be refused now; empty when they are taken. */
  readonly problems: readonly string[];
  readonly headRowCount: number;
  readonly headBytes: number;
  readonly blockCount: number;
  readonly walSegmentCount: number;
  readonly quarantinedCount: number;
}

/** Every method of {@link StorageService}: what can be called across the threads. */
export const storageMethods: readonly (keyof StorageService)[] = Object.keys({
  push: true,
  profileTypes: true,
  labelNames: true,
  labelValues: true,
  series: true,
  selectTree: true,
  selectDiffTree: true,
  exportStacks: true,
  selectTimeSeries: true,
  profileStats: true,
  ready: true,
  flush: true,
  status: true,
  close: true,
} satisfies { readonly [K in keyof StorageService]: true }) as (keyof StorageService)[];
