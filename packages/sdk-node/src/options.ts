import type { Logger, LogLevel } from "./diagnostics.ts";
import type { CustomExporter } from "./exporters/custom-exporter.ts";

/**
 * What can be profiled. `wall` is time on the event-loop thread, `cpu` is CPU time of the process, `block` is where the
 * event loop was blocked, `wait` is what awaits wait for, `exceptions` are those that are thrown, `gc` is time in garbage collections, `alloc_*` is what is allocated
 * in scheduled windows.
 */
export type ProfileTypeName =
  | "cpu"
  | "wall"
  | "inuse_objects"
  | "inuse_space"
  | "alloc_objects"
  | "alloc_space"
  | "block"
  | "wait"
  | "exceptions"
  | "gc";

/** How uploads are sent: Pyroscope's push API, its older `/ingest`, or not at all, where profiles are only pulled. */
export type UploadProtocol = "push" | "ingest" | "none";

/** Exporters that are there: to the Pyroscope server of `serverAddress`, over OTLP, into files. */
export type ExporterName = "pyroscope" | "otlp" | "file";

/** Ids of profile types and names of functions: as other Pyroscope SDKs have them, or as `@pyroscope/nodejs` has them. */
export type TypeIds = "standard" | "pyroscope-nodejs";

/** A time: milliseconds as a number, or text with a unit such as `"15s"`, `"250ms"` or `"1m30s"`. */
export type Duration = number | string;

/** A number of bytes, or text with a unit such as `"512k"` or `"8MiB"`. */
export type ByteSize = number | string;

/** Names and values; values become text. */
export type LabelValues = Readonly<Record<string, string | number | boolean | bigint | null | undefined>>;

/**
 * Options of `start()`. Every one can be left out. A value that is not accepted is reported in one line and
 * replaced by the environment's value or the default, unless `strict` is set.
 */
