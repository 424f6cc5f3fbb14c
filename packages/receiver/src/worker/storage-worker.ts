import { parentPort, workerData } from "node:worker_threads";
import { AdHocFiles, type AdHocFilesOptions } from "../adhoc/adhoc-files.ts";
import { AdHocProfiles } from "../adhoc/adhoc-profiles.ts";
import { systemClock } from "../clock.ts";
import { expandRecord } from "../ingest/expand-record.ts";
import { Recorder } from "../rules/recorder.ts";
import { RuleFiles } from "../rules/rule-files.ts";
import { RuleRows } from "../rules/rule-rows.ts";
import { SettingsFiles } from "../settings/settings-files.ts";
import { SettingsRows } from "../settings/settings-rows.ts";
import { ClickHouseEngine } from "../store/clickhouse/clickhouse-engine.ts";
import { DirectoryBlobs } from "../store/directory-blobs.ts";
import { dataPaths } from "../store/filenames.ts";
import { openStore } from "../store/local-store.ts";
import { nodeFs } from "../store/node-fs.ts";
import { openBlobs } from "../store/open-blobs.ts";
import { Postgres } from "../store/shared/postgres.ts";
import { openSharedStore } from "../store/shared/shared-store.ts";
import type { BucketOptions } from "../store/store-options.ts";
import { createLogger } from "../telemetry/log.ts";
import { serveRpc } from "./rpc.ts";
import { createStorage, type StorageParts } from "./storage.ts";
import type { BucketPlace, SharedPlace, StorageOptions } from "./storage-options.ts";
import { storageMethods } from "./storage-service.ts";

/** How often blocks are looked through for those that can become one. */
const COMPACTION_INTERVAL_MS = 60_000;
/** The same where a block comes every second from every process that writes. */
const SHARED_COMPACTION_INTERVAL_MS = 3000;

// The entry of the storage thread: nothing but what is chosen for a real machine.
if (parentPort === null) throw new Error("storage-worker.ts is the entry of a worker thread");
const options = workerData as StorageOptions;
const { retention, shared, bucket } = options;
const log = createLogger(options.logLevel, "storage");
const common = {
  directory: options.directory,
  fs: nodeFs,
  clock: systemClock,
  retentionMillis: retention.retentionMs,
  retentionLevels: retention.levelMs,
  spanRetentionMillis: retention.spanMs,
  maxBytes: retention.maxBytes,
  maxTenantBytes: retention.maxTenantBytes,
  compaction: { rollUpLevels: retention.rollUpLevels, maxNodes: retention.maxNodes },
  log: (line: string) => log.info(line),
};
const ruleParts = { provisioned: options.provisionedRules, clock: systemClock, log: common.log };

const parts =
  shared === undefined || bucket === undefined ? ownStorage() : await sharedStorage(shared, bucket);
serveRpc(
  parentPort,
  createStorage({ ...parts, queryLimits: options.queryLimits, clock: systemClock, log }),
  storageMethods,
);

type Kind = Pick<StorageParts, "openStore" | "settings" | "rules" | "adHoc" | "compactionIntervalMs">;

function ownStorage(): Kind {
  const paths = dataPaths(options.directory);
  const rules = new Recorder({
    book: new RuleFiles({ fs: nodeFs, clock: systemClock, directory: paths.rules }),
    totals: { fs: nodeFs, directory: paths.recorded },
    ...ruleParts,
  });
  return {
    rules,
    openStore: async (onHeld) => {
      const opened = bucket && (await openBucket(bucket));
      return await openStore({ ...common, bucket: opened, expand: expandRecord, observer: rules, onHeld });
    },
    settings: new SettingsFiles({ fs: nodeFs, directory: paths.settings }),
    adHoc: adHocIn({
      blobs: new DirectoryBlobs(nodeFs, paths.adHoc),
      prefix: "",
      place: "adhoc/ of the data directory",
    }),
    compactionIntervalMs: COMPACTION_INTERVAL_MS,
  };
}

async function sharedStorage({ postgresUrl, target }: SharedPlace, place: BucketPlace): Promise<Kind> {
  const postgres = await Postgres.create(postgresUrl);
  const opened = await openBucket(place);
  const does = (part: typeof target): boolean => target === "all" || target === part;
  const engine = options.clickhouse && (await ClickHouseEngine.create(options.clickhouse));
  const role = { writes: does("write"), reads: does("read"), compacts: does("compact") };
  const rules = new Recorder({ book: new RuleRows(postgres, systemClock), ...ruleParts });
  return {
    rules,
    openStore: async (onHeld) =>
      await openSharedStore({ ...common, ...opened, postgres, role, engine, observer: rules, onHeld }),
    settings: new SettingsRows(postgres),
    adHoc: adHocIn({ blobs: opened.blobs, prefix: "adhoc/", place: "adhoc/ of the bucket" }),
    compactionIntervalMs: role.compacts ? SHARED_COMPACTION_INTERVAL_MS : undefined,
  };
}

function adHocIn(place: Pick<AdHocFilesOptions, "blobs" | "prefix" | "place">): AdHocProfiles {
  const drafts = dataPaths(options.directory).adHocDrafts;
  return new AdHocProfiles({ files: new AdHocFiles({ ...place, fs: nodeFs, drafts }), clock: systemClock });
}

async function openBucket(place: BucketPlace): Promise<BucketOptions> {
  return { blobs: await openBlobs(place), maxLocalBytes: place.maxLocalBytes };
}
