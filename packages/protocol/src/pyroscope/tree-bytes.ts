import { ProtocolError } from "../errors.ts";
import { toTree, ValueColumn } from "../profile/build-tree.ts";
import { walkRightFirst } from "../profile/right-first-walk.ts";
import type { Tree } from "../profile/tree.ts";
import { ROOT_NODE, TreeShape } from "../profile/tree-shape.ts";
import { ProtobufReader } from "../wire/protobuf-reader.ts";
import { ProtobufWriter } from "../wire/protobuf-writer.ts";
import { UTF8_DECODER } from "../wire/text-codec.ts";
import { checkNotNegative } from "./flamebearer-names.ts";

/** What decoding tree bytes may cost. Counts are inclusive. */
export interface TreeLimits {
  readonly maxNodes: number;
  /** Size of one name in UTF-8. */
  readonly maxNameBytes: number;
}

/** Pyroscope's largest `max_nodes` of a query and largest length of a symbol. */
export const DEFAULT_TREE_LIMITS: TreeLimits = { maxNodes: 1_048_576, maxNameBytes: 65_535 };

/**
 * Encodes a tree as the bytes that `SelectMergeStacktraces` returns for the format `tree`.
 *
 * Each node is the length and the bytes of its name, its self and the number of its children, lengths and numbers as
 * unsigned varints. The first node is the root, with an empty name; a node's **last** child comes first behind it.
 * A tree without nodes and values is no bytes at all. Self is rounded to a whole number.
 *
 * @throws {@link ProtocolError} `TREE_MALFORMED` for a negative value.
 *
 * Source: Grafana Pyroscope pkg/model/tree.go `MarshalTruncate`.
 */
export function encodeTree(tree: Tree): Uint8Array {
  checkNotNegative("encodeTree", tree.self);
  if (tree.length <= 1 && (tree.self[0] ?? 0) === 0) return new Uint8Array();
  const childCount = countChildren(tree);
  const writer = new ProtobufWriter(tree.length * 16);
  for (const row of walkRightFirst(tree)) {
    const name = writer.beginLength();
    if (row > 0) writer.text(tree.names[tree.name[row] ?? 0] ?? "");
    writer.end(name);
    writer.uint(Math.round(tree.self[row] ?? 0));
    writer.uint(childCount[row] ?? 0);
  }
  return writer.finish();
}

/**
 * Decodes what {@link encodeTree} or a Pyroscope server wrote. Strict: the input may come from another server.
 *
 * Law: `decodeTree(encodeTree(tree))` equals `tree`, while values are whole and within 2^53.
 *
 * @throws {@link ProtocolError} `WIRE_MALFORMED` when the bytes end within a node; `TREE_MALFORMED` when bytes follow the
 * last node, the first one has a name, a name is not UTF-8 or a self is beyond int64; `PPROF_LIMIT`.
 */
export function decodeTree(bytes: Uint8Array, limits: Partial<TreeLimits> = {}): Tree {
  const shape = new TreeShape();
  const self = new ValueColumn();
  if (bytes.length > 0) new TreeDecoder(bytes, { ...DEFAULT_TREE_LIMITS, ...limits }).decode(shape, self);
  return toTree(shape.finish(), self);
}

class TreeDecoder {
  readonly #reader: ProtobufReader;
  readonly #limits: TreeLimits;
  #nodeCount = 1;

  constructor(bytes: Uint8Array, limits: TreeLimits) {
    this.#reader = new ProtobufReader(bytes);
    this.#limits = limits;
  }

  decode(shape: TreeShape, self: ValueColumn): void {
    const rootName = this.#readName();
    if (rootName !== "")
      throw malformedTree(`the first node is named ${JSON.stringify(rootName)}: expected no name`);
    self.add(ROOT_NODE, this.#readSelf());
    // Nodes whose children are still to come, innermost last, and how many.
    const parents = [ROOT_NODE];
    const missing = [this.#readChildCount()];
    while (parents.length > 0) {
      const top = parents.length - 1;
      const parent = parents[top] ?? ROOT_NODE;
      const left = missing[top] ?? 0;
      if (left === 0) {
        parents.pop();
        missing.pop();
        continue;
      }
      missing[top] = left - 1;
      const node = shape.child(parent, shape.name(this.#readName()));
      self.add(node, this.#readSelf());
      parents.push(node);
      missing.push(this.#readChildCount());
    }
    if (this.#reader.hasMore()) {
      throw malformedTree(`the last node ends at byte ${this.#reader.position}: expected no more bytes`);
    }
  }

  #readName(): string {
    const reader = this.#reader;
    const start = reader.position;
    const outer = reader.enter();
    const bytes = reader.bytes.subarray(reader.position, reader.limit);
    checkTreeLimit(this.#limits, "maxNameBytes", bytes.length);
    reader.position = reader.limit;
    reader.leave(outer);
    try {
      return UTF8_DECODER.decode(bytes);
    } catch (cause) {
      throw malformedTree(`the name at byte ${start} is not UTF-8`, cause);
    }
  }

  #readSelf(): number {
    const reader = this.#reader;
    const start = reader.position;
    reader.varint();
    if (reader.hi < 0) throw malformedTree(`the self at byte ${start} is beyond 2^63 - 1`);
    return reader.hi * 0x1_0000_0000 + (reader.lo >>> 0);
  }

  #readChildCount(): number {
    const reader = this.#reader;
    const start = reader.position;
    const count = reader.uint32();
    // A node is at least three bytes.
    if (count < 0 || count * 3 > reader.limit - reader.position) {
      throw malformedTree(
        `the number of children at byte ${start} is more than the bytes behind it can hold`,
      );
    }
    this.#nodeCount += count;
    checkTreeLimit(this.#limits, "maxNodes", this.#nodeCount);
    return count;
  }
}

function checkTreeLimit(limits: TreeLimits, name: keyof TreeLimits, actual: number): void {
  const limit = limits[name];
  if (actual <= limit) return;
  throw new ProtocolError(`decoding tree bytes: ${name}: actual ${actual}, limit ${limit}`, {
    code: "PPROF_LIMIT",
    limit: { name, actual, limit },
  });
}

function countChildren(tree: Tree): Uint32Array {
  const counts = new Uint32Array(tree.length);
  for (let row = 1; row < tree.length; row++) {
    const parent = tree.parent[row] ?? 0;
    counts[parent] = (counts[parent] ?? 0) + 1;
  }
  return counts;
}

function malformedTree(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError(`decoding tree bytes: ${message}`, { code: "TREE_MALFORMED", cause });
}
