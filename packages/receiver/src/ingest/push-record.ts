import type { Label, LabelSet } from "@pyroscope-ts/protocol";
import { ReceiverError } from "../errors.ts";
import { PAYLOAD_HASH_BYTES } from "./payload-identity.ts";

/** Version of the layout below; a record of another one is refused. */
const RECORD_VERSION = 1;

const SANITIZED_FLAG = 1;
const FOLDED_FLAG = 2;
const GO_FIXED_FLAG = 4;
const RELABELED_FLAG = 8;

/**
 * What the log keeps of admitted profiles: each payload as a pprof, and everything that was decided about it.
 * Replay decodes the payload again, but decides nothing again.
 */
export interface PushRecord {
  readonly tenant: string;
  readonly receivedUnixMillis: number;
  readonly items: readonly PushRecordItem[];
}

/** One admitted payload. */
export interface PushRecordItem {
  /** Labels of the series that it was pushed for, before samples are split; sorted. */
  readonly labels: LabelSet;
  readonly timeUnixNanos: bigint;
  /** Of the decompressed payload, and of what it was made of; {@link PAYLOAD_HASH_BYTES} bytes. */
  readonly payloadHash: Uint8Array;
  /** Stacks were cut to this many locations; 0 for not at all. */
  readonly maxDepth: number;
  /** Strings were cut to this many bytes; 0 for not at all. */
  readonly maxSymbolBytes: number;
  /** Label names were rewritten to classic ones. */
  readonly isSanitized: boolean;
  /** What Go's profilers get wrong was set right; absent: it was not looked for. */
  readonly isGoFixed?: true;
  /** Relabeling rules that its series went through, as JSON; absent for none. */
  readonly relabelRules?: string;
  /** Hashes of the label sets that were folded into one, which has the label `__overflow__`; absent for none. */
  readonly foldedSeries?: BigUint64Array;
  /** A pprof: as received, gzip or plain, or made of what was received. */
  readonly payload: Uint8Array;
}

/**
 * Writes a record. Layout, integers little-endian, text as UTF-8 behind a u32 length:
 *
 *     u8  version = 1
 *     text tenant; f64 received, Unix milliseconds; u32 number of items; then for each item:
 *       u32 number of labels; for each: text name, text value
 *       i64 time, Unix nanoseconds; 16 bytes hash of the decompressed payload
 *       u32 max depth; u32 max symbol bytes; u8 flags (bit 0: label names were sanitised, bit 1: series were folded,
 *         bit 2: profiles of Go were set right, bit 3: series were relabeled)
 *       if series were folded: u32 number of them; u64 each
 *       if series were relabeled: text of the rules, JSON
 *       u32 length; payload
 */
export function encodePushRecord(record: PushRecord): Uint8Array {
  const size = new Sizer();
  writeRecord(size, record);
  const writer = new Writer(size.bytes);
  writeRecord(writer, record);
  return writer.bytes;
}

/**
 * Reads a record. Payloads are views into `bytes`.
 *
 * @throws {@link ReceiverError} `STORAGE_FORMAT` if the record has another version, or is not a record.
 */
export function decodePushRecord(bytes: Uint8Array): PushRecord {
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== RECORD_VERSION) {
    throw new ReceiverError(
      `log record has version ${version}: this program reads version ${RECORD_VERSION}`,
      {
        code: "STORAGE_FORMAT",
      },
    );
  }
  const tenant = reader.text();
  const receivedUnixMillis = reader.f64();
  const items = reader.list(() => readItem(reader));
  reader.end();
  return { tenant, receivedUnixMillis, items };
}

/** Where a record is written to: bytes, or a count of them. */
interface Sink {
  u8(value: number): void;
  u32(value: number): void;
  i64(value: bigint): void;
  f64(value: number): void;
  raw(bytes: Uint8Array): void;
  text(value: string): void;
}

function writeRecord(sink: Sink, { tenant, receivedUnixMillis, items }: PushRecord): void {
  sink.u8(RECORD_VERSION);
  sink.text(tenant);
  sink.f64(receivedUnixMillis);
  sink.u32(items.length);
  for (const item of items) {
    sink.u32(item.labels.length);
    for (const { name, value } of item.labels) {
      sink.text(name);
      sink.text(value);
    }
    sink.i64(item.timeUnixNanos);
    sink.raw(item.payloadHash);
    sink.u32(item.maxDepth);
    sink.u32(item.maxSymbolBytes);
    sink.u8(flagsOf(item));
    if (item.foldedSeries !== undefined) writeIds(sink, item.foldedSeries);
    if (item.relabelRules !== undefined) sink.text(item.relabelRules);
    sink.u32(item.payload.length);
    sink.raw(item.payload);
  }
}

