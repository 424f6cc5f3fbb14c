import { ByteRunTable } from "../wire/byte-run-table.ts";
import { Hasher64 } from "../wire/hash64.ts";
import type { ProtobufReader } from "../wire/protobuf-reader.ts";
import type { Scratch } from "../wire/scratch.ts";
import { BYTE_DECODER, UTF8_DECODER } from "../wire/text-codec.ts";
import { enterNext, malformedPprof, type PprofLayout } from "./pprof-layout.ts";
import { checkLimit, type PprofLimits } from "./pprof-limits.ts";

/** The string table of a pprof: each text once, and for each index of the wire the row that holds it. */
export interface PprofStrings {
  readonly strings: string[];
  /** Number of strings on the wire. */
  readonly count: number;
  /** Row of each index of the wire; undefined when rows and indexes are the same. */
  readonly rows: Uint32Array | undefined;
  /** Two lanes of the hash of each string; empty when they were not asked for. */
  readonly hashes: Int32Array;
}

/** What strings are decoded with. */
export interface StringsOptions {
  readonly scratch: Scratch;
  /** Seed of the hashes; undefined for none. */
  readonly hashSeed: number | undefined;
}

/**
 * Decodes the string table.
 *
 * @throws {@link ProtocolError} `PPROF_MALFORMED` when string 0 is not empty or a string is not UTF-8;
 * `PPROF_LIMIT` for a string that is too long.
 */
export function decodeStrings(
  reader: ProtobufReader,
  layout: PprofLayout,
  limits: PprofLimits,
  { scratch, hashSeed }: StringsOptions,
): PprofStrings {
  const { bytes } = reader;
  const { count, start, end } = layout.strings;
  const strings: string[] = [];
  const runs = new ByteRunTable(bytes, count, scratch);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const hashes = new Int32Array(hashSeed === undefined ? 0 : 2 * count);
  let rows: Uint32Array | undefined;
  // One decoder call for the whole section and a slice for each string cost a third of a call for each string. In
  // this encoding each byte is one UTF-16 unit, and ASCII is ASCII. A slice keeps the section's text alive, which
  // the other slices need anyway.
  const section = BYTE_DECODER.decode(bytes.subarray(start, end));
  reader.position = start;
  for (let index = 0; index < count; index++) {
    const outer = enterNext(reader, layout.strings);
    const to = reader.limit;
    const from = keptStart(bytes, reader.position, to, limits);
    reader.position = to;
    reader.leave(outer);
    const row = runs.intern(from, to);
    if (row === strings.length) {
      strings.push(runs.isAscii ? section.slice(from - start, to - start) : decodeUtf8(bytes, from, to));
      if (hashSeed !== undefined) {
        HASHER.reset(hashSeed).view(view, from, to).finish();
        hashes[2 * row] = HASHER.lo;
        hashes[2 * row + 1] = HASHER.hi;
      }
    } else {
      rows ??= identityRows(count, index);
    }
    if (rows !== undefined) rows[index] = row;
  }
  if (strings[0] !== "") throw malformedPprof("string 0 should be empty string");
  return { strings, count, rows, hashes };
}

const HASHER = new Hasher64();

/**
 * The row of a string index.
 *
 * @param what - what the index is, the subject of the error.
 * @throws {@link ProtocolError} `PPROF_MALFORMED`.
 */
export function toStringRow(table: PprofStrings, index: number, what: string): number {
  if (index >= table.count) throw malformedPprof(`${what} out of range`);
  return table.rows === undefined ? index : (table.rows[index] ?? 0);
}

/** The string of an index; errors as {@link toStringRow}. */
export function stringAt(table: PprofStrings, index: number, what: string): string {
  return table.strings[toStringRow(table, index, what)] ?? "";
}

function identityRows(count: number, used: number): Uint32Array {
  const rows = new Uint32Array(count);
  for (let i = 0; i < used; i++) rows[i] = i;
  return rows;
}

/** Where the part of a string begins that is kept: its start, or nearer to its end when it is to be cut. */
function keptStart(bytes: Uint8Array, start: number, end: number, limits: PprofLimits): number {
  const length = end - start;
  const keep = limits.truncateStringBytes;
  if (keep === undefined || length <= keep) {
    if (length > limits.maxStringBytes) checkLimit(limits, "maxStringBytes", length);
    return start;
  }
  // The part that is dropped must be UTF-8 too: what is refused must not depend on the limits.
  decodeUtf8(bytes, start, end);
  let kept = end - keep;
  while (kept < end && (bytes[kept]! & 0xc0) === 0x80) kept++;
  return kept;
}

function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  try {
    return UTF8_DECODER.decode(bytes.subarray(start, end));
  } catch (cause) {
    throw malformedPprof(`invalid utf8 string hex: ${toHex(bytes, start, end)}`, cause);
  }
}

function toHex(bytes: Uint8Array, start: number, end: number): string {
  let hex = "";
  for (let i = start; i < end; i++) hex += (bytes[i] ?? 0).toString(16).padStart(2, "0");
  return hex;
}
