import { type DeliveryConfig, deliverySettings } from "./delivery-settings.ts";
import type { Logger, LogLevel } from "./diagnostics.ts";
import { silentLogger, standardErrorLogger } from "./diagnostics.ts";
import type { Label } from "./labels/label.ts";
import { toLabels } from "./labels/label.ts";
import type { ProfileTypeName, TypeIds, UploadProtocol } from "./options.ts";
import {
  headersKind,
  headerValueKind,
  httpUrlKind,
  loggerKind,
  passwordKind,
  secretHeaderKind,
  userKind,
} from "./sdk-setting-kinds.ts";
import type { Secret } from "./secret.ts";
import {
  booleanKind,
  choiceKind,
  choicesKind,
  durationKind,
  environment,
  integerKind,
  pairsKind,
  parseDuration,
  type Setting,
  sizeKind,
  textKind,
} from "./setting.ts";

/** Resolved settings of one run. Frozen; nothing else reads the environment. */
export interface SdkConfig extends DeliveryConfig {
  readonly applicationName: string;
  /** Absolute, with neither user nor trailing slash. */
  readonly serverAddress: string;
  readonly enabled: boolean;
  /** Sorted by name; names and values in the form that every server takes. */
  readonly tags: readonly Label[];
  readonly detectLabels: boolean;
  readonly uploadRateMs: number;
  readonly profileTypes: readonly ProfileTypeName[];
  readonly sampleRateHz: number;
  readonly overheadBudgetPercent: number;
  readonly allocationWindowMs: number;
  readonly allocationPeriodMs: number;
  readonly eventLoopBlockThresholdMs: number;
  readonly lineNumbers: boolean;
  readonly sourceMaps: boolean;
  readonly heapSamplingIntervalBytes: number;
  readonly heapStackDepth: number;
  readonly heapLimitProfile: boolean;
  readonly remoteCapture: boolean;
  readonly authToken: Secret | undefined;
  readonly basicAuthUser: string | undefined;
  readonly basicAuthPassword: Secret | undefined;
  readonly tenantId: string | undefined;
  readonly httpHeaders: ReadonlyMap<string, Secret>;
  readonly protocol: UploadProtocol;
  readonly typeIds: TypeIds;
  readonly uploadTimeoutMs: number;
  readonly uploadQueueBytes: number;
  readonly flushOnExit: boolean;
  readonly exitTimeoutMs: number;
  readonly maxLabelValues: number;
  readonly maxLabelSets: number;
  readonly maxWorkerThreads: number;
  readonly logger: Logger;
  readonly logLevel: LogLevel;
  readonly strict: boolean;
}

const env = environment;

const defaultProfileTypes: readonly ProfileTypeName[] = ["cpu", "wall", "inuse_objects", "inuse_space"];

const profileTypes: readonly ProfileTypeName[] = [
  ...defaultProfileTypes,
  "alloc_objects",
  "alloc_space",
  "block",
  "wait",
  "exceptions",
  "gc",
];

