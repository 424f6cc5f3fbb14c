// The entry `@pyroscope-ts/sdk-node/compat`: the names of `@pyroscope/nodejs`, for a program that changes its import only.
import type { Logger } from "./diagnostics.ts";
import type { PprofHandler } from "./http/pprof-handler.ts";
import { pprofHandler } from "./http/pprof-handler.ts";
import { fastifyPprof } from "./http/pprof-plugins.ts";
import {
  getLabels,
  setLabels,
  startHeap,
  start as startRun,
  startWall,
  stopHeap,
  stop as stopRun,
  stopWall,
  tagWrapper,
} from "./index.ts";
import type { LabelValues, PyroscopeOptions } from "./options.ts";

/** Options as `@pyroscope/nodejs` names them; those of this package are accepted too. */
export interface PyroscopeConfig extends PyroscopeOptions {
  /** `applicationName`. */
  readonly appName?: string | undefined;
  /** `uploadRate` in milliseconds. */
  readonly flushIntervalMs?: number | undefined;
  /** `tenantId`. */
  readonly tenantID?: string | undefined;
  readonly heap?:
    | { readonly samplingIntervalBytes?: number | undefined; readonly stackDepth?: number | undefined }
    | undefined;
  /** Windows are always as long as `flushIntervalMs`, and CPU time is always collected. */
  readonly wall?:
    | {
        readonly samplingDurationMs?: number | undefined;
        readonly samplingIntervalMicros?: number | undefined;
        readonly collectCpuTime?: boolean | undefined;
      }
    | undefined;
  /** Without effect. */
  readonly sourceMapper?: unknown;
  /** Without effect. */
  readonly stripFilenames?: "all" | "dependencies" | undefined;
  /** Without effect. */
  readonly shortenPaths?: boolean | undefined;
}

let config: PyroscopeConfig = {};
let logger: Logger | null | undefined;

/**
 * Keeps options for the start. Profile types and function names are those of `@pyroscope/nodejs` unless `typeIds` says
 * otherwise, so that dashboards go on.
 */
export function init(options: PyroscopeConfig = {}): void {
  config = options;
}

/** Starts everything that is profiled. Never throws. */
export function start(): void {
  startRun(toOptions());
}

/** Stops, and sends what is left. Always resolves. */
export async function stop(): Promise<void> {
  await stopRun();
}

/** As `tagWrapper`: also for asynchronous functions, and returns what `fn` returns. */
export function wrapWithLabels<A extends readonly unknown[], T>(
  labels: LabelValues,
  fn: (...args: A) => T,
  ...args: A
): T {
  return tagWrapper(labels, fn, ...args);
}

function toOptions(): PyroscopeOptions {
  return { typeIds: "pyroscope-nodejs", ...config, logger: config.logger ?? logger };
}

/** Starts CPU and wall profiles. */
export function startWallProfiling(): void {
  startWall(toOptions());
}

/** The same as {@link startWallProfiling}. */
export function startCpuProfiling(): void {
  startWallProfiling();
}

/** Starts heap profiles. */
export function startHeapProfiling(): void {
  startHeap(toOptions());
}

/** Stops CPU and wall profiles, and sends what they recorded. Always resolves. */
export async function stopWallProfiling(): Promise<void> {
  await stopWall();
}

/** The same as {@link stopWallProfiling}. */
export function stopCpuProfiling(): Promise<void> {
  return stopWallProfiling();
}

/** Stops heap profiles, and sends what they recorded. Always resolves. */
export async function stopHeapProfiling(): Promise<void> {
  await stopHeap();
}

/** Labels of the current asynchronous context; there they belong to the process. */
export const getWallLabels: typeof getLabels = getLabels;

/** Sets the labels of the current asynchronous context; there they belong to the process. */
export const setWallLabels: typeof setLabels = setLabels;

/** Pull handlers as a middleware of Express: this machine alone is answered, see `pprofHandler` for a token. */
export function expressMiddleware(): PprofHandler {
  return pprofHandler();
}

/** Pull handlers as a plugin of Fastify: this machine alone is answered, see `fastifyPprof` for a token. */
export function fastifyMiddleware(): typeof fastifyPprof {
  return fastifyPprof;
}

/** Where the SDK's lines go from the next start on. */
export function setLogger(next: Logger | null): void {
  logger = next;
}

/** Stands for the source mapper that programs make there: source maps need none here. */
export const SourceMapper: { readonly create: (directories?: readonly string[]) => Promise<object> } = {
  create: async () => ({}),
};

export { getLabels, setLabels };

const Pyroscope: {
  readonly SourceMapper: typeof SourceMapper;
  readonly expressMiddleware: typeof expressMiddleware;
  readonly fastifyMiddleware: typeof fastifyMiddleware;
  readonly getLabels: typeof getLabels;
  readonly getWallLabels: typeof getWallLabels;
  readonly init: typeof init;
  readonly setLabels: typeof setLabels;
  readonly setLogger: typeof setLogger;
  readonly setWallLabels: typeof setWallLabels;
  readonly start: typeof start;
  readonly startCpuProfiling: typeof startCpuProfiling;
  readonly startHeapProfiling: typeof startHeapProfiling;
  readonly startWallProfiling: typeof startWallProfiling;
  readonly stop: typeof stop;
  readonly stopCpuProfiling: typeof stopCpuProfiling;
  readonly stopHeapProfiling: typeof stopHeapProfiling;
  readonly stopWallProfiling: typeof stopWallProfiling;
  readonly wrapWithLabels: typeof wrapWithLabels;
} = {
  SourceMapper,
  expressMiddleware,
  fastifyMiddleware,
  getLabels,
  getWallLabels,
  init,
  setLabels,
  setLogger,
  setWallLabels,
  start,
  startCpuProfiling,
  startHeapProfiling,
  startWallProfiling,
  stop,
  stopCpuProfiling,
  stopHeapProfiling,
  stopWallProfiling,
  wrapWithLabels,
};

// biome-ignore lint/style/noDefaultExport: `import Pyroscope from "@pyroscope/nodejs"` is how programs have it
export default Pyroscope;
