import { ProtocolError } from "../errors.ts";

/**
 * What decoding a pprof may cost, checked before the memory is taken.
 *
 * Counts are inclusive: exactly `maxSamples` samples are accepted. `Infinity` switches a limit off.
 */
export interface PprofLimits {
  /** Size of the uncompressed profile. */
  readonly maxBytes: number;
  readonly maxSampleTypes: number;
  readonly maxSamples: number;
  /** Locations of one sample, after {@link PprofLimits.truncateDepth}. */
  readonly maxLocationsPerSample: number;
  readonly maxLabelsPerSample: number;
  readonly maxStrings: number;
  /** Size of one string, after {@link PprofLimits.truncateStringBytes}. */
  readonly maxStringBytes: number;
  readonly maxLocations: number;
  /** Functions inlined into one location. */
  readonly maxLinesPerLocation: number;
  /** Lines of all locations. */
  readonly maxLines: number;
  readonly maxFunctions: number;
  readonly maxMappings: number;
  readonly maxComments: number;
  /**
   * Frames of all stacks together, with inlined ones: the size of the profile once its stacks are written out.
   * A few kilobytes can name 10^10 frames by repeating one location with many lines.
   */
  readonly maxFrames: number;
  /** Locations a stack keeps, those nearest to the root; undefined keeps all. */
  readonly truncateDepth: number | undefined;
  /** Bytes a string keeps, those at its end, rounded down to whole characters; undefined keeps all. */
  readonly truncateStringBytes: number | undefined;
}

/**
 * Limits for one profile that was made by one process. They bound what a stranger's bytes cost; a server sets its
 * own, lower ones for each tenant.
 */
export const DEFAULT_PPROF_LIMITS: PprofLimits = {
  // The largest of the real profiles in testdata is 0.2 MB, and Pyroscope takes 4 MiB; merged profiles that a
  // server exports reach tens of megabytes.
  maxBytes: 64 * 1024 * 1024,
  // Go's heap has 4, a JFR recording converted at once about 20.
  maxSampleTypes: 64,
  // 60 times Pyroscope's 16,000 for one push: a merge over many series is a legitimate profile.
  maxSamples: 1_000_000,
  // V8 samples at most 255 frames and Go 512; runaway recursion is the only reason for more, and readers cut it anyway.
  maxLocationsPerSample: 65_536,
  // Pyroscope's max_profile_stacktrace_sample_labels.
  maxLabelsPerSample: 100,
  maxStrings: 1_000_000,
  // Generated names, such as instantiated templates, reach 10 kB; Pyroscope keeps 65,535 bytes.
  maxStringBytes: 1024 * 1024,
  maxLocations: 1_000_000,
  // LLVM inlines a few dozen deep.
  maxLinesPerLocation: 1_000,
  maxLines: 2_000_000,
  maxFunctions: 1_000_000,
  // One for each mapped file or JIT region of a process.
  maxMappings: 65_536,
  maxComments: 10_000,
  // 128 MiB as 32-bit rows: 100,000 stacks of 335 frames.
  maxFrames: 2 ** 25,
  truncateDepth: undefined,
  truncateStringBytes: undefined,
};

/** Name of a limit that counts; the two `truncate` options cut instead of refusing. */
export type PprofLimitName = Exclude<keyof PprofLimits, `truncate${string}`>;

/** Throws {@link ProtocolError} `PPROF_LIMIT` when `actual` passes the limit of that name. */
export function checkLimit(limits: PprofLimits, name: PprofLimitName, actual: number): void {
  const limit = limits[name];
  if (actual <= limit) return;
  throw new ProtocolError(`decoding a pprof: ${name}: actual ${actual}, limit ${limit}`, {
    code: "PPROF_LIMIT",
    limit: { name, actual, limit },
  });
}