/** `service.name` among the resource attributes of OpenTelemetry, whose values are percent-encoded. */
function readServiceName(raw: string): string | undefined {
  const value = /(?:^|,)\s*service\.name\s*=([^,]*)/.exec(raw)?.[1]?.trim();
  try {
    return value === undefined ? undefined : decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Samples per second from the milliseconds between two; what is no time becomes what no setting accepts. */
function readRate(intervalMs: number | undefined): string | undefined {
  return intervalMs === 0 ? undefined : String(Math.round(1000 / (intervalMs ?? Number.NaN)));
}

/** Every setting. The compiler demands one row for each field of {@link SdkConfig}. */
export const settings: { readonly [K in keyof SdkConfig]: Setting<SdkConfig[K]> } = {
  applicationName: {
    option: "applicationName",
    env: [
      { name: "PYROSCOPE_APPLICATION_NAME" },
      { name: "OTEL_SERVICE_NAME" },
      { name: "OTEL_RESOURCE_ATTRIBUTES", read: readServiceName },
    ],
    fallback: "unknown_service",
    fallbackText: "unknown_service",
    kind: textKind("a non-empty text"),
    help: "Name under which the profiles appear: the label service_name.",
  },
  serverAddress: {
    option: "serverAddress",
    env: env("PYROSCOPE_SERVER_ADDRESS", "PYROSCOPE_ADHOC_SERVER_ADDRESS"),
    fallback: "http://localhost:4040",
    fallbackText: "http://localhost:4040",
    kind: httpUrlKind,
    help: "Base URL of the server; a path prefix is kept.",
  },
  enabled: {
    option: "enabled",
    env: env("PYROSCOPE_ENABLED", "PYROSCOPE_AGENT_ENABLED"),
    fallback: true,
    fallbackText: "true",
    kind: booleanKind,
    help: "false makes start() do nothing.",
  },
  tags: {
    option: "tags",
    env: env("PYROSCOPE_LABELS", "PYROSCOPE_TAGS"),
    fallback: [],
    fallbackText: "none",
    kind: pairsKind("label names with texts, numbers or booleans", toLabels),
    help: "Labels of every profile of this process; as text a=b,c=d.",
  },
  detectLabels: {
    option: "detectLabels",
    env: env("PYROSCOPE_DETECT_LABELS"),
    fallback: true,
    fallbackText: "true",
    kind: booleanKind,
    help: "Add what the process is known by: host, version, commit, pod, and what OTEL_RESOURCE_ATTRIBUTES says.",
  },
  uploadRateMs: {
    option: "uploadRate",
    env: env("PYROSCOPE_UPLOAD_RATE", "PYROSCOPE_UPLOAD_INTERVAL", "PYROSCOPE_FLUSH_INTERVAL_MS"),
    fallback: 15_000,
    fallbackText: "15s",
    kind: durationKind("100ms", "1h"),
    help: "Time between two uploads.",
  },
  profileTypes: {
    option: "profileTypes",
    env: env("PYROSCOPE_PROFILE_TYPES"),
    fallback: defaultProfileTypes,
    fallbackText: defaultProfileTypes.join(","),
    kind: choicesKind(profileTypes),
    help: `What is profiled: some of ${profileTypes.join(", ")}.`,
  },
  sampleRateHz: {
    option: "sampleRate",
    env: [
      { name: "PYROSCOPE_SAMPLE_RATE" },
      { name: "PYROSCOPE_PROFILING_INTERVAL", read: (raw) => readRate(parseDuration(raw)) },
      { name: "PYROSCOPE_WALL_SAMPLING_INTERVAL_MICROS", read: (raw) => readRate(Number(raw) / 1000) },
    ],
    fallback: 100,
    fallbackText: "100",
    kind: integerKind(1, 1000),
    help: "CPU and wall samples per second.",
  },
  overheadBudgetPercent: {
    option: "overheadBudget",
    env: env("PYROSCOPE_OVERHEAD_BUDGET"),
    fallback: 5,
    fallbackText: "5",
    kind: integerKind(1, 100),
    help: "Percent of one CPU core that profiling may cost; beyond it the sample rate is halved until it fits. 100: never.",
  },
  allocationWindowMs: {
    option: "allocationWindow",
    env: env("PYROSCOPE_ALLOCATION_WINDOW"),
    fallback: 10_000,
    fallbackText: "10s",
    kind: durationKind("100ms", "5m"),
    help: "Length of each scheduled window of alloc_objects and alloc_space.",
  },
  allocationPeriodMs: {
    option: "allocationPeriod",
    env: env("PYROSCOPE_ALLOCATION_PERIOD"),
    fallback: 600_000,
    fallbackText: "10m",
    kind: durationKind("1s", "24h"),
    help: "From the start of one such window to that of the next; each ends with a full garbage collection.",
  },
  eventLoopBlockThresholdMs: {
    option: "eventLoopBlockThreshold",
    env: env("PYROSCOPE_EVENT_LOOP_BLOCK_THRESHOLD"),
    fallback: 50,
    fallbackText: "50ms",
    kind: durationKind("10ms", "1h"),
    help: "A turn of the event loop that lasts longer is in the profile block.",
  },
  lineNumbers: {
    option: "lineNumbers",
    env: env("PYROSCOPE_LINE_NUMBERS"),
    fallback: false,
    fallbackText: "false",
    kind: booleanKind,
    help: "CPU and wall samples have the line that ran, not the first of its function. Adds 50 ms at the start and up to 2 % of CPU time.",
  },
  sourceMaps: {
    option: "sourceMaps",
    env: env("PYROSCOPE_SOURCE_MAPS"),
    fallback: true,
    fallbackText: "true",
    kind: booleanKind,
    help: "Show functions of files with source maps as they are in their sources.",
  },
  heapSamplingIntervalBytes: {
    option: "heapSamplingIntervalBytes",
    env: env("PYROSCOPE_HEAP_SAMPLING_INTERVAL_BYTES", "PYROSCOPE_PROFILER_ALLOC"),
    fallback: 512 * 1024,
    fallbackText: "512k",
    // Below 4 KiB nearly every allocation is sampled, each of which walks the stack.
    kind: sizeKind("4k", "64M"),
    help: "Bytes allocated between two heap samples, on average.",
  },
  heapStackDepth: {
    option: "heapStackDepth",
    env: env("PYROSCOPE_HEAP_STACK_DEPTH"),
    fallback: 64,
    fallbackText: "64",
    kind: integerKind(1, 512),
    help: "Frames that a heap sample keeps.",
  },
  heapLimitProfile: {
    option: "heapLimitProfile",
    env: env("PYROSCOPE_HEAP_LIMIT_PROFILE"),
    fallback: false,
    fallbackText: "false",
    kind: booleanKind,
    help: "When the heap reaches its limit, a child process uploads what is alive in it before the program ends by that.",
  },
  remoteCapture: {
    option: "remoteCapture",
    env: env("PYROSCOPE_REMOTE_CAPTURE"),
    fallback: false,
    fallbackText: "false",
    kind: booleanKind,
    help: "The server may ask for CPU samples at 1 kHz or for all allocations, for a minute at the most.",
  },
  authToken: {
    option: "authToken",
    env: env("PYROSCOPE_AUTH_TOKEN"),
    fallback: undefined,
    fallbackText: "none",
    kind: secretHeaderKind,
    help: "Sent as Authorization: Bearer; wins over a user and password.",
    isSecret: true,
  },
  basicAuthUser: {
    option: "basicAuthUser",
    env: env("PYROSCOPE_BASIC_AUTH_USER"),
    fallback: undefined,
    fallbackText: "none",
    kind: userKind,
    help: "User of HTTP Basic authentication.",
  },
  basicAuthPassword: {
    option: "basicAuthPassword",
    env: env("PYROSCOPE_BASIC_AUTH_PASSWORD"),
    fallback: undefined,
    fallbackText: "none",
    kind: passwordKind,
    help: "Password of HTTP Basic authentication.",
    isSecret: true,
  },
  tenantId: {
    option: "tenantId",
    env: env("PYROSCOPE_TENANT_ID"),
    fallback: undefined,
    fallbackText: "none",
    kind: headerValueKind,
    help: "Sent as X-Scope-OrgID.",
  },
  httpHeaders: {
    option: "httpHeaders",
    env: env("PYROSCOPE_HTTP_HEADERS"),
    fallback: new Map(),
    fallbackText: "none",
    kind: headersKind,
    help: "Further headers of every upload; as text a=b,c=d.",
    isSecret: true,
  },
  protocol: {
    option: "protocol",
    env: env("PYROSCOPE_PROTOCOL"),
    fallback: "push",
    fallbackText: "push",
    kind: choiceKind<UploadProtocol>(["push", "ingest", "none"]),
    help: "push: the push API; ingest: the older /ingest, one request for each profile type; none: nothing is sent, for profiles that are only pulled.",
  },
  typeIds: {
    option: "typeIds",
    env: env("PYROSCOPE_TYPE_IDS"),
    fallback: "standard",
    fallbackText: "standard",
    kind: choiceKind<TypeIds>(["standard", "pyroscope-nodejs"]),
    help: "pyroscope-nodejs: profile types and function names as @pyroscope/nodejs has them, for dashboards that were made for those.",
  },
  uploadTimeoutMs: {
    option: "uploadTimeout",
    env: env("PYROSCOPE_UPLOAD_TIMEOUT"),
    fallback: 10_000,
    fallbackText: "10s",
    kind: durationKind("100ms", "5m"),
    help: "Time that one upload may take.",
  },
  uploadQueueBytes: {
    option: "uploadQueueSize",
    env: env("PYROSCOPE_UPLOAD_QUEUE_SIZE"),
    fallback: 8 * 1024 ** 2,
    fallbackText: "8MiB",
    kind: sizeKind("64k", "512M"),
    help: "Bytes of compressed profiles that wait while the server is away; the oldest window is dropped first.",
  },
  ...deliverySettings,
  flushOnExit: {
    option: "flushOnExit",
    env: env("PYROSCOPE_FLUSH_ON_EXIT"),
    fallback: true,
    fallbackText: "true",
    kind: booleanKind,
    help: "Upload the last window when the program ends: by itself, by process.exit(), by an uncaught error, by SIGTERM or SIGINT.",
  },
  exitTimeoutMs: {
    option: "exitTimeout",
    env: env("PYROSCOPE_EXIT_TIMEOUT"),
    fallback: 1500,
    fallbackText: "1500ms",
    kind: durationKind("0ms", "1m"),
    help: "Time that this last upload may take.",
  },
  maxLabelValues: {
    option: "maxLabelValues",
    env: env("PYROSCOPE_MAX_LABEL_VALUES"),
    fallback: 200,
    fallbackText: "200",
    kind: integerKind(1, 10_000),
    help: "Different values of one label name; further ones become __overflow__.",
  },
  maxLabelSets: {
    option: "maxLabelSets",
    env: env("PYROSCOPE_MAX_LABEL_SETS"),
    fallback: 2000,
    fallbackText: "2000",
    kind: integerKind(1, 100_000),
    help: "Different label sets of samples; further ones become __overflow__.",
  },
  maxWorkerThreads: {
    option: "maxWorkerThreads",
    env: env("PYROSCOPE_MAX_WORKER_THREADS"),
    fallback: 8,
    fallbackText: "8",
    kind: integerKind(0, 1000),
    help: "Worker threads that are profiled at once beside the main thread that starts them; 0 for none.",
  },
  logger: {
    option: "logger",
    env: [],
    fallback: standardErrorLogger,
    fallbackText: "standard error",
    nullValue: silentLogger,
    kind: loggerKind,
    help: "Where the SDK's own lines go; null silences them.",
  },
  logLevel: {
    option: "logLevel",
    env: env("PYROSCOPE_LOG_LEVEL"),
    fallback: "warn",
    fallbackText: "warn",
    kind: choiceKind<LogLevel>(["off", "error", "warn", "info", "debug"]),
    help: "How much the SDK says.",
  },
  strict: {
    option: "strict",
    env: env("PYROSCOPE_STRICT"),
    fallback: false,
    fallbackText: "false",
    kind: booleanKind,
    help: "Throw on a bad value instead of reporting it.",
  },
};
