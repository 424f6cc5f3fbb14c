import { ProtobufWriter } from "../wire/protobuf-writer.ts";

/** A node of a trie or a tree, drawn. */
export interface NodeInput {
  readonly name: string | Uint8Array;
  readonly value?: bigint;
  readonly children?: readonly NodeInput[];
}

/** Writes nodes as trie and tree have them: in pre-order, name, value, number of children. */
export function encodeNodes(root: NodeInput): Uint8Array {
  const writer = new ProtobufWriter();
  const write = ({ name, value = 0n, children = [] }: NodeInput): void => {
    const bytes = typeof name === "string" ? toBytes(name) : name;
    writer.uint(bytes.length);
    writer.raw(bytes);
    writer.varint(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
    writer.uint(children.length);
    for (const child of children) write(child);
  };
  write(root);
  return writer.finish();
}

/** The UTF-8 bytes of a text. */
export function toBytes(text: string): Uint8Array {
  const writer = new ProtobufWriter(text.length * 3);
  writer.text(text);
  return writer.finish();
}

/** A tree as deep as given, each node with a value of 1, a byte for a name, and one child. */
export function encodeChain(depth: number): Uint8Array {
  const bytes = new Uint8Array(depth * 4);
  for (let i = 0; i < depth; i++) bytes.set([1, 0x61, 1, i === depth - 1 ? 0 : 1], i * 4);
  return bytes;
}
