import { ProtocolError } from "../errors.ts";
import type { Profile } from "../profile/profile.ts";
import { ProtobufReader } from "../wire/protobuf-reader.ts";
import { readFrameTree, readTrie } from "./decode-stack-nodes.ts";
import { readFoldedText, readStackLines } from "./decode-stack-text.ts";
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from "./format-limits.ts";
import { malformedFormat } from "./malformed-format.ts";
import { StackCollector, type StackHeader } from "./stack-collector.ts";

/**
 * A format that is stacks and values and nothing else, by its name on `/ingest`.
 *
 * - `groups`: folded text, `root;child;leaf 12` on each line.
 * - `lines`: `root;child;leaf` on each line, one occurrence each.
 * - `trie`: folded stacks in a prefix tree over their bytes.
 * - `tree`: a tree of frames with their own values.
 */
export type StackFormat = "groups" | "lines" | "trie" | "tree";

/**
 * Decodes a profile that is stacks and values and nothing else.
 *
 * The sum of the values is exactly that of the input times `header.scale`, equal stacks are one sample, and nothing is
 * left out: a line may be of any length. No bytes, or blank lines alone, are a profile without samples.
 *
 * @param header - what the values mean; the formats do not say it.
 * @throws {@link ProtocolError} `FORMAT_MALFORMED` for bytes that are not of the format, `FORMAT_LIMIT`, `PROFILE_OVERFLOW`
 * when a value or a sum leaves int64.
 *
 * Source: Pyroscope pkg/og/convert/parser.go.
 */
export function decodeStacks(
  format: StackFormat,
  bytes: Uint8Array,
  header: StackHeader,
  limits: FormatLimits = DEFAULT_FORMAT_LIMITS,
): Profile {
  const stacks = new StackCollector(header, limits);
  if (bytes.length > 0) readStacks(format, bytes, stacks, limits);
  return stacks.build();
}

function readStacks(
  format: StackFormat,
  bytes: Uint8Array,
  stacks: StackCollector,
  limits: FormatLimits,
): void {
  try {
    if (format === "groups") readFoldedText(bytes, stacks);
    else if (format === "lines") readStackLines(bytes, stacks);
    else if (format === "trie") readTrie(new ProtobufReader(bytes), stacks, limits);
    else readFrameTree(new ProtobufReader(bytes), stacks, limits);
  } catch (error) {
    // The reader of varints does not know what they are part of.
    if (error instanceof ProtocolError && error.code === "WIRE_MALFORMED") {
      throw malformedFormat(`decoding a ${format}: ${error.message}`, error);
    }
    throw error;
  }
}
