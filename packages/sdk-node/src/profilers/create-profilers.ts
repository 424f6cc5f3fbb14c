import process from "node:process";
import type { Clock } from "../clock.ts";
import type { SdkConfig } from "../config.ts";
import type { CostMeter } from "../cost-meter.ts";
import type { Diagnostics } from "../diagnostics.ts";
import type { HeapLimitWatch } from "../heap-limit/heap-limit-watch.ts";
import type { CallAccounts } from "../labels/call-accounts.ts";
import type { LabelContext } from "../labels/label-context.ts";
import { noLabelContext, StorageLabelContext } from "../labels/label-context.ts";
import type { LabelSets } from "../labels/label-set.ts";
import type { ProfileTypeName } from "../options.ts";
import { AllocationSampler } from "./allocation-sampler.ts";
import type { AllocationWindowsOptions } from "./allocation-windows.ts";
import { AllocationWindows } from "./allocation-windows.ts";
import { findCpuClock } from "./cpu-clock.ts";
import { ExceptionProfiler } from "./exception-profiler.ts";
import { HeapProfiler } from "./heap-profiler.ts";
import type { Inspector } from "./inspector.ts";
import { InspectorHeapSampler } from "./inspector-heap-sampler.ts";
import { InspectorProfiler } from "./inspector-profiler.ts";
import type { HeapSampler, NativeBindings } from "./native.ts";
import type { Recording, TimeProfiler } from "./profiler.ts";
import { WaitProfiler } from "./wait-profiler.ts";
import { WallProfiler } from "./wall-profiler.ts";

/** What the profilers of one run are created from. */
export interface ProfilerParts {
  readonly config: SdkConfig;
  /** Undefined where it cannot be loaded: the inspector then profiles what it can. */
  readonly native: NativeBindings | undefined;
  /** @throws {@link SdkError} `NATIVE_UNAVAILABLE` where there is none. */
  readonly loadInspector: () => Inspector;
  readonly clock: Clock;
  readonly random: () => number;
  readonly meter: CostMeter;
  readonly diagnostics: Diagnostics;
  readonly isMainThread: boolean;
  /** Where the heap's limit is watched. */
  readonly heapLimit?: HeapLimitWatch | undefined;
  readonly platform: NodeJS.Platform;
}

/** The profiler of CPU, wall and blocked time, where one of those is in `wanted` and possible. */
export function createTimeProfiler(
  parts: ProfilerParts,
  labelSets: LabelSets,
  wanted: readonly ProfileTypeName[],
): TimeProfiler | undefined {
  const { native, config, clock, diagnostics, isMainThread, platform } = parts;
  const isWindows = platform === "win32";
  const types = (["cpu", "wall"] as const).filter((type) => wanted.includes(type));
  if (native === undefined) return createInspectorProfiler(parts, types);
  const supported = types.filter((type) => type === "wall" || !isWindows);
  if (supported.length < types.length) {
    diagnostics.warn(
      "on Windows the native profiler knows neither CPU time nor labels: profiles are wall time without labels",
    );
  }
  const hasBlock = wanted.includes("block") && !isWindows;
  if (supported.length === 0 && !hasBlock) return undefined;
  return new WallProfiler({
    native,
    types: supported,
    sampleRateHz: config.sampleRateHz,
    windowMs: config.uploadRateMs,
    isMainThread,
    platform,
    blockThresholdMs: hasBlock ? config.eventLoopBlockThresholdMs : undefined,
    loadInspector: config.lineNumbers ? parts.loadInspector : undefined,
    labelSets,
    clock,
    meter: parts.meter,
    diagnostics,
  });
}

function createInspectorProfiler(
  parts: ProfilerParts,
  types: readonly ("cpu" | "wall")[],
): InspectorProfiler | undefined {
  const { config, clock, diagnostics, isMainThread } = parts;
  const readCpuMicros = findCpuClock(isMainThread);
  const possible = types.filter((type) => type === "wall" || readCpuMicros !== undefined);
  if (possible.length === 0) return undefined;
  const { sampleRateHz } = config;
  return new InspectorProfiler({
    loadInspector: parts.loadInspector,
    types: possible,
    sampleRateHz,
    readCpuMicros,
    clock,
    diagnostics,
  });
}

/** The profiler of live objects, where some of `wanted` are possible. */
export function createHeapProfiler(
  parts: ProfilerParts,
  wanted: readonly ProfileTypeName[],
): HeapProfiler | undefined {
  const { native, config, clock, diagnostics } = parts;
  const isInspector = native === undefined;
  const types = (["inuse_objects", "inuse_space"] as const).filter(
    // The inspector gives bytes without objects.
    (type) => wanted.includes(type) && !(isInspector && type === "inuse_objects"),
  );
  if (types.length === 0) return undefined;
  return new HeapProfiler({
    sampler: createHeapSampler(parts),
    types,
    intervalBytes: config.heapSamplingIntervalBytes,
    stackDepth: config.heapStackDepth,
    clock,
    diagnostics,
  });
}

function createHeapSampler({ native, heapLimit, loadInspector }: ProfilerParts): HeapSampler {
  if (native === undefined) return new InspectorHeapSampler(loadInspector);
  return heapLimit === undefined ? native : heapLimit.watch(native);
}

/** Windows of allocations: on request, and scheduled where they are wanted. */
export function createAllocationWindows(
  parts: ProfilerParts,
  live: AllocationWindowsOptions["live"],
  record: (recording: Recording) => void,
): AllocationWindows {
  const { native, config, clock, random, diagnostics, loadInspector } = parts;
  const intervalBytes = config.heapSamplingIntervalBytes;
  const stackDepth = config.heapStackDepth;
  return new AllocationWindows({
    sampler: new AllocationSampler({ native, loadInspector, intervalBytes, stackDepth }),
    live,
    types: (["alloc_objects", "alloc_space"] as const).filter((type) => config.profileTypes.includes(type)),
    windowMs: config.allocationWindowMs,
    periodMs: config.allocationPeriodMs,
    intervalBytes,
    clock,
    random,
    diagnostics,
    record,
  });
}

/** The profiler of waits, where they are wanted. */
export function createWaitProfiler(
  parts: ProfilerParts,
  labels: () => LabelContext,
  labelSets: LabelSets,
  calls: CallAccounts,
): WaitProfiler | undefined {
  const { config, clock, random, diagnostics } = parts;
  if (!config.profileTypes.includes("wait")) return undefined;
  return new WaitProfiler({ labels, labelSets, calls, clock, random, diagnostics });
}

/** The profiler of exceptions, where they are wanted. */
export function createExceptionProfiler(
  parts: ProfilerParts,
  labels: () => LabelContext,
  labelSets: LabelSets,
): ExceptionProfiler | undefined {
  const { config, clock, random } = parts;
  if (!config.profileTypes.includes("exceptions")) return undefined;
  return new ExceptionProfiler({ labels, labelSets, process, clock, random });
}

/** Labels for where no profiler of time gives them. */
export function createLabelContext({ config }: ProfilerParts): LabelContext {
  const isNeeded = (["wait", "exceptions"] as const).some((type) => config.profileTypes.includes(type));
  return isNeeded ? new StorageLabelContext() : noLabelContext;
}
