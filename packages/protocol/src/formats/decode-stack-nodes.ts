import type { LocationIndex } from "../profile/profile.ts";
import type { ProtobufReader } from "../wire/protobuf-reader.ts";
import { UTF8_DECODER } from "../wire/text-codec.ts";
import { checkFormatLimit, type FormatLimits } from "./format-limits.ts";
import { malformedFormat } from "./malformed-format.ts";
import type { StackCollector } from "./stack-collector.ts";
import { TriePath } from "./trie-path.ts";

/** A node as both formats write it; its children follow it. */
interface StackNode {
  /** A view into the bytes. */
  readonly name: Uint8Array;
  readonly value: bigint;
  readonly childCount: number;
}

/**
 * Reads a trie: nodes in pre-order, each a length and a name, a value and the number of its children, all as varints.
 * What the names from the root to a node are together is the folded stack of its value: a node may end in the middle of
 * a frame, or of a character.
 *
 * Source: Pyroscope pkg/og/structs/transporttrie.
 */
export function readTrie(reader: ProtobufReader, stacks: StackCollector, limits: FormatLimits): void {
  const path = new TriePath();
  let decodedBytes = 0;
  forEachNode(reader, ({ name, value }, depth) => {
    path.enter(name, depth);
    if (value === 0n) return;
    const locations = path.locations((frame) => {
      decodedBytes += frame.length;
      checkFormatLimit(limits, "maxFrameBytes", decodedBytes);
      return stacks.locationOf(decodeName(frame, reader));
    });
    stacks.addStack(locations, value);
  });
}

/**
 * Reads a tree: nodes as in {@link readTrie}, but a name is a whole frame, and a value what the frame has by itself. The
 * first node is the root, which is no frame and has no name.
 *
 * Source: Pyroscope pkg/og/storage/tree.
 */
export function readFrameTree(reader: ProtobufReader, stacks: StackCollector, limits: FormatLimits): void {
  const path: LocationIndex[] = [];
  let isRootNamed = false;
  forEachNode(reader, (node, depth) => {
    checkTreeNode(node, limits);
    const name = decodeName(node.name, reader);
    if (depth === 0) isRootNamed = name !== "";
    const level = isRootNamed ? depth : depth - 1;
    path.length = Math.max(level, 0);
    if (level >= 0) path.push(stacks.locationOf(name));
    stacks.addStack(path, node.value);
  });
}

/** Texts as Pyroscope has them. */
function checkTreeNode({ name, childCount }: StackNode, limits: FormatLimits): void {
  if (name.length > limits.maxTreeNameBytes) {
    throw malformedFormat(`tree node name length ${name.length} exceeds maximum ${limits.maxTreeNameBytes}`);
  }
  if (childCount > limits.maxTreeChildren) {
    throw malformedFormat(`tree node children count ${childCount} exceeds maximum ${limits.maxTreeChildren}`);
  }
}

/** Walks nodes in pre-order without recursion: a chain of a million nodes is a legal tree. */
function forEachNode(reader: ProtobufReader, onNode: (node: StackNode, depth: number) => void): void {
  // How many children each open node still has.
  const left: number[] = [];
  do {
    const node = readNode(reader);
    onNode(node, left.length);
    left.push(node.childCount);
    while (left.at(-1) === 0) left.pop();
    // The next node is a child of the last open one.
    if (left.length > 0) left.push((left.pop() ?? 0) - 1);
  } while (left.length > 0);
  if (reader.hasMore()) throw malformedFormat(`${reader.limit - reader.position} bytes after the last node`);
}

function readNode(reader: ProtobufReader): StackNode {
  const nameEnd = reader.end();
  const name = reader.bytes.subarray(reader.position, nameEnd);
  reader.position = nameEnd;
  const value = reader.int64();
  if (value < 0n) throw malformedFormat(`value before byte ${reader.position}: above the largest int64`);
  const childCount = reader.uint32();
  if (childCount < 0) {
    throw malformedFormat(`count of children before byte ${reader.position}: more than 32 bits`);
  }
  return { name, value, childCount };
}

function decodeName(bytes: Uint8Array, reader: ProtobufReader): string {
  try {
    return UTF8_DECODER.decode(bytes);
  } catch (error) {
    throw malformedFormat(`name of the node before byte ${reader.position} is not UTF-8`, error);
  }
}
