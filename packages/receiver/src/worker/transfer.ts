import type { Transferable } from "node:worker_threads";

/** A message and the buffers in it that are moved instead of copied. */
export interface PreparedMessage<Message> {
  readonly value: Message;
  readonly transfer: Transferable[];
}

/**
 * Finds what a message can give away.
 *
 * A typed array that covers its whole buffer is moved. One that is a window of a larger buffer is replaced by a copy of
 * its window: cloning would send the whole buffer, and moving it would take it from its other users (Node serves small
 * Buffers out of one shared slab). The input's containers are left as they were.
 */
export function prepareTransfer<Message>(message: Message): PreparedMessage<Message> {
  const transfer = new Set<ArrayBuffer>();
  const value = prepare(message, transfer) as Message;
  return { value, transfer: [...transfer] };
}

function prepare(value: unknown, transfer: Set<ArrayBuffer>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return prepareView(value, transfer);
  if (Array.isArray(value)) return prepareArray(value, transfer);
  // Maps, Sets, Dates, Errors and class instances are cloned as they are.
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null
    ? prepareFields(value as Readonly<Record<string, unknown>>, transfer)
    : value;
}

/** The object itself, unless something in it is replaced. */
function prepareFields(fields: Readonly<Record<string, unknown>>, transfer: Set<ArrayBuffer>): unknown {
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(fields)) {
    const prepared = prepare(fields[key], transfer);
    if (prepared === fields[key]) continue;
    copy ??= { ...fields };
    copy[key] = prepared;
  }
  return copy ?? fields;
}

function prepareArray(values: readonly unknown[], transfer: Set<ArrayBuffer>): readonly unknown[] {
  // Columns of names can be long and hold nothing to move: one look at the first element decides.
  if (typeof values[0] !== "object") return values;
  let copy: unknown[] | undefined;
  for (const [index, item] of values.entries()) {
    const prepared = prepare(item, transfer);
    if (prepared === item) continue;
    copy ??= [...values];
    copy[index] = prepared;
  }
  return copy ?? values;
}

function prepareView(view: ArrayBufferView, transfer: Set<ArrayBuffer>): ArrayBufferView {
  if (!(view.buffer instanceof ArrayBuffer)) return view;
  // Moving takes a buffer from everyone who holds it, and an empty one can be a constant. There is nothing to gain.
  if (view.byteLength === 0) return copyWindow(view);
  const isWhole = view.byteOffset === 0 && view.byteLength === view.buffer.byteLength;
  const whole = isWhole ? view : copyWindow(view);
  transfer.add(whole.buffer as ArrayBuffer);
  return whole;
}

function copyWindow(view: ArrayBufferView): ArrayBufferView {
  const bytes = new Uint8Array(view.byteLength);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  if (view instanceof Uint8Array) return bytes;
  if (view instanceof DataView) return new DataView(bytes.buffer);
  // Every other view has the signature (buffer), and its length follows from the buffer's.
  const View = view.constructor as new (buffer: ArrayBuffer) => ArrayBufferView;
  return new View(bytes.buffer);
}