function flagsOf({ isSanitized, foldedSeries, isGoFixed, relabelRules }: PushRecordItem): number {
  return (
    (isSanitized ? SANITIZED_FLAG : 0) |
    (foldedSeries === undefined ? 0 : FOLDED_FLAG) |
    (isGoFixed === undefined ? 0 : GO_FIXED_FLAG) |
    (relabelRules === undefined ? 0 : RELABELED_FLAG)
  );
}

function readItem(reader: Reader): PushRecordItem {
  const labels = reader.list((): Label => ({ name: reader.text(), value: reader.text() }));
  const timeUnixNanos = reader.i64();
  const payloadHash = reader.raw(PAYLOAD_HASH_BYTES);
  const maxDepth = reader.u32();
  const maxSymbolBytes = reader.u32();
  const flags = reader.u8();
  const isSanitized = (flags & SANITIZED_FLAG) !== 0;
  const folded = (flags & FOLDED_FLAG) === 0 ? {} : { foldedSeries: readIds(reader) };
  const relabeled = (flags & RELABELED_FLAG) === 0 ? {} : { relabelRules: reader.text() };
  const goFixed = (flags & GO_FIXED_FLAG) === 0 ? {} : { isGoFixed: true as const };
  const payload = reader.raw(reader.u32());
  return {
    labels,
    timeUnixNanos,
    payloadHash,
    maxDepth,
    maxSymbolBytes,
    isSanitized,
    ...goFixed,
    ...folded,
    ...relabeled,
    payload,
  };
}

function writeIds(sink: Sink, ids: BigUint64Array): void {
  sink.u32(ids.length);
  for (const id of ids) sink.i64(BigInt.asIntN(64, id));
}

function readIds(reader: Reader): BigUint64Array {
  return BigUint64Array.from(
    reader.list(() => reader.i64()),
    (id) => BigInt.asUintN(64, id),
  );
}

/** Counts what {@link Writer} would write, so that a record is allocated once: payloads are most of it. */
class Sizer implements Sink {
  bytes = 0;

  u8(): void {
    this.bytes += 1;
  }

  u32(): void {
    this.bytes += 4;
  }

  i64(): void {
    this.bytes += 8;
  }

  f64(): void {
    this.bytes += 8;
  }

  raw(bytes: Uint8Array): void {
    this.bytes += bytes.length;
  }

  text(value: string): void {
    this.bytes += 4 + Buffer.byteLength(value);
  }
}

class Writer implements Sink {
  readonly bytes: Uint8Array;
  readonly #buffer: Buffer;
  #at = 0;

  constructor(byteLength: number) {
    this.bytes = new Uint8Array(byteLength);
    this.#buffer = Buffer.from(this.bytes.buffer);
  }

  u8(value: number): void {
    this.#at = this.#buffer.writeUInt8(value, this.#at);
  }

  u32(value: number): void {
    this.#at = this.#buffer.writeUInt32LE(value, this.#at);
  }

  i64(value: bigint): void {
    this.#at = this.#buffer.writeBigInt64LE(value, this.#at);
  }

  f64(value: number): void {
    this.#at = this.#buffer.writeDoubleLE(value, this.#at);
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  text(value: string): void {
    this.u32(Buffer.byteLength(value));
    this.#at += this.#buffer.write(value, this.#at);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#buffer.readUInt8(this.#take(1));
  }

  u32(): number {
    return this.#buffer.readUInt32LE(this.#take(4));
  }

  i64(): bigint {
    return this.#buffer.readBigInt64LE(this.#take(8));
  }

  f64(): number {
    return this.#buffer.readDoubleLE(this.#take(8));
  }

  raw(byteLength: number): Uint8Array {
    const start = this.#take(byteLength);
    return this.#bytes.subarray(start, start + byteLength);
  }

  text(): string {
    const byteLength = this.u32();
    const start = this.#take(byteLength);
    return this.#buffer.toString("utf8", start, start + byteLength);
  }

  list<Item>(read: () => Item): readonly Item[] {
    const items: Item[] = [];
    // No allocation by the count itself: a wrong one ends at the first item that is not there.
    for (let left = this.u32(); left > 0; left--) items.push(read());
    return items;
  }

  end(): void {
    if (this.#at !== this.#bytes.length)
      throw malformed(`${this.#bytes.length - this.#at} bytes after its end`);
  }

  #take(byteLength: number): number {
    const start = this.#at;
    if (byteLength > this.#bytes.length - start) {
      throw malformed(`${byteLength} bytes at offset ${start} of ${this.#bytes.length}`);
    }
    this.#at = start + byteLength;
    return start;
  }
}

function malformed(what: string): ReceiverError {
  return new ReceiverError(`reading a log record: ${what}`, { code: "STORAGE_FORMAT" });
}
