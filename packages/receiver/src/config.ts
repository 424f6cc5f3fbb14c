import type { AuthToken } from "./config/auth-tokens.ts";
import { type BindAddress, formatBindAddress, isLoopback } from "./config/bind-address.ts";
import { bucketSettings } from "./config/bucket-settings.ts";
import { engineSettings } from "./config/engine-settings.ts";
import type { ForwardTarget } from "./config/forward-target.ts";
import { ingestLimitSettings, queryLimitSettings, ruleLimitSettings } from "./config/limit-settings.ts";
import { type LimitsPreset, presetLimits } from "./config/limits-preset.ts";
import type { Secret } from "./config/secret.ts";
import { serverSettings } from "./config/server-settings.ts";
import { type FileReader, type Setting, type SettingTable, toEnvironmentName } from "./config/setting.ts";
import type { Target } from "./config/target.ts";
import { ReceiverError } from "./errors.ts";
import type { IngestLimits } from "./ingest/limits.ts";
import type { QueryLimits } from "./query/query-service.ts";
import type { RuleLimits } from "./rules/rule-limits.ts";
import type { Level, RollUpLevel } from "./store/level.ts";

/** Words of `--log-level`, from silent to chatty. */
export type LogLevel = "error" | "warn" | "info" | "debug" | "trace";

/** Settings of the process itself. */
export interface ServerConfig {
  readonly bindAddress: BindAddress;
  /** The data directory. */
  readonly storagePath: string;
  /** Empty: no credentials are asked for. */
  readonly authTokens: readonly AuthToken[];
  /** Allows to listen beyond loopback without tokens. */
  readonly isInsecure: boolean;
  /** PEM; both or none. */
  readonly tlsCertificateFile: string | undefined;
  readonly tlsKeyFile: string | undefined;
  /** Tenants come from `X-Scope-OrgID`; off: there is one tenant, `anonymous`. */
  readonly isMultitenancyEnabled: boolean;
  /** Overrides of limits by tenant; undefined: there are none. */
  readonly runtimeConfigFile: string | undefined;
  /** How often that file is read again. */
  readonly runtimeConfigReloadMs: number;
  /** Profiles older than this are deleted; 0: never. */
  readonly retentionMs: number;
  /** The same for levels that have their own. */
  readonly retentionLevels: Readonly<Partial<Record<Level, number>>>;
  /** Raw profiles older than this lose the ids of spans and traces; 0: never. */
  readonly exemplarsRetentionMs: number;
  /** Bytes of the data directory, and of the blocks of one tenant, above which the oldest blocks go; 0: no limit. */
  readonly storageMaxBytes: number;
  readonly tenantStorageMaxBytes: number;
  /** Levels that raw blocks are rolled up to. */
  readonly rollUpLevels: readonly RollUpLevel[];
  /** Stacks of one profile of a roll-up; 0: no limit. */
  readonly maxNodesSerialization: number;
  /** Path prefix under which a proxy shows the server; empty: none. */
  readonly baseUrl: string;
  /** Address of a trace in another program, with placeholders; undefined: traces are not linked to. */
  readonly traceUrl: string | undefined;
  /** Services that lists of services leave out. */
  readonly hiddenApplications: readonly string[];
  /** Another Pyroscope that gets a copy of every accepted push; undefined: none does. */
  readonly forwardTo: ForwardTarget | undefined;
  /** Value of the header Authorization for it, instead of the user and password of its address. */
  readonly forwardAuthorization: Secret | undefined;
  /** Most bytes of pushes that wait for it. */
  readonly forwardQueueBytes: number;
  /** Whose numbers limits have that are not set. */
  readonly limitsPreset: LimitsPreset;
  readonly logLevel: LogLevel;
  /** Bytes of request bodies held at once, over all connections. */
  readonly maxInflightBytes: number;
  /** Longest that a push may wait until it is stored; 0: no limit. */
  readonly maxPushWaitMs: number;
  readonly maxConnections: number;
  /** From the first byte of a request to its last. Also bounds how long a client may stop reading a response. */
  readonly readTimeoutMs: number;
  /** How long a connection is kept without a request. */
  readonly idleTimeoutMs: number;
  /** How long a stopping server waits for requests in flight. */
  readonly shutdownTimeoutMs: number;
}

/** Words of `--storage.backend`. */
export type StorageBackend = "filesystem" | "s3";

/** Settings of where blocks are kept beyond the data directory. */
export interface BucketConfig {
  readonly backend: StorageBackend;
  /** Shipped to as to a bucket; undefined: blocks stay in the data directory. */
  readonly directory: string | undefined;
  /** What this process does of a deployment; one with a directory of its own does everything. */
  readonly target: Target;
  /** The catalog that processes share; undefined: there is one process. */
  readonly postgresUrl: Secret | undefined;
  /** Empty, or with a `/` at its end. */
  readonly prefix: string;
  readonly localLimitBytes: number;
  readonly bucketName: string | undefined;
  readonly region: string;
  readonly endpoint: string | undefined;
  readonly isPathStyle: boolean;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: Secret | undefined;
  readonly hasConditionalWrites: boolean;
}

