import type { EngineConfig, QueryEngine } from "../config.ts";
import type { SettingTable } from "./setting.ts";
import { oneOf, optionalSecret, optionalText } from "./setting-kinds.ts";

const ENGINES: readonly QueryEngine[] = ["duckdb", "clickhouse"];

/** What sums up samples for queries. */
export const engineSettings: SettingTable<EngineConfig> = {
  engine: {
    ...oneOf(ENGINES),
    flag: "query-engine",
    fallback: "duckdb",
    help:
      "What sums up samples: `duckdb` in this process, or `clickhouse`, a server that exists and reads the same blocks in the " +
      "bucket; for deployments over S3 and PostgreSQL.",
  },
  clickhouseUrl: {
    ...optionalSecret,
    flag: "clickhouse.url",
    fallback: undefined,
    help: "The server, such as http://user:password@host:8123/database. `@FILE` reads it from a file.",
  },
  clickhouseCluster: {
    ...optionalText,
    placeholder: "name",
    flag: "clickhouse.cluster",
    fallback: undefined,
    help: "Cluster of the server whose machines read files at once (s3Cluster); unset: the server alone reads them.",
  },
  clickhouseCollection: {
    ...optionalText,
    placeholder: "name",
    flag: "clickhouse.named-collection",
    fallback: undefined,
    help:
      "Named collection of the server with url and keys of the bucket; unset: queries have the address and the keys of " +
      "storage.s3, which must be good for the server as well.",
  },
};
