import { Chunk } from "./chunk.ts";
import { readChunkHeader } from "./chunk-header.ts";
import { DEFAULT_JFR_LIMITS, type JfrLimits } from "./jfr-limits.ts";
import { decodeLabelsSnapshot } from "./labels-snapshot.ts";
import { RecordingReader } from "./recording-reader.ts";
import type { JfrProfile } from "./sample-collector.ts";

/** What a recording does not say itself. */
export interface DecodeJfrOptions {
  /** Samples of a thread in a second, whole, from 1 to 10^9. */
  readonly sampleRateHz: number;
  /** Nanoseconds since the epoch. */
  readonly startUnixNanos: bigint;
  readonly endUnixNanos: bigint;
  /** An uncompressed `LabelsSnapshot`: the labels of the contexts that events name. */
  readonly labelsSnapshot?: Uint8Array | undefined;
  /** Replaces single limits of {@link DEFAULT_JFR_LIMITS}. */
  readonly limits?: Partial<JfrLimits> | undefined;
}

/** A recording, as profiles. */
export interface JfrProfiles {
  /** What the recording's setting `event` says that it was triggered by: `itimer`, `wall`; "" if it has none. */
  readonly event: string;
  /** One for each kind of event that the recording has; several may have the same name, with other sample types. */
  readonly profiles: readonly JfrProfile[];
}

const NANOS_PER_SECOND = 1_000_000_000n;

/**
 * Decodes a JDK Flight Recorder recording from a stranger: one that the JDK made, or async-profiler.
 *
 * Events become samples as Pyroscope has it: execution and wall-clock samples, allocations in and outside TLABs and
 * sampled, live objects, native allocations, contended monitors, parked threads. Other events are skipped. Frames
 * are `<package>/<Class>.<method>`, stacks leaf first. Durations count nanoseconds, whatever ticks the recording
 * counts. An event whose stack or method the recording lacks is kept, under `[unknown]`. No part of `bytes` is kept.
 *
 * @param bytes - an uncompressed recording of one chunk or more.
 * @throws {@link ProtocolError} `JFR_MALFORMED` for bytes that are no recording or were cut off, `JFR_LIMIT`,
 * `WIRE_MALFORMED` for a malformed snapshot, `PROFILE_OVERFLOW` for a sum that leaves int64.
 *
 * Source: grafana/jfr-parser pprof/parser.go; JDK jdk.jfr.internal.consumer.
 */
export function decodeJfr(bytes: Uint8Array, options: DecodeJfrOptions): JfrProfiles {
  const limits = { ...DEFAULT_JFR_LIMITS, ...options.limits };
  const { sampleRateHz, startUnixNanos, endUnixNanos } = options;
  const recording = new RecordingReader({
    labels: decodeLabelsSnapshot(options.labelsSnapshot ?? new Uint8Array(0), limits),
    limits,
    periodNanos: NANOS_PER_SECOND / BigInt(sampleRateHz),
    startUnixNanos,
    durationNanos: endUnixNanos > startUnixNanos ? endUnixNanos - startUnixNanos : 0n,
  });
  let at = 0;
  do {
    const header = readChunkHeader(bytes, at);
    recording.readChunk(new Chunk(bytes, header, limits));
    at = header.end;
  } while (at < bytes.length);
  return { event: recording.event, profiles: recording.profiles() };
}