/** Words of `--query-engine`. */
export type QueryEngine = "duckdb" | "clickhouse";

/** What sums up samples for queries. */
export interface EngineConfig {
  readonly engine: QueryEngine;
  /** With user and password. */
  readonly clickhouseUrl: Secret | undefined;
  readonly clickhouseCluster: string | undefined;
  readonly clickhouseCollection: string | undefined;
}

/** Everything a receiver is told from outside. Frozen; nothing downstream reads flags or the environment. */
export interface ReceiverConfig extends ServerConfig {
  readonly bucket: BucketConfig;
  readonly engine: EngineConfig;
  readonly ingestLimits: IngestLimits;
  readonly queryLimits: QueryLimits;
  readonly ruleLimits: RuleLimits;
}

/** Where settings come from, in order of precedence: flags, environment, default. */
export interface ConfigSources {
  /** Values by flag name without dashes; a flag that was not given is absent. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Reads the files that `@FILE` names. */
  readonly readFile?: FileReader;
}

/** One setting, without its type: for `--help`, docs and the startup log. */
export interface SettingRow {
  readonly group:
    | "Server"
    | "Object storage"
    | "Query engine"
    | "Limits of pushes"
    | "Limits of queries"
    | "Limits of recording rules";
  readonly flag: string;
  readonly environmentName: string;
  readonly placeholder: string | undefined;
  readonly defaultText: string;
  readonly help: string;
}

/** Every setting, in the order in which they are documented. */
export const settingRows: readonly SettingRow[] = [
  ...toRows("Server", serverSettings),
  ...toRows("Object storage", bucketSettings),
  ...toRows("Query engine", engineSettings),
  ...toRows("Limits of pushes", ingestLimitSettings),
  ...toRows("Limits of queries", queryLimitSettings),
  ...toRows("Limits of recording rules", ruleLimitSettings),
];

/**
 * Resolves every setting and checks those that depend on each other.
 *
 * @throws {@link ReceiverError} `CONFIG_INVALID` in one line: the flag or variable, its value (never a secret one) and
 * what was expected.
 */
export function resolveConfig(sources: ConfigSources = {}): ReceiverConfig {
  const server = resolveTable(serverSettings, sources);
  const preset = presetLimits[server.limitsPreset];
  const config: ReceiverConfig = Object.freeze({
    ...server,
    bucket: resolveTable(bucketSettings, sources),
    engine: resolveTable(engineSettings, sources),
    ingestLimits: resolveTable(ingestLimitSettings, sources, preset.ingest),
    queryLimits: resolveTable(queryLimitSettings, sources, preset.query),
    ruleLimits: resolveTable(ruleLimitSettings, sources),
  });
  checkConfig(config);
  return config;
}

/** A setting and what it is, as text; a secret one is masked. */
export interface SettingValue {
  readonly row: SettingRow;
  readonly value: string;
}

/** Every setting with its value, in the order in which they are documented. */
export function listSettingValues(config: ReceiverConfig): readonly SettingValue[] {
  const values = [
    ...formatTable(serverSettings, config),
    ...formatTable(bucketSettings, config.bucket),
    ...formatTable(engineSettings, config.engine),
    ...formatTable(ingestLimitSettings, config.ingestLimits),
    ...formatTable(queryLimitSettings, config.queryLimits),
    ...formatTable(ruleLimitSettings, config.ruleLimits),
  ];
  return settingRows.map((row, i) => ({ row, value: values[i] ?? "" }));
}

/** The settings that are not at their default, by flag, as text; secrets are masked. */
export function describeConfig(config: ReceiverConfig): Readonly<Record<string, string>> {
  const changed = listSettingValues(config).filter(({ row, value }) => value !== row.defaultText);
  return Object.fromEntries(changed.map(({ row, value }) => [row.flag, value]));
}

/** @param preset - defaults that take the place of the table's. */
function resolveTable<Config extends object>(
  table: SettingTable<Config>,
  sources: ConfigSources,
  preset: Partial<Config> = {},
): Config {
  const entries = listSettings(table).map(([key, setting]) => {
    const fallback = preset[key as keyof Config] ?? setting.fallback;
    return [key, resolveSetting({ ...setting, fallback }, sources)] as const;
  });
  return Object.freeze(Object.fromEntries(entries)) as Config;
}

function resolveSetting(setting: Setting<unknown>, sources: ConfigSources): unknown {
  const flag = sources.flags?.[setting.flag];
  if (flag !== undefined) return parseSetting(setting, `--${setting.flag}`, flag, sources);
  const name = toEnvironmentName(setting.flag);
  const variable = sources.environment?.[name];
  // An empty variable is how a Compose file or a shell says "not set".
  if (variable === undefined || variable === "") return setting.fallback;
  return parseSetting(setting, name, variable, sources);
}

