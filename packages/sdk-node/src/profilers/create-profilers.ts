import type { Clock } from "../clock.ts";
import type { SdkConfig } from "../config.ts";
import type { Diagnostics } from "../diagnostics.ts";
import type { LabelSets } from "../labels/label-set.ts";
import { AllocationSampler } from "./allocation-sampler.ts";
import { AllocationWindows } from "./allocation-windows.ts";
import { HeapProfiler } from "./heap-profiler.ts";
import { loadInspector } from "./inspector.ts";
import type { NativeBindings } from "./native.ts";
import type { Recording } from "./profiler.ts";
import { WallProfiler } from "./wall-profiler.ts";

/** What the profilers of one run are created from. */
export interface ProfilerParts {
  readonly config: SdkConfig;
  readonly native: NativeBindings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly diagnostics: Diagnostics;
  readonly isMainThread: boolean;
  readonly platform: NodeJS.Platform;
}

/** The profiler of CPU, wall and blocked time, where one of those is wanted and possible. */
export function createWallProfiler(parts: ProfilerParts, labelSets: LabelSets): WallProfiler | undefined {
  const { native, config, clock, diagnostics, isMainThread, platform } = parts;
  const isWindows = platform === "win32";
  const types = (["cpu", "wall"] as const).filter((type) => config.profileTypes.includes(type));
  const supported = types.filter((type) => type === "wall" || !isWindows);
  if (supported.length < types.length) {
    diagnostics.warn(
      "on Windows the native profiler knows neither CPU time nor labels: profiles are wall time without labels",
    );
  }
  const hasBlock = config.profileTypes.includes("block") && !isWindows;
  if (supported.length === 0 && !hasBlock) return undefined;
  return new WallProfiler({
    native,
    types: supported,
    sampleRateHz: config.sampleRateHz,
    windowMs: config.uploadRateMs,
    isMainThread,
    platform,
    blockThresholdMs: hasBlock ? config.eventLoopBlockThresholdMs : undefined,
    loadInspector: config.lineNumbers ? loadInspector : undefined,
    labelSets,
    clock,
    diagnostics,
  });
}

/** The profiler of live objects, where they are wanted. */
export function createHeapProfiler(parts: ProfilerParts): HeapProfiler | undefined {
  const { native, config, clock, diagnostics } = parts;
  const types = (["inuse_objects", "inuse_space"] as const).filter((type) =>
    config.profileTypes.includes(type),
  );
  if (types.length === 0) return undefined;
  return new HeapProfiler({
    native,
    types,
    intervalBytes: config.heapSamplingIntervalBytes,
    stackDepth: config.heapStackDepth,
    clock,
    diagnostics,
  });
}

/** Windows of allocations: on request, and scheduled where they are wanted. */
export function createAllocationWindows(
  parts: ProfilerParts,
  heap: HeapProfiler | undefined,
  record: (recording: Recording) => void,
): AllocationWindows {
  const { native, config, clock, random, diagnostics } = parts;
  const intervalBytes = config.heapSamplingIntervalBytes;
  const stackDepth = config.heapStackDepth;
  return new AllocationWindows({
    sampler: new AllocationSampler({ native, loadInspector, intervalBytes, stackDepth }),
    heap,
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
