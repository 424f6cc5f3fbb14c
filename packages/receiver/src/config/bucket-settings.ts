import type { BucketConfig, StorageBackend } from "../config.ts";
import type { SettingTable } from "./setting.ts";
import {
  keyPrefix,
  mebibytes,
  oneOf,
  optionalSecret,
  optionalText,
  optionalUrl,
  target,
  text,
  toggle,
} from "./setting-kinds.ts";

const MEBIBYTE = 1024 * 1024;
const BACKENDS: readonly StorageBackend[] = ["filesystem", "s3"];

/** Where blocks are kept beyond the data directory. */
export const bucketSettings: SettingTable<BucketConfig> = {
  backend: {
    ...oneOf(BACKENDS),
    flag: "storage.backend",
    fallback: "filesystem",
    help:
      "Where blocks are kept: `filesystem` is the data directory (and storage.filesystem.dir), `s3` a bucket of Amazon S3 " +
      "or of anything that speaks its protocol; the data directory then is a cache of it.",
  },
  directory: {
    ...optionalText,
    placeholder: "directory",
    flag: "storage.filesystem.dir",
    fallback: undefined,
    help: "A directory, such as one of NFS, that blocks are shipped to as to a bucket; unset: they stay in the data directory.",
  },
  target: {
    ...target,
    flag: "target",
    fallback: "all",
    help:
      "What the process does of a deployment that shares bucket and catalog: `all`, `write` takes pushes, `read` answers " +
      "queries, `compact` merges and deletes. Pyroscope's component names stand for these.",
  },
  postgresUrl: {
    ...optionalSecret,
    flag: "catalog.postgres-url",
    fallback: undefined,
    help:
      "Database for the catalog of blocks, such as postgres://user:password@host:5432/pyroscope: any number of processes then " +
      "share it and the bucket. `@FILE` reads it from a file. Unset: one process, one data directory.",
  },
  prefix: {
    ...keyPrefix,
    flag: "storage.prefix",
    fallback: "",
    help: "Path within the bucket, such as profiles/prod.",
  },
  localLimitBytes: {
    ...mebibytes,
    flag: "storage.local-limit-mb",
    fallback: 10_240 * MEBIBYTE,
    help:
      "Blocks that this machine keeps of those in the bucket; the longest unused go first. While the bucket cannot be " +
      "reached, pushes are taken until this much waits for it, then answered 503 with Retry-After.",
  },
  bucketName: {
    ...optionalText,
    flag: "storage.s3.bucket-name",
    fallback: undefined,
    help: "The bucket; it must exist.",
  },
  region: {
    ...text,
    flag: "storage.s3.region",
    fallback: "us-east-1",
    help: "Region of the bucket.",
  },
  endpoint: {
    ...optionalUrl,
    flag: "storage.s3.endpoint",
    fallback: undefined,
    help:
      "Address of a service other than Amazon's, such as https://storage.googleapis.com or " +
      "https://s3.oss-eu-central-1.aliyuncs.com.",
  },
  isPathStyle: {
    ...toggle,
    flag: "storage.s3.force-path-style",
    fallback: false,
    help: "Address objects as host/bucket/key instead of bucket.host/key.",
  },
  accessKeyId: {
    ...optionalText,
    flag: "storage.s3.access-key-id",
    fallback: undefined,
    help: "Access key; unset: what the AWS SDK finds, such as AWS_ACCESS_KEY_ID, a profile, or the machine's role.",
  },
  secretAccessKey: {
    ...optionalSecret,
    flag: "storage.s3.secret-access-key",
    fallback: undefined,
    help: "Secret of the access key. `@FILE` reads it from a file.",
  },
  hasConditionalWrites: {
    ...toggle,
    flag: "storage.s3.conditional-writes",
    fallback: true,
    help: "Write objects with If-None-Match, so that none is ever replaced; false for services that do not know it.",
  },
};
