import type { LogLevel, ServerConfig } from "../config.ts";
import { ROLL_UP_LEVELS } from "../store/level.ts";
import { bearerToken, forwardTarget } from "./forward-target.ts";
import { LIMITS_PRESETS } from "./limits-preset.ts";
import type { SettingTable } from "./setting.ts";
import {
  authTokens,
  bindAddress,
  count,
  duration,
  levelDurations,
  mebibytes,
  names,
  oneOf,
  optionalFile,
  pathPrefix,
  positiveCount,
  positiveDuration,
  rollUpLevels,
  text,
  toggle,
} from "./setting-kinds.ts";
import { traceUrl } from "./trace-url.ts";

const MEBIBYTE = 1024 * 1024;
const SECOND_MS = 1000;
const DAY_MS = 86_400 * SECOND_MS;
const LOG_LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug", "trace"];

/** Settings of the process itself. */
export const serverSettings: SettingTable<ServerConfig> = {
  bindAddress: {
    ...bindAddress,
    flag: "api-bind-addr",
    fallback: { host: "127.0.0.1", port: 4040 },
    help: "Where to listen, for HTTP/1.1, HTTP/2 and gRPC alike. `:4040` is every interface; port 0 is any free one.",
  },
  storagePath: {
    ...text,
    placeholder: "directory",
    flag: "storage-path",
    fallback: "./data",
    help: "The data directory. One process at a time.",
  },
  authTokens: {
    ...authTokens,
    flag: "auth-token",
    fallback: [],
    help:
      "Tokens that clients must send (Bearer, or as the password of Basic): `push=TOKEN,read=TOKEN,admin=TOKEN`; admin deletes. " +
      "`@FILE` reads the list from a file, `push=@FILE` one token. A role may have several.",
  },
  isInsecure: {
    ...toggle,
    flag: "insecure",
    fallback: false,
    help: "Allow to listen beyond loopback without tokens.",
  },
  tlsCertificateFile: {
    ...optionalFile,
    flag: "tls-certificate-file",
    fallback: undefined,
    help: "PEM certificate chain; with --tls-key-file the server speaks TLS.",
  },
  tlsKeyFile: {
    ...optionalFile,
    flag: "tls-key-file",
    fallback: undefined,
    help: "PEM private key of the certificate.",
  },
  isMultitenancyEnabled: {
    ...toggle,
    flag: "auth.multitenancy-enabled",
    fallback: false,
    help: "Take the tenant from X-Scope-OrgID, which every request then needs; off: one tenant, the header is ignored.",
  },
  runtimeConfigFile: {
    ...optionalFile,
    flag: "runtime-config.file",
    fallback: undefined,
    help: "YAML with limits of single tenants (`overrides:`, then tenant, then limits by name); followed while the server runs. A path, or the http(s) URL of a server that hands it out. Several: commas between them, a later one goes before an earlier one.",
  },
  runtimeConfigReloadMs: {
    ...positiveDuration,
    flag: "runtime-config.reload-period",
    fallback: 5 * SECOND_MS,
    help: "How often that file is read again.",
  },
  retentionMs: {
    ...duration,
    flag: "retention",
    fallback: 30 * DAY_MS,
    help: "Delete profiles that are older. 0: keep everything.",
  },
  retentionLevels: {
    ...levelDurations,
    flag: "retention-levels",
    fallback: {},
    help:
      "Other retention of single levels: raw=30d,5m=90d,1h=1y,1h-service=2y,1d-service=5y, or by number, 0 (raw) to 4. " +
      "Profiles that went live on in the coarser levels that are kept longer.",
  },
  exemplarsRetentionMs: {
    ...duration,
    flag: "exemplars-retention",
    fallback: 0,
    help: "Take the ids of spans and traces out of raw profiles that are older; their samples stay. 0: keep them as long as the profiles.",
  },
  storageMaxBytes: {
    ...mebibytes,
    flag: "storage-max-mb",
    fallback: 0,
    help: "Most bytes of the data directory; above it the oldest blocks go, whatever their age. 0: no limit.",
  },
  tenantStorageMaxBytes: {
    ...mebibytes,
    flag: "tenant-storage-max-mb",
    fallback: 0,
    help: "Most bytes of the blocks of one tenant; above it the tenant's oldest go. 0: no limit.",
  },
  rollUpLevels: {
    ...rollUpLevels,
    flag: "roll-up-levels",
    fallback: ROLL_UP_LEVELS,
    help: "Coarser levels that days are summed up to: 5m, 1h, 1h-service, 1d-service, each made of the one before; none: raw profiles only.",
  },
  maxNodesSerialization: {
    ...count,
    flag: "max-nodes-serialization",
    fallback: 2048,
    help: "Stacks of one profile of a roll-up; the lightest above it, at most 1 % of its weight, become one, other. 0: no limit.",
  },
  baseUrl: {
    ...pathPrefix,
    flag: "base-url",
    fallback: "",
    help: "Path under which a reverse proxy shows the server, such as /pyroscope.",
  },
  traceUrl: {
    ...traceUrl,
    flag: "trace-url",
    fallback: undefined,
    help:
      "Where the web page finds traces: an address with {traceId}, and {spanId}, {service}, {from} and {until} (Unix " +
      "milliseconds) as needed, such as http://localhost:16686/trace/{traceId}.",
  },
  hiddenApplications: {
    ...names,
    flag: "hide-applications",
    fallback: [],
    help: "Values of service_name that lists of services leave out, such as `probe,canary`; who names one in a query gets it.",
  },
  forwardTo: {
    ...forwardTarget,
    flag: "forward-to",
    fallback: undefined,
    help:
      "Also send every accepted push to the Pyroscope at this address, from memory and in the background: " +
      "it never delays or fails an answer here.",
  },
  forwardAuthorization: {
    ...bearerToken,
    flag: "forward-auth-token",
    fallback: undefined,
    help: "Token that is sent there as Authorization: Bearer; `@FILE` reads it from a file.",
  },
  forwardQueueBytes: {
    ...mebibytes,
    flag: "forward-queue-mb",
    fallback: 32 * MEBIBYTE,
    help: "Pushes that wait while that server is slow or away; above it the oldest are dropped and counted.",
  },
  limitsPreset: {
    ...oneOf(LIMITS_PRESETS),
    flag: "limits-preset",
    fallback: "default",
    help:
      "With pyroscope, limits that are not set are Grafana Pyroscope's: 4 MiB a second for each tenant, 5,000 series, " +
      "queries of 24h within the last 7d.",
  },
  logLevel: {
    ...oneOf(LOG_LEVELS),
    flag: "log-level",
    fallback: "info",
    help: "How much is logged, as JSON lines on standard error.",
  },
  maxInflightBytes: {
    ...mebibytes,
    flag: "max-inflight-mb",
    fallback: 64 * MEBIBYTE,
    help: "Request bodies held at once, each at most half of it; above it requests are answered 503 with Retry-After.",
  },
  maxPushWaitMs: {
    ...duration,
    flag: "max-push-wait",
    fallback: SECOND_MS,
    help:
      "Longest that a push may wait until it is stored; while further ones would wait longer, they are answered 503 with " +
      "Retry-After. 32 at once may always wait. 0, and with --catalog.postgres-url: no limit.",
  },
  maxConnections: {
    ...positiveCount,
    flag: "max-connections",
    fallback: 4096,
    help: "Connections at once; further ones are closed.",
  },
  readTimeoutMs: {
    ...positiveDuration,
    flag: "http-read-timeout",
    // 100 kB, more than a profile has, come in that time at 40 kbit a second.
    fallback: 20 * SECOND_MS,
    help: "Longest time from the first to the last byte of a request, and longest time a client may stop reading; half of it is always allowed.",
  },
  idleTimeoutMs: {
    ...positiveDuration,
    flag: "http-idle-timeout",
    fallback: 120 * SECOND_MS,
    help: "How long a connection is kept open without a request.",
  },
  shutdownTimeoutMs: {
    ...positiveDuration,
    flag: "shutdown-timeout",
    fallback: 10 * SECOND_MS,
    help: "How long a stopping server waits for requests in flight.",
  },
};
