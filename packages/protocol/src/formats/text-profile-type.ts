import { ProtocolError } from "../errors.ts";
import type { ValueType } from "../profile/profile.ts";

const NANOS_PER_SECOND = 1_000_000_000n;

/** What the values of a format mean that does not say it: decided by the application name and the sample rate. */
export interface TextProfileType {
  /** The application name without the part that names the type. */
  readonly serviceName: string;
  /** `__name__`. */
  readonly profileName: string;
  readonly sampleType: ValueType;
  readonly periodType: ValueType | undefined;
  readonly period: bigint;
  /** What one sample counts, in the unit of the sample type. */
  readonly scale: bigint;
}

interface SuffixRow {
  readonly profileName: string;
  readonly type: string;
  readonly unit: string;
}

const objects = (type: string): SuffixRow => ({ profileName: "memory", type, unit: "count" });
const space = (type: string): SuffixRow => ({ profileName: "memory", type, unit: "bytes" });
const contentions = (profileName: string): SuffixRow => ({ profileName, type: "contentions", unit: "count" });
const delay = (profileName: string): SuffixRow => ({ profileName, type: "delay", unit: "nanoseconds" });
const cpu: SuffixRow = { profileName: "process_cpu", type: "cpu", unit: "nanoseconds" };
const wall: SuffixRow = { profileName: "wall", type: "wall", unit: "nanoseconds" };

/** What the last part of an application name means. Source: Pyroscope pkg/ingester/pyroscope/ingest_adapter.go. */
const suffixes: ReadonlyMap<string, SuffixRow> = new Map([
  ["cpu", cpu],
  ["itimer", cpu],
  ["wall", wall],
  ["seconds", wall],
  ["nanoseconds", wall],
  ["microseconds", wall],
  ["milliseconds", wall],
  ["inuse_objects", objects("inuse_objects")],
  ["alloc_objects", objects("alloc_objects")],
  ["inuse_space", space("inuse_space")],
  ["alloc_space", space("alloc_space")],
  ["bytes", space("samples")],
  ["goroutines", { profileName: "goroutine", type: "goroutines", unit: "count" }],
  ["mutex_count", contentions("mutex")],
  ["mutex_duration", delay("mutex")],
  ["block_count", contentions("block")],
  ["lock_count", contentions("block")],
  ["block_duration", delay("block")],
  ["lock_duration", delay("block")],
  ["alloc_in_new_tlab_objects", objects("alloc_in_new_tlab_objects")],
  ["alloc_outside_tlab_objects", objects("alloc_outside_tlab_objects")],
  ["alloc_in_new_tlab_bytes", space("alloc_in_new_tlab_bytes")],
  ["alloc_outside_tlab_bytes", space("alloc_outside_tlab_bytes")],
  ["live", objects("live")],
  ["exceptions", { profileName: "exceptions", type: "samples", unit: "count" }],
]);

/**
 * Decides what the values of folded text, lines, a trie or a tree mean: `shop.cpu` is CPU of `shop`, and so is
 * `shop`, which has no last part.
 *
 * @param sampleRateHz - samples in a second of CPU or wall time; 0: the values are counts.
 * @throws {@link ProtocolError} `TEXT_PROFILE_TYPE_INVALID` for any other last part, and for more than 10^9 samples in a
 * second, each of which would be no time at all.
 *
 * Source: Pyroscope pkg/ingester/pyroscope/ingest_adapter.go.
 */
export function resolveTextProfileType(appName: string, sampleRateHz: number): TextProfileType {
  const dot = appName.lastIndexOf(".");
  const suffix = dot < 0 ? "cpu" : appName.slice(dot + 1);
  const serviceName = dot < 0 ? appName : appName.slice(0, dot);
  const row = suffixes.get(suffix);
  if (row === undefined) throw invalid(`unknown profile type: ${suffix}`);
  const { profileName, type, unit } = row;
  const sampleType = { type, unit };
  const isTimed = row === cpu || row === wall;
  if (isTimed && sampleRateHz === 0) {
    const counted = { type: "samples", unit: "count" };
    return { serviceName, profileName, sampleType: counted, periodType: undefined, period: 0n, scale: 1n };
  }
  if (!isTimed) return { serviceName, profileName, sampleType, periodType: undefined, period: 0n, scale: 1n };
  const period = NANOS_PER_SECOND / BigInt(sampleRateHz);
  if (period === 0n) throw invalid(`sampleRate ${sampleRateHz}: expected at most ${NANOS_PER_SECOND}`);
  // The period is CPU for wall time, too: Pyroscope's ids have it so, and dashboards hold these ids.
  return {
    serviceName,
    profileName,
    sampleType,
    periodType: { type: "cpu", unit: "nanoseconds" },
    period,
    scale: period,
  };
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(message, { code: "TEXT_PROFILE_TYPE_INVALID" });
}
