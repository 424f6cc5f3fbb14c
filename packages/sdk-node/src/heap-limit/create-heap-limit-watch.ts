import { describeError } from "../errors.ts";
import { createTargets } from "../exporters/exporter-target.ts";
import type { Label } from "../labels/label.ts";
import type { ProfilerParts } from "../profilers/create-profilers.ts";
import { HeapLimitWatch } from "./heap-limit-watch.ts";

/** The watch of the heap's limit where it is wanted and possible. A worker thread's limit is not the process's. */
export function createHeapLimitWatch(
  {
    config,
    native,
    isMainThread,
    diagnostics,
  }: Pick<ProfilerParts, "config" | "native" | "isMainThread" | "diagnostics">,
  labels: readonly Label[],
): HeapLimitWatch | undefined {
  if (!config.heapLimitProfile || !isMainThread) return undefined;
  const types = (["inuse_objects", "inuse_space"] as const).filter((type) =>
    config.profileTypes.includes(type),
  );
  const targets = createTargets(config);
  if (native === undefined || types.length === 0 || targets.length === 0) {
    diagnostics.warn(
      "heapLimitProfile is of no effect: it needs the native profiler, inuse_objects or inuse_space, and an exporter that is named",
    );
    return undefined;
  }
  try {
    return new HeapLimitWatch({
      ...{ targets, labels, types, intervalBytes: config.heapSamplingIntervalBytes },
      ...{ typeIds: config.typeIds, sourceMaps: config.sourceMaps },
      ...{ timeoutMs: config.exitTimeoutMs, logLevel: config.logLevel },
    });
  } catch (error) {
    diagnostics.warn(`heapLimitProfile is of no effect: ${describeError(error)}`);
    return undefined;
  }
}
