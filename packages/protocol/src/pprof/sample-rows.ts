import type { LabelTable, LocationTable, SampleTable } from "../profile/profile.ts";
import { HIGH, LOW, toLanes, Uint32Column } from "../wire/column.ts";
import { type ColumnBuffer, columnBytes } from "../wire/column-buffer.ts";
import { type IdTable, NO_ROW } from "../wire/id-table.ts";
import type { ProtobufReader } from "../wire/protobuf-reader.ts";
import { shortVarint } from "../wire/short-varint.ts";
import type { DecodeContext, Identified } from "./decode-context.ts";
import { LabelRows } from "./label-rows.ts";
import { enterNext, malformedPprof, type PprofLayout } from "./pprof-layout.ts";
import { checkLimit, type PprofLimits } from "./pprof-limits.ts";

/** Room that the columns take whose length is known before the samples are read. */
export function sampleTableBytes({ samples, sampleTypes }: PprofLayout): number {
  return 2 * columnBytes(samples.count + 1, 4) + columnBytes(samples.count * sampleTypes.count, 8);
}

/**
 * Checks by length alone that samples can hold their values, before a column for the values of millions of empty
 * samples is made.
 *
 * @throws {@link ProtocolError} `PPROF_MALFORMED`.
 */
export function checkSampleBytes(layout: PprofLayout): void {
  // A value takes at least one byte and its field another.
  if (layout.samples.count > 0 && layout.shortestSampleBytes < layout.sampleTypes.count + 1)
    throw valueMismatch();
}

/**
 * Decodes samples and their labels. A location that does not exist is left out of its sample.
 *
 * @throws {@link ProtocolError} `PPROF_MALFORMED` when a sample has not one value for each sample type or a label has
 * a bad string index; `PPROF_LIMIT`.
 */
export class SampleRows {
  readonly #reader: ProtobufReader;
  readonly #layout: PprofLayout;
  readonly #limits: PprofLimits;
  readonly #locationIds: IdTable;
  readonly #locationTable: LocationTable;
  readonly #locations: Uint32Column;
  readonly #labels: LabelRows;
  readonly #values: BigInt64Array;
  readonly #lanes: Int32Array;
  readonly #locationStart: Uint32Array;
  readonly #labelStart: Uint32Array;
  /** Whether a location has more frames than one; without, a location counts as one frame and need not be looked up. */
  readonly #hasInlined: boolean;
  /** Values of this sample and those before: read, and how many there must be. */
  #valueCount = 0;
  #valueLimit = 0;
  #frameCount = 0;

  constructor(
    { reader, layout, limits, strings, columns, scratch }: DecodeContext,
    locations: Identified<LocationTable>,
  ) {
    const { count, start, end } = layout.samples;
    this.#reader = reader;
    this.#layout = layout;
    this.#limits = limits;
    this.#locationTable = locations.table;
    this.#locationIds = locations.ids;
    this.#values = columns.int64(count * layout.sampleTypes.count);
    this.#lanes = toLanes(this.#values);
    this.#locationStart = columns.uint32(count + 1);
    this.#labelStart = columns.uint32(count + 1);
    this.#hasInlined = hasInlined(locations.table);
    // One label for each sample, most often.
    this.#labels = new LabelRows(strings, scratch, count);
    this.#locations = new Uint32Column(scratch.uint32(roomForLocations(end - start, layout.locations.count)));
    this.#read();
  }

