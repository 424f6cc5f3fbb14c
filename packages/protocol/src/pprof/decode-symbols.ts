import {
  type FunctionTable,
  type LineTable,
  type LocationTable,
  type MappingTable,
  NO_FUNCTION,
  NO_MAPPING,
} from "../profile/profile.ts";
import { HIGH, Int64Column, LOW, toLanes, Uint32Column } from "../wire/column.ts";
import { IdTable } from "../wire/id-table.ts";
import type { ProtobufReader } from "../wire/protobuf-reader.ts";
import { type PprofStrings, toStringRow } from "./decode-strings.ts";
import { enterNext, malformedPprof, type PprofLayout, readStringIndex } from "./pprof-layout.ts";
import { checkLimit, type PprofLimits } from "./pprof-limits.ts";

/** A table and the ids that its rows have on the wire. */
interface Identified<T> {
  readonly table: T;
  readonly ids: IdTable;
}

/** Mappings of a pprof; every field of the message is optional. */
export function decodeMappings(
  reader: ProtobufReader,
  layout: PprofLayout,
  strings: PprofStrings,
): Identified<MappingTable> {
  const length = layout.mappings.count;
  const ids = new Int32Array(length * 2);
  const table = {
    length,
    start: new BigUint64Array(length),
    limit: new BigUint64Array(length),
    offset: new BigUint64Array(length),
    file: new Uint32Array(length),
    buildId: new Uint32Array(length),
    flags: new Uint8Array(length),
  };
  const numbers = [ids, toLanes(table.start), toLanes(table.limit), toLanes(table.offset)];
  reader.position = layout.mappings.start;
  for (let row = 0; row < length; row++) {
    const outer = enterNext(reader, layout.mappings);
    while (reader.hasMore()) readMappingField(reader, table, numbers, row);
    reader.leave(outer);
    table.file[row] = toStringRow(strings, table.file[row] ?? 0, "mapping file name string index");
    table.buildId[row] = toStringRow(strings, table.buildId[row] ?? 0, "mapping build id string index");
  }
  return { table, ids: new IdTable(ids) };
}

function readMappingField(
  reader: ProtobufReader,
  table: MappingTable,
  numbers: readonly Int32Array[],
  row: number,
): void {
  const tag = reader.tag();
  const field = tag >>> 3;
  if ((tag & 7) !== 0 || field > 10) {
    reader.skip(tag, 10);
  } else if (field <= 4) {
    readLanes(reader, numbers[field - 1], row);
  } else if (field === 5) {
    table.file[row] = readStringIndex(reader);
  } else if (field === 6) {
    table.buildId[row] = readStringIndex(reader);
  } else {
    const bit = 1 << (field - 7);
    const flags = table.flags[row] ?? 0;
    table.flags[row] = readBool(reader) ? flags | bit : flags & ~bit;
  }
}

/** Functions of a pprof. */
export function decodeFunctions(
  reader: ProtobufReader,
  layout: PprofLayout,
  strings: PprofStrings,
): Identified<FunctionTable> {
  const length = layout.functions.count;
  const ids = new Int32Array(length * 2);
  const table = {
    length,
    name: new Uint32Array(length),
    systemName: new Uint32Array(length),
    file: new Uint32Array(length),
    startLine: new BigInt64Array(length),
  };
  const startLine = toLanes(table.startLine);
  reader.position = layout.functions.start;
  for (let row = 0; row < length; row++) {
    const outer = enterNext(reader, layout.functions);
    while (reader.hasMore()) readFunctionField(reader, table, [ids, startLine], row);
    reader.leave(outer);
    if (isZero(ids, row)) throw malformedPprof("function id is 0");
    table.name[row] = toStringRow(strings, table.name[row] ?? 0, "function name string index");
    table.systemName[row] = toStringRow(
      strings,
      table.systemName[row] ?? 0,
      "function system name index string",
    );
    table.file[row] = toStringRow(strings, table.file[row] ?? 0, "function file name string index");
  }
  return { table, ids: new IdTable(ids) };
}

function readFunctionField(
  reader: ProtobufReader,
  table: FunctionTable,
  [ids, startLine]: readonly [Int32Array, Int32Array],
  row: number,
): void {
  const tag = reader.tag();
  if (tag === 8) readLanes(reader, ids, row);
  else if (tag === 16) table.name[row] = readStringIndex(reader);
  else if (tag === 24) table.systemName[row] = readStringIndex(reader);
  else if (tag === 32) table.file[row] = readStringIndex(reader);
  else if (tag === 40) readLanes(reader, startLine, row);
  else reader.skip(tag, 5);
}

