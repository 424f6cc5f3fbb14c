import type { AdHocService } from "../adhoc/adhoc-service.ts";
import type { Clock } from "../clock.ts";
import { ReceiverError } from "../errors.ts";
import { Ingester } from "../ingest/ingester.ts";
import { Querier } from "../query/querier.ts";
import type { QueryLimits } from "../query/query-service.ts";
import type { RulesService } from "../rules/rules-service.ts";
import type { SettingsService } from "../settings/settings-service.ts";
import type { TenantRetention } from "../store/retention-rule.ts";
import type { Store } from "../store/store.ts";
import type { ReceiverLogger } from "../telemetry/log.ts";
import type { StorageService } from "./storage-service.ts";

/** How often blocks are looked through for those past their retention. */
const RETENTION_INTERVAL_MS = 15 * 60_000;

/** What {@link createStorage} works with. */
export interface StorageParts {
  /** Opens the store; calls `onHeld` when the data directory is this process's, before the replay. */
  readonly openStore: (onHeld: () => void) => Promise<Store>;
  /** Asked only once the data directory is this process's. */
  readonly settings: SettingsService;
  /** Asked only once the data directory is this process's. */
  readonly rules: RulesService;
  /** Asked only once the data directory is this process's. */
  readonly adHoc: AdHocService;
  readonly queryLimits: QueryLimits;
  /** How often blocks are looked through for those that can become one; undefined: merging and deleting is others' work. */
  readonly compactionIntervalMs: number | undefined;
  readonly clock: Clock;
  readonly log: ReceiverLogger;
}

/** The whole storage: a store, what writes to it, what reads from it. Opens the store at once. */
export function createStorage(parts: StorageParts): StorageService {
  const { openStore, settings, rules, adHoc, log } = parts;
  let retentions: ReadonlyMap<string, TenantRetention> = new Map();
  let hold: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    hold = resolve;
  });
  const opening = openStore(hold)
    .catch(toOpenError)
    .then((store) => assemble(store, parts, () => retentions));
  // Whoever waits hears of a failure; nobody may be waiting yet.
  opening.catch(() => undefined);
  let closing: Promise<void> | undefined;

  const close = async (): Promise<void> => {
    const { store, stopMaintenance } = await opening;
    stopMaintenance();
    await store.close();
  };

  return {
    async opened() {
      await Promise.race([held, opening]);
    },
    async ready() {
      await opening;
    },
    close() {
      closing ??= close();
      return closing;
    },
    async setRetention(tenants) {
      retentions = tenants;
    },
    async deleteApplication(application) {
      const { store } = await opening;
      const report = await store.deleteApplication(application);
      // Names of applications are their users' business: the log has none.
      log.info({ tenant: application.tenant, ...report }, "application deleted");
      if (parts.compactionIntervalMs !== undefined) {
        store.compact().catch((error: unknown) => log.error({ err: error }, "compaction after a deletion"));
      }
      return report;
    },
    flush: async () => (await opening).store.flush(),
    status: async () => {
      const { store, query } = await opening;
      return { ...store.status(), ...query.status };
    },
    push: async (batch) => (await opening).ingester.push(batch),
    profileTypes: async (query, options) => (await opening).query.profileTypes(query, options),
    labelNames: async (query, options) => (await opening).query.labelNames(query, options),
    labelValues: async (query, options) => (await opening).query.labelValues(query, options),
    series: async (query, options) => (await opening).query.series(query, options),
    cardinality: async (query, options) => (await opening).query.cardinality(query, options),
    selectTree: async (query, options) => (await opening).query.selectTree(query, options),
    selectDiffTree: async (query, options) => (await opening).query.selectDiffTree(query, options),
    exportStacks: async (query, options) => (await opening).query.exportStacks(query, options),
    selectTimeSeries: async (query, options) => (await opening).query.selectTimeSeries(query, options),
    selectHeatmap: async (query, options) => (await opening).query.selectHeatmap(query, options),
    selectSpans: async (query, options) => (await opening).query.selectSpans(query, options),
    analyzeQuery: async (query, options) => (await opening).query.analyzeQuery(query, options),
    profileStats: async (query) => (await opening).query.profileStats(query),
    ...onceOpen(opening, settings, rules, adHoc),
  };
}

