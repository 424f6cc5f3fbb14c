/**
 * The same answer with buffers of its own: an answer gives its buffers away when it goes to another thread. What holds
 * them is copied as well, texts and numbers are shared.
 */
export function copyAnswer<Value>(value: Value): Value {
  return copy(value) as Value;
}

function copy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return copyView(value);
  if (Array.isArray(value)) return isFlat(value) ? [...value] : value.map(copy);
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, copy(field)]));
}

function copyView(view: ArrayBufferView): ArrayBufferView {
  const bytes = new Uint8Array(view.byteLength);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  if (view instanceof Uint8Array) return bytes;
  // Every view of numbers has the signature (buffer), and its length follows from the buffer's.
  const View = view.constructor as new (buffer: ArrayBuffer) => ArrayBufferView;
  return new View(bytes.buffer);
}

/** Bytes of memory that an answer takes, about. */
export function answerBytes(value: unknown): number {
  if (typeof value === "string") return STRING_BYTES + 2 * value.length;
  if (typeof value !== "object" || value === null) return SLOT_BYTES;
  if (ArrayBuffer.isView(value)) return OBJECT_BYTES + value.byteLength;
  const fields: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return fields.reduce((sum: number, field) => sum + SLOT_BYTES + answerBytes(field), OBJECT_BYTES);
}

// What V8 needs for them on a 64-bit machine, rounded up.
const SLOT_BYTES = 8;
const STRING_BYTES = 24;
const OBJECT_BYTES = 64;

/** Columns of names can be long: one look at the first element decides. */
function isFlat(values: readonly unknown[]): boolean {
  return typeof values[0] !== "object";
}