/** Locations and their lines; a mapping or function that does not exist becomes {@link NO_MAPPING} or {@link NO_FUNCTION}. */
export function decodeLocations(
  reader: ProtobufReader,
  layout: PprofLayout,
  references: { readonly mappings: IdTable; readonly functions: IdTable },
  limits: PprofLimits,
): Identified<LocationTable> & { readonly lines: LineTable } {
  const length = layout.locations.count;
  const ids = new Int32Array(length * 2);
  const table = {
    length,
    mapping: new Int32Array(length).fill(NO_MAPPING),
    address: new BigUint64Array(length),
    lineStart: new Uint32Array(length + 1),
    isFolded: new Uint8Array(length),
  };
  const address = toLanes(table.address);
  const lines = new LineColumns(length, references.functions);
  const columns = { table, ids, address, lines, mappings: references.mappings };
  reader.position = layout.locations.start;
  for (let row = 0; row < length; row++) {
    const outer = enterNext(reader, layout.locations);
    while (reader.hasMore()) readLocationField(reader, columns, row);
    reader.leave(outer);
    if (isZero(ids, row)) throw malformedPprof("location id is 0");
    const lineCount = lines.length - table.lineStart[row]!;
    if (lineCount > limits.maxLinesPerLocation) checkLimit(limits, "maxLinesPerLocation", lineCount);
    if (lines.length > limits.maxLines) checkLimit(limits, "maxLines", lines.length);
    table.lineStart[row + 1] = lines.length;
  }
  return { table, ids: new IdTable(ids), lines: lines.finish() };
}

interface LocationColumns {
  readonly table: LocationTable;
  readonly ids: Int32Array;
  readonly address: Int32Array;
  readonly lines: LineColumns;
  readonly mappings: IdTable;
}

function readLocationField(reader: ProtobufReader, columns: LocationColumns, row: number): void {
  const tag = reader.tag();
  if (tag === 8) readLanes(reader, columns.ids, row);
  else if (tag === 16) columns.table.mapping[row] = readReference(reader, columns.mappings);
  else if (tag === 24) readLanes(reader, columns.address, row);
  else if (tag === 34) columns.lines.read(reader);
  else if (tag === 40) columns.table.isFolded[row] = readBool(reader) ? 1 : 0;
  else reader.skip(tag, 5);
}

class LineColumns {
  // Function row + 1, so that NO_FUNCTION is 0 and the column can be unsigned.
  readonly #functions: Uint32Column;
  readonly #lines: Int64Column;
  readonly #ids: IdTable;

  constructor(capacity: number, ids: IdTable) {
    // Most locations have one line.
    this.#functions = new Uint32Column(capacity);
    this.#lines = new Int64Column(capacity);
    this.#ids = ids;
  }

  get length(): number {
    return this.#lines.length;
  }

  /** Reads one `Line` message and appends it. */
  read(reader: ProtobufReader): void {
    const outer = reader.enter();
    let functionRow = NO_FUNCTION;
    let lo = 0;
    let hi = 0;
    while (reader.hasMore()) {
      const tag = reader.tag();
      if (tag === 8) {
        functionRow = readReference(reader, this.#ids);
      } else if (tag === 16) {
        reader.varint();
        lo = reader.lo;
        hi = reader.hi;
      } else {
        // Field 3, the column, came later and is not part of the model.
        reader.skip(tag, 2);
      }
    }
    reader.leave(outer);
    this.#functions.push(functionRow + 1);
    this.#lines.push(lo, hi);
  }

  finish(): LineTable {
    const rows = new Int32Array(this.length);
    for (let i = 0; i < rows.length; i++) rows[i] = (this.#functions.values[i] ?? 0) - 1;
    return { length: rows.length, function: rows, line: this.#lines.finish() };
  }
}

function readReference(reader: ProtobufReader, ids: IdTable): number {
  reader.varint();
  return ids.rowOf(reader.lo, reader.hi);
}

function readLanes(reader: ProtobufReader, lanes: Int32Array | undefined, row: number): void {
  if (lanes === undefined) return;
  reader.varint();
  lanes[row * 2 + LOW] = reader.lo;
  lanes[row * 2 + HIGH] = reader.hi;
}

function isZero(lanes: Int32Array, row: number): boolean {
  return lanes[row * 2] === 0 && lanes[row * 2 + 1] === 0;
}

function readBool(reader: ProtobufReader): boolean {
  reader.varint();
  return (reader.lo | reader.hi) !== 0;
}
