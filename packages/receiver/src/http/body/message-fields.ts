import type { DescMessage } from "@bufbuild/protobuf";
import { ReceiverError } from "../../errors.ts";

// Messages are decoded on the thread that speaks HTTP, and two bytes can be an object: four megabytes of empty series took
// 0.8 s and 200 MB. So many are decoded in 80 ms; a push of a thousand series with twenty labels has as many.
const MAX_FIELDS = 65_536;

/** Deeper than any message of ours. */
const MAX_DEPTH = 16;

/** Each begins a value, or follows one. */
const JSON_MARKS = ["{", "[", ","] as const;

/**
 * Refuses a message of very many fields before it is decoded.
 *
 * @param message - what the bytes are read as; ignored for JSON, whose braces, brackets and commas are counted. Bytes that
 * are no message are left to the decoder.
 * @throws {@link ReceiverError} `INVALID_ARGUMENT`.
 */
export function checkFieldCount(bytes: Uint8Array, encoding: "json" | "proto", message: DescMessage): void {
  const count = encoding === "json" ? countJson(bytes) : new FieldCounter(bytes).count(message);
  if (count <= MAX_FIELDS) return;
  throw new ReceiverError(`the message has more than ${MAX_FIELDS} fields: send it in several`, {
    code: "INVALID_ARGUMENT",
  });
}

function countJson(bytes: Uint8Array): number {
  // Most of a large message is text in base64, which has no such mark: a search passes over it.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let count = 0;
  for (const mark of JSON_MARKS) {
    for (let at = text.indexOf(mark); at !== -1 && count <= MAX_FIELDS; at = text.indexOf(mark, at + 1))
      count++;
  }
  return count;
}

/** Counts the fields of a message and of those in it, until there are too many or the bytes are no message. */
class FieldCounter {
  readonly #bytes: Uint8Array;
  #position = 0;
  #count = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  count(message: DescMessage): number {
    this.#read(message, this.#bytes.length, 0);
    return this.#count;
  }

  /** @returns false where it is of no use to go on. */
  #read(message: DescMessage | undefined, end: number, depth: number): boolean {
    const children = message && childrenOf(message);
    while (this.#position < end) {
      if (++this.#count > MAX_FIELDS) return false;
      const tag = this.#varint();
      if (!(tag > 0)) return false;
      const length = this.#lengthOf(tag & 7);
      if (!(length <= end - this.#position)) return false;
      const child = (tag & 7) === 2 ? children?.get(tag >>> 3) : undefined;
      if (child === undefined || depth === MAX_DEPTH) this.#position += length;
      else if (!this.#read(child, this.#position + length, depth + 1)) return false;
    }
    return true;
  }

  /** Bytes that are left of a field behind its tag, and behind its length if it has one; NaN for none that is known. */
  #lengthOf(wireType: number): number {
    if (wireType === 2) return this.#varint();
    if (wireType === 0) return this.#varint() * 0;
    return { 1: 8, 5: 4 }[wireType] ?? Number.NaN;
  }

  /** NaN where none ends within ten bytes. */
  #varint(): number {
    let value = 0;
    for (let i = 0, factor = 1; i < 10; i++, factor *= 128) {
      const byte = this.#bytes[this.#position++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  }
}

const known = new WeakMap<DescMessage, ReadonlyMap<number, DescMessage>>();

/** The fields of a message that are messages, by number. */
function childrenOf(message: DescMessage): ReadonlyMap<number, DescMessage> {
  let children = known.get(message);
  if (children === undefined) {
    children = new Map(
      message.fields.flatMap((field) => {
        const isMessage = field.fieldKind === "message" || field.fieldKind === "list";
        return isMessage && field.message !== undefined ? [[field.number, field.message] as const] : [];
      }),
    );
    known.set(message, children);
  }
  return children;
}
