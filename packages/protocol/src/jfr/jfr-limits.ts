import { ProtocolError } from "../errors.ts";

/**
 * What decoding a recording may cost beside its own size, checked before the memory is taken. Counts are inclusive;
 * `Infinity` switches a limit off.
 */
export interface JfrLimits {
  /** Different pairs of stack and labels, in one chunk and for one profile. */
  readonly maxSamples: number;
  /** Frames of all stacks of one profile together: a stack is named by its id, and so is cheap to repeat. */
  readonly maxFrames: number;
  /** Labels of one context. */
  readonly maxLabelsPerSample: number;
  /** Elements of one chunk's metadata, and strings. */
  readonly maxMetadataElements: number;
}

/** Limits for the recording that one process makes between two uploads. */
export const DEFAULT_JFR_LIMITS: JfrLimits = {
  // As in a pprof, which the profiles of a recording become.
  maxSamples: 1_000_000,
  // 32 MiB as 32-bit rows: 16,000 stacks, as many as Pyroscope takes, of 524 frames.
  maxFrames: 2 ** 23,
  // Pyroscope's max_profile_stacktrace_sample_labels.
  maxLabelsPerSample: 100,
  // JDK 17 describes all its events with 6,500 elements, async-profiler with 900.
  maxMetadataElements: 65_536,
};

/** Throws {@link ProtocolError} `JFR_LIMIT` when `actual` passes the limit of that name. */
export function checkJfrLimit<Name extends keyof JfrLimits>(
  limits: Pick<JfrLimits, Name>,
  name: Name,
  actual: number,
): void {
  const limit: number = limits[name];
  if (actual <= limit) return;
  throw new ProtocolError(`decoding a JFR recording: ${name}: actual ${actual}, limit ${limit}`, {
    code: "JFR_LIMIT",
    limit: { name, actual, limit },
  });
}
