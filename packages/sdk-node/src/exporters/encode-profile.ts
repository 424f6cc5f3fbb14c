import { gzipSync } from "node:zlib";
import type { Profile } from "@pyroscope-ts/protocol";
import { encodePprof, pickSamples } from "@pyroscope-ts/protocol/profiler";
import type { CostMeter } from "../cost-meter.ts";
import type { Encoding } from "./exporter.ts";

/** One pprof as it is sent. */
export interface EncodedProfile {
  /** pprof, compressed with gzip. */
  readonly pprof: Uint8Array;
  /** Bytes before compression, which is what servers limit. */
  readonly rawBytes: number;
}

/** The most that one pprof may hold. */
export interface ProfileLimits {
  readonly maxSamples: number;
  readonly maxBytes: number;
}

/**
 * What no default server refuses: a Pyroscope takes at most 16,000 samples in a profile (max_profile_stacktrace_samples)
 * and 2 MiB at once (ingestion_burst_size_mb), in which the labels of series count: 64 KiB are more than 30 of the
 * longest, for each of the four profiles that one upload has by default.
 */
export const SERVER_LIMITS: ProfileLimits = { maxSamples: 16_000, maxBytes: 2 * 1024 ** 2 - 4 * 64 * 1024 };

/** Encodes and compresses a profile: in parts, where it is larger than servers take. */
export function encodeProfile(profile: Profile): readonly EncodedProfile[] {
  return encodeParts(profile, SERVER_LIMITS).map((raw) => ({
    // Synchronous: the helper thread has nothing better to do, and the pool of libuv stays the program's own. Copied, because
    // what zlib returns lies in a buffer of 16 KiB or more, all of which would wait in the queue.
    pprof: Uint8Array.from(gzipSync(raw)),
    rawBytes: raw.byteLength,
  }));
}

/** As {@link encodeProfile}, with what it cost. */
export function encodeMeasured(profile: Profile, meter: CostMeter): Encoding {
  const parts = meter.measure(() => encodeProfile(profile));
  return { parts, cpuMs: meter.take() };
}

/**
 * The pprof of a profile, or those of its parts where it is beyond `limits`: each with some of its samples, the symbols that
 * they need, and an equal share of its time, one after the other. So parts add up to the values and to the duration
 * of the whole, and no server takes two of them for the same. Samples with equal labels stay together as far as they can.
 *
 * One sample alone that is beyond `maxBytes` is a part all the same: the server decides.
 */
export function encodeParts(profile: Profile, limits: ProfileLimits): readonly Uint8Array[] {
  if (profile.samples.length <= limits.maxSamples) {
    const whole = encodePprof(profile);
    if (whole.byteLength <= limits.maxBytes) return [whole];
  }
  const parts = cut(profile, rowsByLabels(profile), limits);
  return parts.map((part, i) => encodePprof({ ...part, ...shareOfTime(profile, i, parts.length) }));
}

function cut(profile: Profile, rows: Uint32Array, limits: ProfileLimits): readonly Profile[] {
  if (rows.length <= limits.maxSamples) {
    const part = pickSamples(profile, rows);
    if (rows.length <= 1 || encodePprof(part).byteLength <= limits.maxBytes) return [part];
  }
  const middle = rows.length >>> 1;
  return [...cut(profile, rows.subarray(0, middle), limits), ...cut(profile, rows.subarray(middle), limits)];
}

/** All rows of samples, those with equal labels beside each other. */
function rowsByLabels({ samples, labels }: Profile): Uint32Array {
  const groups = new Map<string, number[]>();
  for (let row = 0; row < samples.length; row++) {
    const start = samples.labelStart[row];
    const end = samples.labelStart[row + 1];
    const key = `${labels.key.subarray(start, end)}|${labels.text.subarray(start, end)}`;
    const rows = groups.get(key);
    if (rows === undefined) groups.set(key, [row]);
    else rows.push(row);
  }
  return Uint32Array.from([...groups.values()].flat());
}

function shareOfTime(
  { timeUnixNanos, durationNanos }: Profile,
  index: number,
  count: number,
): Pick<Profile, "timeUnixNanos" | "durationNanos"> {
  const beginOf = (part: number): bigint => (durationNanos * BigInt(part)) / BigInt(count);
  // A profile without a duration has parts all the same, which must differ in their times.
  const apart = durationNanos < BigInt(count) ? BigInt(index) : 0n;
  return {
    timeUnixNanos: timeUnixNanos + beginOf(index) + apart,
    durationNanos: beginOf(index + 1) - beginOf(index),
  };
}
