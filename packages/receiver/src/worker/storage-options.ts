import { resolve } from "node:path";
import type { Target } from "../config/target.ts";
import type { BucketConfig, EngineConfig, LogLevel } from "../config.ts";
import type { QueryLimits } from "../query/query-service.ts";
import type { ProvisionedRules } from "../rules/provisioned-rules.ts";
import type { ClickHousePlace } from "../store/clickhouse/clickhouse-engine.ts";
import type { Level, RollUpLevel } from "../store/level.ts";
import type { BlobsPlace } from "../store/open-blobs.ts";

/** How long and how much is kept, and what of it in coarser form. */
interface StorageRetention {
  /** 0: nothing is deleted for its age. */
  readonly retentionMs: number;
  /** Of levels that have their own. */
  readonly levelMs: Readonly<Partial<Record<Level, number>>>;
  /** Of the ids of spans and traces in raw profiles; 0: as long as those. */
  readonly spanMs: number;
  /** Bytes; 0: no limit. */
  readonly maxBytes: number;
  readonly maxTenantBytes: number;
  readonly rollUpLevels: readonly RollUpLevel[];
  /** Stacks of one profile of a roll-up; 0: no limit. */
  readonly maxNodes: number;
}

/** Where blocks are kept beyond the data directory. */
export type BucketPlace = BlobsPlace & {
  /** Bytes of blocks that this machine keeps. */
  readonly maxLocalBytes: number;
};

/** The catalog that processes share, and what this one does. */
export interface SharedPlace {
  readonly postgresUrl: string;
  readonly target: Target;
}

/** The ClickHouse that the settings say sums up samples. */
export function toClickHousePlace(
  { engine, clickhouseUrl, clickhouseCluster, clickhouseCollection }: EngineConfig,
  bucket: BucketPlace | undefined,
): ClickHousePlace | undefined {
  if (engine !== "clickhouse" || clickhouseUrl === undefined || bucket?.kind !== "s3") return undefined;
  return {
    ...{ url: clickhouseUrl.reveal(), s3: bucket.s3 },
    ...{ cluster: clickhouseCluster, namedCollection: clickhouseCollection },
  };
}

/** What the storage thread is started with. Survives `structuredClone`; keys of the bucket stand in it as they are. */
export interface StorageOptions {
  /** The data directory. */
  readonly directory: string;
  readonly retention: StorageRetention;
  /** undefined: nowhere. */
  readonly bucket: BucketPlace | undefined;
  /** Set for a process that shares bucket and catalog with others. */
  readonly shared: SharedPlace | undefined;
  /** undefined: samples are summed up by this process. */
  readonly clickhouse: ClickHousePlace | undefined;
  readonly queryLimits: QueryLimits;
  /** As they stand in the configuration at the start: what earlier processes have counted for them is read with the blocks. */
  readonly provisionedRules: ProvisionedRules;
  readonly logLevel: LogLevel;
}

/** Where the settings say that blocks are kept. */
export function toBucketPlace(config: BucketConfig): BucketPlace | undefined {
  const { backend, directory, bucketName = "", accessKeyId, secretAccessKey, localLimitBytes } = config;
  const common = { maxLocalBytes: localLimitBytes };
  if (backend === "filesystem")
    return directory === undefined
      ? undefined
      : { kind: "directory", path: resolve(directory, config.prefix), ...common };
  const { region, endpoint, isPathStyle, prefix, hasConditionalWrites } = config;
  const credentials =
    accessKeyId === undefined || secretAccessKey === undefined
      ? undefined
      : { accessKeyId, secretAccessKey: secretAccessKey.reveal() };
  const s3 = { bucket: bucketName, region, endpoint, isPathStyle, prefix, credentials, hasConditionalWrites };
  return { kind: "s3", s3, ...common };
}

/** The catalog that the settings say is shared. */
export function toSharedPlace({ postgresUrl, target }: BucketConfig): SharedPlace | undefined {
  return postgresUrl && { postgresUrl: postgresUrl.reveal(), target };
}
