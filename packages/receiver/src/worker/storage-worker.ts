import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import { expandRecord } from "../ingest/expand-record.ts";
import { SettingsFiles } from "../settings/settings-files.ts";
import { DirectoryBlobs } from "../store/directory-blobs.ts";
import { dataPaths } from "../store/filenames.ts";
import { openStore } from "../store/local-store.ts";
import { nodeFs } from "../store/node-fs.ts";
import { S3Blobs } from "../store/s3-blobs.ts";
import type { BucketOptions } from "../store/store-options.ts";
import { createLogger } from "../telemetry/log.ts";
import { serveRpc } from "./rpc.ts";
import { createStorage } from "./storage.ts";
import type { BucketPlace, StorageOptions } from "./storage-options.ts";
import { storageMethods } from "./storage-service.ts";

// The entry of the storage thread: nothing but what is chosen for a real machine.
if (parentPort === null) throw new Error("storage-worker.ts is the entry of a worker thread");
const options = workerData as StorageOptions;
const { retention } = options;
const log = createLogger(options.logLevel, "storage");

const storage = createStorage({
  openStore: async (onHeld) =>
    openStore({
      bucket: await openBucket(options.bucket),
      directory: options.directory,
      fs: nodeFs,
      clock: systemClock,
      expand: expandRecord,
      retentionMillis: retention.retentionMs,
      retentionLevels: retention.levelMs,
      maxBytes: retention.maxBytes,
      maxTenantBytes: retention.maxTenantBytes,
      compaction: { rollUpLevels: retention.rollUpLevels, maxNodes: retention.maxNodes },
      log: (line) => log.info(line),
      onHeld,
    }),
  settings: new SettingsFiles({ fs: nodeFs, directory: dataPaths(options.directory).settings }),
  queryLimits: options.queryLimits,
  clock: systemClock,
  log,
});
async function openBucket(place: BucketPlace | undefined): Promise<BucketOptions | undefined> {
  if (place === undefined) return undefined;
  const blobs =
    place.kind === "s3" ? await S3Blobs.create(nodeFs, place.s3) : new DirectoryBlobs(nodeFs, place.path);
  return { blobs, maxLocalBytes: place.maxLocalBytes };
}
serveRpc(parentPort, storage, storageMethods);
