import type { AdHocService } from "../adhoc/adhoc-service.ts";
import type { PushService } from "../ingest/push-service.ts";
import type { QueryService } from "../query/query-service.ts";
import type { ReaderStatus } from "../query/snapshot-reader.ts";
import type { RulesService } from "../rules/rules-service.ts";
import type { SettingsService } from "../settings/settings-service.ts";
import type { TenantRetention } from "../store/retention-rule.ts";
import type { Application, DeletionReport, StoreStatus } from "../store/store.ts";

/** How the storage is. */
export type StorageStatus = StoreStatus & ReaderStatus;

/** What the storage thread does for the HTTP thread. */
export interface StorageService
  extends PushService,
    QueryService,
    SettingsService,
    RulesService,
    AdHocService {
  /** Resolves when this process holds the data directory; the replay goes on. Rejects when another process holds it. */
  opened(): Promise<void>;
  /** Resolves when the replay is complete and writes are taken; rejects when the data directory cannot be used. */
  ready(): Promise<void>;
  /** Replaces what single tenants have instead of the retention of the settings. */
  setRetention(tenants: ReadonlyMap<string, TenantRetention>): Promise<void>;
  /** Hides an application and begins to take it out of the files; see {@link Store.deleteApplication}. */
  deleteApplication(application: Application): Promise<DeletionReport>;
  /** Writes everything in memory into blocks. */
  flush(): Promise<void>;
  /** How it is now. Before {@link StorageService.ready} resolves it waits for it. */
  status(): Promise<StorageStatus>;
  /** Flushes and releases the data directory. A second call returns the first call's promise. */
  close(): Promise<void>;
}

/** Every method of {@link StorageService}: what can be called across the threads. */
export const storageMethods: readonly (keyof StorageService)[] = Object.keys({
  push: true,
  profileTypes: true,
  labelNames: true,
  labelValues: true,
  series: true,
  cardinality: true,
  selectTree: true,
  selectDiffTree: true,
  exportStacks: true,
  selectTimeSeries: true,
  selectHeatmap: true,
  selectSpans: true,
  analyzeQuery: true,
  profileStats: true,
  listSettings: true,
  setSetting: true,
  deleteSetting: true,
  provisionRules: true,
  listRules: true,
  upsertRule: true,
  deleteRule: true,
  recorded: true,
  uploadAdHoc: true,
  getAdHoc: true,
  listAdHoc: true,
  diffAdHoc: true,
  setRetention: true,
  deleteApplication: true,
  opened: true,
  ready: true,
  flush: true,
  status: true,
  close: true,
} satisfies { readonly [K in keyof StorageService]: true }) as (keyof StorageService)[];