function parseSetting(
  setting: Setting<unknown>,
  source: string,
  raw: string,
  sources: ConfigSources,
): unknown {
  const shown = setting.isSecret ? "***" : raw;
  const readFile: FileReader = (path) => {
    if (sources.readFile === undefined) throw new Error("no files can be read here");
    return sources.readFile(path);
  };
  let value: unknown;
  try {
    value = setting.parse(raw, readFile);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReceiverError(`${source}=${shown}: ${reason}`, { code: "CONFIG_INVALID", cause: error });
  }
  if (value === undefined) {
    throw new ReceiverError(`${source}=${shown}: expected ${setting.expects}`, { code: "CONFIG_INVALID" });
  }
  return value;
}

function checkConfig(config: ReceiverConfig): void {
  if ((config.tlsCertificateFile === undefined) !== (config.tlsKeyFile === undefined)) {
    throw new ReceiverError("--tls-certificate-file and --tls-key-file: give both or none", {
      code: "CONFIG_INVALID",
    });
  }
  if (!isLoopback(config.bindAddress) && config.authTokens.length === 0 && !config.isInsecure) {
    const address = formatBindAddress(config.bindAddress);
    throw new ReceiverError(
      `--api-bind-addr=${address}: anyone who can reach this address could read and write profiles; ` +
        "set --auth-token push=TOKEN,read=TOKEN, or --insecure if that is meant",
      { code: "CONFIG_INVALID" },
    );
  }
  checkBucket(config.bucket);
  checkEngine(config.engine, config.bucket);
  if (config.forwardAuthorization !== undefined && config.forwardTo === undefined) {
    throw new ReceiverError("--forward-auth-token: --forward-to is missing", { code: "CONFIG_INVALID" });
  }
  const { maxFlamegraphNodesDefault, maxFlamegraphNodesMax } = config.queryLimits;
  if (maxFlamegraphNodesDefault > maxFlamegraphNodesMax) {
    throw new ReceiverError(
      `--max-flamegraph-nodes-default=${maxFlamegraphNodesDefault}: ` +
        `expected at most --max-flamegraph-nodes-max, which is ${maxFlamegraphNodesMax}`,
      { code: "CONFIG_INVALID" },
    );
  }
}

function checkBucket(config: BucketConfig): void {
  const { backend, bucketName, accessKeyId, secretAccessKey, directory, target, postgresUrl } = config;
  const refuse = (text: string): never => {
    throw new ReceiverError(text, { code: "CONFIG_INVALID" });
  };
  if (backend === "s3" && bucketName === undefined)
    refuse("--storage.backend=s3: expected the bucket's name in --storage.s3.bucket-name");
  if (target !== "all" && postgresUrl === undefined)
    refuse(`--target=${target}: expected --catalog.postgres-url beside it, the catalog that the parts share`);
  if (postgresUrl !== undefined && backend === "filesystem" && directory === undefined)
    refuse(
      "--catalog.postgres-url: expected a bucket beside it, --storage.backend=s3 or --storage.filesystem.dir",
    );
  if (backend === "s3" && directory !== undefined)
    refuse("--storage.filesystem.dir and --storage.backend=s3: give one of them");
  if (backend === "filesystem" && bucketName !== undefined)
    refuse(`--storage.s3.bucket-name=${bucketName}: expected --storage.backend=s3 beside it`);
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    refuse("--storage.s3.access-key-id and --storage.s3.secret-access-key: give both or none");
}

function checkEngine(config: EngineConfig, { backend, postgresUrl }: BucketConfig): void {
  const { engine, clickhouseUrl, clickhouseCluster, clickhouseCollection } = config;
  const refuse = (text: string): never => {
    throw new ReceiverError(text, { code: "CONFIG_INVALID" });
  };
  if (engine !== "clickhouse") {
    const given = [clickhouseUrl, clickhouseCluster, clickhouseCollection];
    if (given.some((value) => value !== undefined))
      refuse("--clickhouse.*: expected --query-engine=clickhouse beside it");
    return;
  }
  const url =
    clickhouseUrl?.reveal() ?? refuse("--query-engine=clickhouse: expected the server in --clickhouse.url");
  if (!URL.canParse(url) || !["http:", "https:"].includes(new URL(url).protocol))
    refuse("--clickhouse.url=***: expected a URL such as http://user:password@host:8123/database");
  if (backend !== "s3" || postgresUrl === undefined)
    refuse("--query-engine=clickhouse: expected --storage.backend=s3 and --catalog.postgres-url beside it");
}

function formatTable<Config extends object>(table: SettingTable<Config>, config: Config): readonly string[] {
  return listSettings(table).map(([key, setting]) => setting.format(config[key as keyof Config]));
}

function toRows<Config extends object>(
  group: SettingRow["group"],
  table: SettingTable<Config>,
): SettingRow[] {
  return listSettings(table).map(([, setting]) => ({
    group,
    flag: setting.flag,
    environmentName: toEnvironmentName(setting.flag),
    placeholder: setting.placeholder,
    defaultText: setting.format(setting.fallback),
    help: setting.help,
  }));
}

function listSettings<Config extends object>(table: SettingTable<Config>): [string, Setting<unknown>][] {
  // The table is heterogeneous; each row is only ever used with its own value.
  return Object.entries(table) as [string, Setting<unknown>][];
}
