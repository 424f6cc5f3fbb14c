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
  /** Elements of one chunk's metadata, and strings. */
  readonly maxMetadataElements: number;
}

/** Limits for the recording that one process makes between two uploads. */
export const DEFAULT_JFR_LIMITS: JfrLimits = {
  // As in a pprof, which the profiles of a recording become.
  maxSamples: 1_000_000,
  // 32 MiB as 32-bit rows: 16,000 stacks, as many as Pyroscope takes, of 524 frames.
  maxFrames: 2 ** 23,
  // JDK 17 describes all its events with 6,500 elements, async-profiler with 900.
  maxMetadataElements: 65_536,
};

/** Throws {@link ProtocolError} `JFR_LIMIT` when `actual` passes the limit of that name. */
export function checkJfrLimit(limits: JfrLimits, name: keyof JfrLimits, actual: number): void {
  const limit = limits[name];
  if (actual <= limit) return;
  throw new ProtocolError(`decoding a JFR recording: ${name}: actual ${actual}, limit ${limit}`, {
    code: "JFR_LIMIT",
    limit: { name, actual, limit },
  });
}