export interface PyroscopeOptions {
  /** Name under which the profiles appear: the label `service_name`. */
  readonly applicationName?: string | undefined;
  /** Base URL of the server. A path prefix and a trailing slash are fine; a user and password in it too. */
  readonly serverAddress?: string | undefined;
  /** `false` makes `start()` do nothing. */
  readonly enabled?: boolean | undefined;
  /** Labels of every profile of this process, such as `region` or `version`. */
  readonly tags?: LabelValues | undefined;
  /** Add what the process is known by: host, version, commit, pod, thread. `tags` win over it. */
  readonly detectLabels?: boolean | undefined;
  /** Time between two uploads; each holds one window of that length. */
  readonly uploadRate?: Duration | undefined;
  /** What is profiled. */
  readonly profileTypes?: readonly ProfileTypeName[] | undefined;
  /** CPU and wall samples per second. */
  readonly sampleRate?: number | undefined;
  /** Percent of one CPU core that profiling may cost; beyond it the sample rate is halved until it fits. */
  readonly overheadBudget?: number | undefined;
  /** Length of each scheduled window of `alloc_objects` and `alloc_space`. */
  readonly allocationWindow?: Duration | undefined;
  /** From the start of one such window to that of the next. */
  readonly allocationPeriod?: Duration | undefined;
  /** A turn of the event loop that lasts longer is in the profile `block`. */
  readonly eventLoopBlockThreshold?: Duration | undefined;
  /** CPU and wall samples have the line that ran, not the first line of its function. */
  readonly lineNumbers?: boolean | undefined;
  /** Show functions of files with source maps as they are in their sources: name, file and line. */
  readonly sourceMaps?: boolean | undefined;
  /** Bytes allocated between two heap samples, on average. */
  readonly heapSamplingIntervalBytes?: ByteSize | undefined;
  /** Frames that a heap sample keeps. */
  readonly heapStackDepth?: number | undefined;
  /** When the heap reaches its limit, a child process uploads what is alive in it before the program ends by that. */
  readonly heapLimitProfile?: boolean | undefined;
  /** The server may ask for CPU samples at 1 kHz or for all allocations, for a minute at the most. */
  readonly remoteCapture?: boolean | undefined;
  /** Sent as `Authorization: Bearer …`; wins over a user and password. */
  readonly authToken?: string | undefined;
  /** User of HTTP Basic authentication. */
  readonly basicAuthUser?: string | undefined;
  /** Password of HTTP Basic authentication. */
  readonly basicAuthPassword?: string | undefined;
  /** Sent as `X-Scope-OrgID`. */
  readonly tenantId?: string | undefined;
  /** Further headers of every upload. */
  readonly httpHeaders?: Readonly<Record<string, string>> | undefined;
  /** How uploads are sent. */
  readonly protocol?: UploadProtocol | undefined;
  /** `pyroscope-nodejs` for dashboards that were made for the profiles of that package. */
  readonly typeIds?: TypeIds | undefined;
  /** Time that one upload may take. */
  readonly uploadTimeout?: Duration | undefined;
  /** Bytes of compressed profiles that wait while the server is away; the oldest window is dropped first. */
  readonly uploadQueueSize?: ByteSize | undefined;
  /** Where profiles go, each on its own: `pyroscope` by default. */
  readonly exporters?: ExporterName | CustomExporter | readonly (ExporterName | CustomExporter)[] | undefined;
  /** Where the exporter `file` writes pprof files. */
  readonly exportDirectory?: string | undefined;
  /** Bytes of all profiles in that directory; the oldest are deleted first. */
  readonly exportDirectorySize?: ByteSize | undefined;
  /** Profiles in that directory; the oldest are deleted first. */
  readonly exportDirectoryFiles?: number | undefined;
  /** Whole URL that the exporter `otlp` posts profiles to. */
  readonly otlpEndpoint?: string | undefined;
  /** Headers of OTLP requests. */
  readonly otlpHeaders?: Readonly<Record<string, string>> | undefined;
  /** Time that one OTLP request may take. */
  readonly otlpTimeout?: Duration | undefined;
  readonly otlpCompression?: "gzip" | "none" | undefined;
  /** Attributes of the OTLP resource beside the labels of the process. */
  readonly otlpResourceAttributes?: Readonly<Record<string, string>> | undefined;
  /** Authorities to trust beside those of Node: PEM, or the path of a PEM file. */
  readonly tlsCa?: string | undefined;
  /** Certificate of this client: PEM, or the path of a PEM file. */
  readonly tlsCert?: string | undefined;
  /** Private key of that certificate. */
  readonly tlsKey?: string | undefined;
  /** `false` sends profiles and credentials to a server whose certificate is not valid. */
  readonly tlsRejectUnauthorized?: boolean | undefined;
  /** URL of the proxy for `http://` servers; by default that of the environment. */
  readonly httpProxy?: string | undefined;
  /** URL of the proxy for `https://` servers; by default that of the environment. */
  readonly httpsProxy?: string | undefined;
  /** Servers that are reached without a proxy, separated by commas. */
  readonly noProxy?: string | undefined;
  /** Upload the last window when the program ends: by itself, by `process.exit()`, by an uncaught error, by SIGTERM or SIGINT. */
  readonly flushOnExit?: boolean | undefined;
  /** Time that this last upload may take before the process ends all the same. */
  readonly exitTimeout?: Duration | undefined;
  /** Different values of one label name; further ones become `__overflow__`. */
  readonly maxLabelValues?: number | undefined;
  /** Different label sets of samples. */
  readonly maxLabelSets?: number | undefined;
  /** Worker threads that are profiled at once beside the main thread that starts them; 0 for none. */
  readonly maxWorkerThreads?: number | undefined;
  /** Where the SDK's own lines go; standard error by default. `console` and pino fit; `null` silences them. */
  readonly logger?: Logger | null | undefined;
  /** How much the SDK says. */
  readonly logLevel?: LogLevel | undefined;
  /** Throw on a bad option or environment value, and where profiling is not possible, instead of reporting it. */
  readonly strict?: boolean | undefined;
}
