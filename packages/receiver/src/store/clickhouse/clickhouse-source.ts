import { blockKey } from "../block-keys.ts";
import type { S3Options } from "../s3-blobs.ts";
import { tables } from "../schema.ts";

/** A FROM term of ClickHouse with the samples of blocks, by their paths. */
export type ClickHouseSource = (paths: readonly string[]) => string;

/** The columns of samples as ClickHouse names their types. */
export const SAMPLE_COLUMNS: string =
  "type String, service String, series UInt64, time DateTime64(9, 'UTC'), profile UUID, stack UInt64, value Int64, " +
  "span_id Nullable(UInt64), trace_id Nullable(UUID)";

/** How ClickHouse reaches the bucket. */
export interface ClickHouseBucket {
  readonly s3: S3Options;
  /** Whose servers read files at once; undefined: the one that is asked reads them all. */
  readonly cluster: string | undefined;
  /** Named collection of the server that has address and keys; undefined: those of {@link s3}. */
  readonly namedCollection: string | undefined;
}

/** Objects of a bucket by `s3` or `s3Cluster`. */
export function bucketSource({ s3, cluster, namedCollection }: ClickHouseBucket): ClickHouseSource {
  const name = cluster === undefined ? "s3(" : `s3Cluster(${quoteClickHouse(cluster)}, `;
  const columns = quoteClickHouse(SAMPLE_COLUMNS);
  return (paths) => {
    const files = globOf(paths);
    if (namedCollection !== undefined) {
      const key = quoteClickHouse(s3.prefix + files);
      return `${name}${quoteIdentifier(namedCollection)}, filename = ${key}, format = 'Parquet', structure = ${columns})`;
    }
    // Of a URL, where a percent sign begins an encoded byte; those of tenants' names are part of keys.
    const url = quoteClickHouse(addressOf(s3) + (s3.prefix + files).replaceAll("%", "%25"));
    const { credentials } = s3;
    const keys =
      credentials === undefined
        ? ""
        : `${quoteClickHouse(credentials.accessKeyId)}, ${quoteClickHouse(credentials.secretAccessKey)}, `;
    return `${name}${url}, ${keys}'Parquet', ${columns})`;
  };
}

/** One pattern for the files of samples of all blocks: `blocks/{a,b}/profiles.parquet`. Paths have no character of patterns. */
export function globOf(paths: readonly string[]): string {
  const [only = ""] = paths;
  return blockKey(paths.length === 1 ? only : `{${paths.join(",")}}`, tables.samples.file);
}

function addressOf({ bucket, region, endpoint, isPathStyle }: S3Options): string {
  const base = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`);
  if (isPathStyle) return `${base.origin}/${bucket}/`;
  return `${base.protocol}//${bucket}.${base.host}/`;
}

/** A text of ClickHouse's SQL. */
function quoteClickHouse(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
}
