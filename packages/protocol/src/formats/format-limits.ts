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
  /** Frames of all samples together. */
  readonly maxFrames: number;
  /** Bytes of all stacks of a trie, each written out. */
  readonly maxStackBytes: number;
  /** Characters of all different names together. */
  readonly maxNameChars: number;
  /** Rows of all tables of an OTLP dictionary together. */
  readonly maxTableRows: number;
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
  // Decoded in half a second; 16,000 stacks of 16 kB.
  maxStackBytes: 2 ** 28,
  maxNameChars: 2 ** 24,
  // 4 MiB as two 32-bit rows; a dictionary of the eBPF profiler has some ten thousand.
  maxTableRows: 2 ** 19,
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
