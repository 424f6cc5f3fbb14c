import { resolve } from "node:path";
import { type ConfigSources, resolveConfig } from "./config.ts";
import { ReceiverError } from "./errors.ts";
import type { BlobsPlace } from "./store/open-blobs.ts";
import { toBucketPlace, toSharedPlace } from "./worker/storage-options.ts";

/** What commands that look at blocks look at. */
export type StorePlace =
  | { readonly kind: "data"; readonly directory: string }
  | {
      readonly kind: "bucket";
      readonly blobs: BlobsPlace;
      /** Of the catalog; undefined: the objects say what there is. */
      readonly postgresUrl: string | undefined;
    };

const STORAGE_PATH = "storage-path";

/**
 * Where blocks are, by the settings of the server: the bucket, where there is one. A data directory that is named on the
 * command line comes before a bucket of the environment.
 *
 * @throws {@link ReceiverError} CONFIG_INVALID when the command line names both, or a setting cannot be used.
 */
export function resolveStorePlace(sources: ConfigSources): StorePlace {
  const config = resolveConfig(sources);
  const given = Object.entries(sources.flags ?? {}).filter(([, value]) => value !== undefined);
  const bucketFlag = given.find(([flag]) => flag !== STORAGE_PATH)?.[0];
  const isDirectoryGiven = given.some(([flag]) => flag === STORAGE_PATH);
  if (isDirectoryGiven && bucketFlag !== undefined) {
    throw new ReceiverError(`--${STORAGE_PATH} and --${bucketFlag}: give a data directory or a bucket`, {
      code: "CONFIG_INVALID",
    });
  }
  const bucket = isDirectoryGiven ? undefined : toBucketPlace(config.bucket);
  if (bucket === undefined) return { kind: "data", directory: resolve(config.storagePath) };
  return { kind: "bucket", blobs: bucket, postgresUrl: toSharedPlace(config.bucket)?.postgresUrl };
}