  /** Room that the columns take whose length is known now. */
  get restBytes(): number {
    return columnBytes(this.#locations.length, 4) + this.#labels.tableBytes;
  }

  toTables(columns: ColumnBuffer): { samples: SampleTable; labels: LabelTable } {
    const location = columns.uint32(this.#locations.length);
    location.set(this.#locations.values.subarray(0, location.length));
    const samples = {
      length: this.#layout.samples.count,
      locationStart: this.#locationStart,
      location,
      values: this.#values,
      labelStart: this.#labelStart,
    };
    return { samples, labels: this.#labels.toTable(columns) };
  }

  #read(): void {
    const { samples, sampleTypes } = this.#layout;
    const width = sampleTypes.count;
    const { maxLabelsPerSample } = this.#limits;
    const reader = this.#reader;
    const locationStart = this.#locationStart;
    const labelStart = this.#labelStart;
    reader.position = samples.start;
    for (let row = 0; row < samples.count; row++) {
      const outer = enterNext(reader, samples);
      this.#valueLimit += width;
      while (reader.hasMore()) this.#readField();
      reader.leave(outer);
      if (this.#valueCount !== this.#valueLimit) throw valueMismatch();
      this.#finishStack(locationStart[row]!);
      locationStart[row + 1] = this.#locations.length;
      const labelCount = this.#labels.length - labelStart[row]!;
      if (labelCount > maxLabelsPerSample) checkLimit(this.#limits, "maxLabelsPerSample", labelCount);
      labelStart[row + 1] = this.#labels.length;
    }
  }

  #readField(): void {
    const reader = this.#reader;
    const tag = reader.field();
    if (tag === 10) {
      this.#readPackedLocations();
    } else if (tag === 18) {
      this.#readPackedValues();
    } else if (tag === 26) {
      this.#labels.read(reader);
    } else if (tag === 8) {
      this.#addLocation();
    } else if (tag === 16) {
      this.#addValue();
    } else {
      reader.skipRest(tag, 3);
    }
  }

  /** The hot loop of decoding: half of a profile's bytes are these. Ids of one and two bytes are read in place. */
  #readPackedLocations(): void {
    const reader = this.#reader;
    const outer = reader.open();
    const { bytes, limit } = reader;
    const column = this.#locations;
    column.reserve(limit - reader.position);
    const { values } = column;
    const { denseCount } = this.#locationIds;
    let { length } = column;
    let at = reader.position;
    // Without a branch between one byte and two, which no processor foresees: it takes as long as all the rest. Longer ids,
    // ids that do not exist or are not numbered from 1, and bytes cut off take the careful way below.
    for (const end = Math.min(limit, bytes.length - 1); at < end; ) {
      const low = bytes[at]!;
      const high = bytes[at + 1]!;
      const isLong = low >>> 7;
      // Of a short id the byte behind it does not count.
      const row = ((low & 0x7f) | ((high & -isLong) << 7)) - 1;
      // Unsigned, so that -1 for id 0 is no row either.
      if ((low & high) >= 0x80 || at + isLong >= limit || row >>> 0 >= denseCount) break;
      values[length++] = row;
      at += 1 + isLong;
    }
    column.length = length;
    reader.position = at;
    while (reader.hasMore()) {
      reader.varint();
      this.#addLocation();
    }
    reader.leave(outer);
  }

  /** Adds the location whose id the reader has read. */
  #addLocation(): void {
    const reader = this.#reader;
    const row = this.#locationIds.rowOf(reader.lo, reader.hi);
    if (row !== NO_ROW) this.#locations.push(row);
  }

  /** Values of up to four bytes are read in place; longer and negative ones, and too many, take the careful way. */
  #readPackedValues(): void {
    const reader = this.#reader;
    const outer = reader.open();
    const { bytes, limit } = reader;
    const lanes = this.#lanes;
    const valueLimit = this.#valueLimit;
    let count = this.#valueCount;
    let at = reader.position;
    while (count < valueLimit) {
      const short = shortVarint(bytes, at, limit);
      if (short < 0) break;
      // The high half is 0 as it is.
      lanes[2 * count++ + LOW] = short >>> 3;
      at += short & 7;
    }
    this.#valueCount = count;
    reader.position = at;
    while (reader.hasMore()) {
      reader.varint();
      this.#addValue();
    }
    reader.leave(outer);
  }

  /** Adds the value that the reader has read. */
  #addValue(): void {
    const reader = this.#reader;
    if (this.#valueCount === this.#valueLimit) throw valueMismatch();
    const at = this.#valueCount++ * 2;
    this.#lanes[at + LOW] = reader.lo;
    this.#lanes[at + HIGH] = reader.hi;
  }

  /** Cuts the stack that begins at `start` to the wanted depth and counts its frames. */
  #finishStack(start: number): void {
    const limits = this.#limits;
    const column = this.#locations;
    const keep = limits.truncateDepth ?? Number.POSITIVE_INFINITY;
    const depth = column.length - start;
    if (depth > keep) {
      // Leaf first, so the root's side is the end.
      column.values.copyWithin(start, column.length - keep, column.length);
      column.length = start + keep;
    }
    const kept = column.length - start;
    if (kept > limits.maxLocationsPerSample) checkLimit(limits, "maxLocationsPerSample", kept);
    this.#countFrames(start);
    if (this.#frameCount > limits.maxFrames) checkLimit(limits, "maxFrames", this.#frameCount);
  }

  #countFrames(start: number): void {
    const { lineStart } = this.#locationTable;
    const column = this.#locations;
    if (!this.#hasInlined) {
      this.#frameCount += column.length - start;
      return;
    }
    for (let i = start; i < column.length; i++) {
      const row = column.values[i]!;
      this.#frameCount += lineStart[row + 1]! - lineStart[row]!;
    }
  }
}

// Room for locations that is taken though less may do: a column that grows is made anew, at twice its size.
const SURE_LOCATIONS = 128 * 1024;

/** Rows to make room for: most bytes of samples are locations, of one byte each up to id 127 and then of two. */
function roomForLocations(sampleBytes: number, locationCount: number): number {
  return locationCount < 128 || sampleBytes <= SURE_LOCATIONS ? sampleBytes : (sampleBytes >>> 1) + 1024;
}

function hasInlined({ length, lineStart }: LocationTable): boolean {
  for (let row = 0; row < length; row++) if (lineStart[row + 1]! - lineStart[row]! > 1) return true;
  return false;
}

function valueMismatch(): Error {
  return malformedPprof("sample value length mismatch");
}
