import { ProtocolError } from "../errors.ts";

/**
 * What decoding one body of a text, tree or OTLP format may cost, checked before the memory is taken.
 *
 * Counts are inclusive. These formats name each stack in full or by its difference to the one before, so that a few
 * kilobytes can stand for gigabytes of stacks: what is bounded is what comes out.
 */
export interface FormatLimits {
  /** Different stacks (with different labels, where a format has some). */
  readonly maxSamples: number;
  /** Frames of all samples of one profile together. */
  readonly maxFrames: number;
  /** Frames of one line of a text. */
  readonly maxLineFrames: number;
  /** Frames of all profiles of one OTLP request together. */
  readonly maxRequestFrames: number;
  /** Bytes of the frames of a trie: one that nodes end in counts for each of them. */
  readonly maxFrameBytes: number;
  /** Characters of all different names together. */
  readonly maxNameChars: number;
  /** Profiles of a speedscope file, equal ones taken together. */
  readonly maxProfiles: number;
  /** Profiles of an OTLP request. */
  readonly maxRequestProfiles: number;
  /** Rows of all tables of an OTLP dictionary together. */
  readonly maxTableRows: number;
  /** Bytes of the rows of an OTLP dictionary that are decoded: each counts for every profile that names it. */
  readonly maxRowBytes: number;
  /** Attributes of a resource, and of a scope, of an OTLP request: each counts for every profile in it. */
  readonly maxAttributes: number;
  /** Messages of an OTLP request outside of its dictionary, and the numbers in any one of them. */
  readonly maxMessages: number;
  /** Bytes of one name of a tree. */
  readonly maxTreeNameBytes: number;
  /** Children of one node of a tree. */
  readonly maxTreeChildren: number;
}

/** Limits for one body. A server sets its own for each tenant. */
export const DEFAULT_FORMAT_LIMITS: FormatLimits = {
  // Pyroscope's max_profile_stacktrace_samples.
  maxSamples: 16_000,
  // 64 MiB as 32-bit rows: 16,000 stacks as deep as Pyroscope keeps them.
  maxFrames: 2 ** 24,
  // Far deeper than Pyroscope keeps; a line is split at once, and each part takes ten times its bytes.
  maxLineFrames: 2 ** 16,
  maxRequestFrames: 2 ** 24,
  // Decoded in 50 ms; 16,000 frames of 2 kB.
  maxFrameBytes: 2 ** 25,
  maxNameChars: 2 ** 24,
  // One for each thread of a program; a profile costs some ten microseconds before it has a sample.
  maxProfiles: 1024,
  // One for each process of a large machine, or of many that a collector puts together. Each costs 0.2 ms to store.
  maxRequestProfiles: 2 ** 13,
  // 4 MiB as two 32-bit rows; a dictionary of the eBPF profiler has some ten thousand.
  maxTableRows: 2 ** 19,
  // Decoded in half a second; a dictionary of a megabyte, named whole by thirty profiles.
  maxRowBytes: 2 ** 25,
  // Twice what OpenTelemetry allows a span by default. A series has thirty labels.
  maxAttributes: 256,
  // A message of two bytes becomes an object of sixty. The eBPF profiler sends some thousand samples.
  maxMessages: 2 ** 18,
  // Pyroscope's max_profile_symbol_value_length.
  maxTreeNameBytes: 65_535,
  // As Pyroscope: max_profile_stacktrace_samples.
  maxTreeChildren: 16_000,
};

/** Throws {@link ProtocolError} `FORMAT_LIMIT` when `actual` passes the limit of that name. */
export function checkFormatLimit(limits: FormatLimits, name: keyof FormatLimits, actual: number): void {
  const limit = limits[name];
  if (actual <= limit) return;
  throw new ProtocolError(`decoding a profile: ${name}: actual ${actual}, limit ${limit}`, {
    code: "FORMAT_LIMIT",
    limit: { name, actual, limit },
  });
}
