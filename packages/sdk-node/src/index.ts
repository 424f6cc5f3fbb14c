import type { LabelValues, PyroscopeOptions } from "./options.ts";
import type { CaptureResult } from "./profilers/allocation-windows.ts";
import type { FlushResult, PyroscopeStatus } from "./status.ts";
import type { TagWrapper } from "./tag-wrapper.ts";
import { tagWrapper } from "./tag-wrapper.ts";
import { sdk } from "./thread-sdk.ts";

export type { Logger, LogLevel } from "./diagnostics.ts";
export type { SdkErrorCode } from "./errors.ts";
export { SdkError } from "./errors.ts";
export type { CustomExporter } from "./exporters/custom-exporter.ts";
export type { ExportResult, ProfileUpload, RetryAdvice, UploadProfile } from "./exporters/exporter.ts";
export type { OverheadStatus } from "./governor.ts";
export type { LabelMechanism } from "./labels/label-context.ts";
export type {
  ByteSize,
  Duration,
  ExporterName,
  LabelValues,
  ProfileTypeName,
  PyroscopeOptions,
  UploadProtocol,
} from "./options.ts";
export type { CaptureResult } from "./profilers/allocation-windows.ts";
export type { SourceMapStatus } from "./source-maps/source-maps.ts";
export type { ExporterStatus, FlushResult, PyroscopeStatus, UploadStatus } from "./status.ts";
export type { HandlerLabels, TagWrapper } from "./tag-wrapper.ts";
export { tagWrapper } from "./tag-wrapper.ts";
export type { UploadCounts } from "./upload-queue.ts";

/** How long a flush or stop may take. */
export interface TimeoutOptions {
  /** Milliseconds; by default the `uploadTimeout` of the run. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Starts profiling this thread and uploading every `uploadRate`.
 *
 * Every setting comes from `options`, else from the environment, else from its default. A value that is not
 * accepted is reported in one line and skipped. While a run is on, the same options change nothing and other
 * options replace the run. Timers and sockets of the SDK do not keep the process alive.
 *
 *     start({ applicationName: "checkout", serverAddress: "http://localhost:4040" });
 *
 * @throws {@link SdkError} only with `strict: true`: `CONFIG_INVALID` for a bad option or environment value,
 * `NATIVE_UNAVAILABLE` or `PROFILER_FAILED` where profiling is not possible.
 */
export function start(options?: PyroscopeOptions): void {
  sdk.start(options);
}

/**
 * Stops profiling at once, and sends the last window of every profile and all that still waits.
 *
 * Always resolves, within `timeoutMs`; keeps the process alive until then. Without a run it resolves at once.
 */
export function stop(options?: TimeoutOptions): Promise<FlushResult> {
  return sdk.stop(options?.timeoutMs);
}

/**
 * Sends the window so far and all that waits, and goes on profiling: for functions that are frozen between
 * calls, and for tests. Always resolves, within `timeoutMs`.
 */
export function flush(options?: TimeoutOptions): Promise<FlushResult> {
  return sdk.flush(options?.timeoutMs);
}

/**
 * Starts CPU and wall profiles, and `block` where it is in `profileTypes`; what else is profiled goes on as it is. Where
 * nothing is profiled, begins a run of those alone, with `options` or else those of the latest `start()`.
 *
 * @throws {@link SdkError} only with `strict`, as `start()` does.
 */
export function startWall(options?: PyroscopeOptions): void {
  sdk.start(options, "wall");
}

/**
 * Stops CPU and wall profiles at once, and sends what they recorded; what else is profiled goes on. The run ends with
 * the last profile. Always resolves, within `timeoutMs`.
 */
export function stopWall(options?: TimeoutOptions): Promise<FlushResult> {
  return sdk.stopGroup("wall", options?.timeoutMs);
}

/** As {@link startWall}, for profiles of live objects: those that are allocated from now on. */
export function startHeap(options?: PyroscopeOptions): void {
  sdk.start(options, "heap");
}

/** As {@link stopWall}, for profiles of live objects. */
export function stopHeap(options?: TimeoutOptions): Promise<FlushResult> {
  return sdk.stopGroup("heap", options?.timeoutMs);
}

/** The same as {@link tagWrapper}, by the name that it has in other profilers. */
export const runWithLabels: TagWrapper = tagWrapper;

/** The labels of the code that runs now, frozen; empty outside of any and while nothing is profiled. */
export function getLabels(): Readonly<Record<string, string>> {
  return sdk.getLabels();
}

/**
 * Replaces the labels for the rest of the current asynchronous context, and for what it starts: for middleware,
 * which has no function to wrap. Other requests keep theirs.
 */
export function setLabels(labels: LabelValues): void {
  sdk.enterLabels(labels, false);
}

/** As {@link setLabels}, but keeps the labels that are there under other names. */
export function addLabels(labels: LabelValues): void {
  sdk.enterLabels(labels, true);
}

/**
 * Samples every allocation of this thread for `durationMs` (1 to 300,000), also of what is garbage by then, and uploads
 * `alloc_objects` and `alloc_space` with that true duration. Always resolves: when the window is over.
 *
 * Ends with a full garbage collection: 170 to 440 ms at 300 MB of live objects were seen. The profile of live objects
 * begins anew afterwards, and knows nothing of what was allocated before.
 */
export function captureAllocations(options: { readonly durationMs: number }): Promise<CaptureResult> {
  return sdk.captureAllocations(options?.durationMs);
}

/**
 * Counts an exception that the program caught in the profile `exceptions`, with the labels of the code that runs now: for
 * `catch` blocks and error handlers. One that has been counted already, on its way through a `tagWrapper` call, is
 * not counted again. Without that profile it does nothing.
 */
export function recordException(error: unknown): void {
  sdk.recordException(error);
}

/** What runs, what was sent, and what was not, and why. */
export function status(): PyroscopeStatus {
  return sdk.status();
}

/** Everything above in one object. */
export const Pyroscope: {
  readonly start: typeof start;
  readonly stop: typeof stop;
  readonly flush: typeof flush;
  readonly startWall: typeof startWall;
  readonly stopWall: typeof stopWall;
  readonly startHeap: typeof startHeap;
  readonly stopHeap: typeof stopHeap;
  readonly captureAllocations: typeof captureAllocations;
  readonly recordException: typeof recordException;
  readonly tagWrapper: typeof tagWrapper;
  readonly runWithLabels: typeof runWithLabels;
  readonly getLabels: typeof getLabels;
  readonly setLabels: typeof setLabels;
  readonly addLabels: typeof addLabels;
  readonly status: typeof status;
} = Object.freeze({
  start,
  stop,
  flush,
  startWall,
  stopWall,
  startHeap,
  stopHeap,
  captureAllocations,
  recordException,
  tagWrapper,
  runWithLabels,
  getLabels,
  setLabels,
  addLabels,
  status,
});
