import { describe, expect, it } from "vitest";
import { resolveStorePlace } from "./store-place.ts";

const environment = {
  PYROSCOPE_STORAGE_BACKEND: "s3",
  PYROSCOPE_STORAGE_S3_BUCKET_NAME: "profiles",
  PYROSCOPE_STORAGE_PREFIX: "prod",
  PYROSCOPE_CATALOG_POSTGRES_URL: "postgres://db",
};

describe("resolveStorePlace", () => {
  it("is the bucket of the settings, with its catalog", () => {
    expect(resolveStorePlace({ environment })).toMatchObject({
      kind: "bucket",
      blobs: { kind: "s3", s3: { bucket: "profiles", prefix: "prod/" } },
      postgresUrl: "postgres://db",
    });
    const flags = { "storage.filesystem.dir": "/mnt/blocks", "storage-path": undefined };
    expect(resolveStorePlace({ flags })).toMatchObject({
      kind: "bucket",
      blobs: { kind: "directory", path: "/mnt/blocks" },
      postgresUrl: undefined,
    });
  });

  it("is the data directory where there is no bucket, or where the command line names it", () => {
    const path = { PYROSCOPE_STORAGE_PATH: "/data" };
    expect(resolveStorePlace({ environment: path })).toEqual({ kind: "data", directory: "/data" });
    const flags = { "storage-path": "/other" };
    expect(resolveStorePlace({ environment, flags })).toEqual({ kind: "data", directory: "/other" });
  });

  it("refuses a command line that names both", () => {
    const flags = { "storage-path": "/data", "storage.filesystem.dir": "/mnt" };
    expect(() => resolveStorePlace({ flags })).toThrow(
      "--storage-path and --storage.filesystem.dir: give a data directory or a bucket",
    );
  });
});