/** What is not in the store, and is the data directory's all the same. */
function onceOpen(
  opening: Promise<unknown>,
  settings: SettingsService,
  rules: RulesService,
  adHoc: AdHocService,
): SettingsService & RulesService & AdHocService {
  return {
    listSettings: async (query) => {
      await opening;
      return await settings.listSettings(query);
    },
    setSetting: async (command) => {
      await opening;
      return await settings.setSetting(command);
    },
    deleteSetting: async (command) => {
      await opening;
      await settings.deleteSetting(command);
    },
    provisionRules: (provisioned) => rules.provisionRules(provisioned),
    listRules: async (query) => {
      await opening;
      return await rules.listRules(query);
    },
    upsertRule: async (command) => {
      await opening;
      return await rules.upsertRule(command);
    },
    deleteRule: async (command) => {
      await opening;
      await rules.deleteRule(command);
    },
    recorded: async (query) => {
      await opening;
      return await rules.recorded(query);
    },
    uploadAdHoc: async (command) => {
      await opening;
      return await adHoc.uploadAdHoc(command);
    },
    getAdHoc: async (query) => {
      await opening;
      return await adHoc.getAdHoc(query);
    },
    listAdHoc: async (query) => {
      await opening;
      return await adHoc.listAdHoc(query);
    },
    diffAdHoc: async (query) => {
      await opening;
      return await adHoc.diffAdHoc(query);
    },
  };
}

/** An open store, and what works on it. */
interface OpenStorage {
  readonly store: Store;
  readonly query: Querier;
  readonly ingester: Ingester;
  readonly stopMaintenance: () => void;
}

function assemble(
  store: Store,
  { queryLimits, compactionIntervalMs, clock, log }: StorageParts,
  retentionsOf: () => ReadonlyMap<string, TenantRetention>,
): OpenStorage {
  const query = new Querier({ store, limits: queryLimits, clock });
  const ingester = new Ingester({
    store,
    clock,
    log: (message, error) => log.error({ err: error }, message),
  });
  const stopMaintenance = maintain(store, compactionIntervalMs, retentionsOf, clock, log);
  return { store, query, ingester, stopMaintenance };
}

/** Whatever else stands in the way of a directory is the disk's or its owner's: a path that is a file, missing rights. */
function toOpenError(error: unknown): never {
  if (error instanceof ReceiverError) throw error;
  const reason = error instanceof Error ? error.message : String(error);
  throw new ReceiverError(`opening the data directory: ${reason}`, {
    code: "STORAGE_UNAVAILABLE",
    cause: error,
  });
}

/** Merges blocks and applies the retention now and then; returns what stops it. */
function maintain(
  store: Store,
  compactionIntervalMs: number | undefined,
  retentionsOf: () => ReadonlyMap<string, TenantRetention>,
  clock: Clock,
  log: ReceiverLogger,
): () => void {
  if (compactionIntervalMs === undefined) return () => undefined;
  const stops = [
    repeat(clock, compactionIntervalMs, log, "compaction", async () => {
      const report = await store.compact();
      if (report.writtenBlockCount > 0 || report.failureCount > 0) log.info(report, "compaction");
    }),
    repeat(clock, RETENTION_INTERVAL_MS, log, "retention", async () => {
      const report = await store.applyRetention(retentionsOf());
      if (Object.values(report).some((count) => count > 0)) log.info(report, "retention");
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Does something again and again, so long after it was done; returns what stops it. */
function repeat(
  clock: Clock,
  intervalMs: number,
  log: ReceiverLogger,
  name: string,
  act: () => Promise<void>,
): () => void {
  let isStopped = false;
  const run = async (): Promise<void> => {
    try {
      await act();
    } catch (error) {
      log.error({ err: error }, `${name} failed; it is tried again`);
    }
    if (!isStopped) timer = clock.setTimer(() => void run(), intervalMs);
  };
  let timer = clock.setTimer(() => void run(), intervalMs);
  return () => {
    isStopped = true;
    timer.cancel();
  };
}
