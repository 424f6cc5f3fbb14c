// The entry `@pyroscope-ts/sdk-node/compat`: the names of `@pyroscope/nodejs`, for a program that changes its import only.
import type { Logger } from "./diagnostics.ts";
import type { PprofHandler } from "./http/pprof-handler.ts";
import { pprofHandler } from "./http/pprof-handler.ts";
import { fastifyPprof } from "./http/pprof-plugins.ts";
import { getLabels, setLabels, start as startRun, stop as stopRun, tagWrapper } from "./index.ts";
import type { LabelValues, ProfileTypeName, PyroscopeOptions } from "./options.ts";

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

type Group = "wall" | "heap";

const GROUP_TYPES: { readonly [G in Group]: readonly ProfileTypeName[] } = {
  wall: ["cpu", "wall"],
  heap: ["inuse_objects", "inuse_space"],
};

let config: PyroscopeConfig = {};
let logger: Logger | null | undefined;
const started = new Set<Group>();

/**
 * Keeps options for the start. Profile types and function names are those of `@pyroscope/nodejs` unless `typeIds` says
 * otherwise, so that dashboards go on.
 */
export function init(options: PyroscopeConfig = {}): void {
  config = options;
}

/** Starts everything that is profiled. Never throws. */
export function start(): void {
  started.add("wall").add("heap");
  startRun(toOptions(config.profileTypes));
}

/** Stops, and sends what is left. Always resolves. */
export async function stop(): Promise<void> {
  started.clear();
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

async function change(group: Group, isOn: boolean): Promise<void> {
  if (isOn) started.add(group);
  else started.delete(group);
  if (started.size === 0) await stopRun();
  else startRun(toOptions([...started].flatMap((name) => GROUP_TYPES[name])));
}

function toOptions(profileTypes: readonly ProfileTypeName[] | undefined): PyroscopeOptions {
  return { typeIds: "pyroscope-nodejs", ...config, logger: config.logger ?? logger, profileTypes };
}

/** Starts CPU and wall profiles. A heap that is profiled is then known from this moment on. */
export function startWallProfiling(): void {
  void change("wall", true);
}

/** The same as {@link startWallProfiling}. */
export function startCpuProfiling(): void {
  startWallProfiling();
}

/** Starts heap profiles. */
export function startHeapProfiling(): void {
  void change("heap", true);
}

/** Stops CPU and wall profiles. A heap that is profiled is then known from this moment on. */
export function stopWallProfiling(): Promise<void> {
  return change("wall", false);
}

/** The same as {@link stopWallProfiling}. */
export function stopCpuProfiling(): Promise<void> {
  return stopWallProfiling();
}

/** Stops heap profiles. */
export function stopHeapProfiling(): Promise<void> {
  return change("heap", false);
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
