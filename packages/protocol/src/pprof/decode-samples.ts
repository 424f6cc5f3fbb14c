import type { LabelTable, LocationTable, SampleTable } from "../profile/profile.ts";
import { HIGH, LOW, toLanes, Uint32Column } from "../wire/column.ts";
import { type IdTable, NO_ROW } from "../wire/id-table.ts";
import type { ProtobufReader } from "../wire/protobuf-reader.ts";
import { type PprofStrings, toStringRow } from "./decode-strings.ts";
import { LabelColumns } from "./label-columns.ts";
import { enterNext, malformedPprof, type PprofLayout, readStringIndex } from "./pprof-layout.ts";
import { checkLimit, type PprofLimits } from "./pprof-limits.ts";

/** What the samples of a pprof refer to. */
export interface SampleContext {
  readonly reader: ProtobufReader;
  readonly layout: PprofLayout;
  readonly limits: PprofLimits;
  readonly strings: PprofStrings;
  readonly locations: LocationTable;
  readonly locationIds: IdTable;
}

/**
 * Decodes samples and their labels. A location that does not exist is left out of its sample.
 *
 * @throws {@link ProtocolError} `PPROF_MALFORMED` when a sample has not one value for each sample type or a label has
 * a bad string index; `PPROF_LIMIT`.
 */
export function decodeSamples(context: SampleContext): { samples: SampleTable; labels: LabelTable } {
  const { layout } = context;
  // A value takes at least one byte and its field another: told by length alone, before a column for the values of
  // millions of empty samples is made.
  if (layout.samples.count > 0 && layout.shortestSampleBytes < layout.sampleTypes.count + 1)
    throw valueMismatch();
  return new SampleDecoder(context).decode();
}

class SampleDecoder {
  readonly #context: SampleContext;
  readonly #reader: ProtobufReader;
  readonly #width: number;
  readonly #locations: Uint32Column;
  readonly #values: BigInt64Array;
  readonly #lanes: Int32Array;
  readonly #labels: LabelColumns;
  /** Whether a location has more frames than one; without, a location counts as one frame and need not be looked up. */
  readonly #hasInlined: boolean;
  #valueCount = 0;
  #frameCount = 0;

  constructor(context: SampleContext) {
    const { layout } = context;
    this.#context = context;
    this.#reader = context.reader;
    this.#width = layout.sampleTypes.count;
    // Most of a sample's bytes are its locations, of one byte each up to id 127 and then of two.
    const bytes = layout.samples.end - layout.samples.start;
    this.#locations = new Uint32Column(layout.locations.count < 128 ? bytes : (bytes >>> 1) + 1024);
    this.#values = new BigInt64Array(layout.samples.count * this.#width);
    this.#lanes = toLanes(this.#values);
    // One label for each sample, most often; made with the first one.
    this.#labels = new LabelColumns(layout.samples.count);
    this.#hasInlined = hasInlined(context.locations);
  }

  decode(): { samples: SampleTable; labels: LabelTable } {
    const { layout, limits } = this.#context;
    const { maxLabelsPerSample } = limits;
    const reader = this.#reader;
    const length = layout.samples.count;
    const locationStart = new Uint32Array(length + 1);
    const labelStart = new Uint32Array(length + 1);
    reader.position = layout.samples.start;
    for (let row = 0; row < length; row++) {
      const outer = enterNext(reader, layout.samples);
      while (reader.hasMore()) this.#readField(row);
      reader.leave(outer);
      if (this.#valueCount !== this.#width) throw valueMismatch();
      this.#valueCount = 0;
      this.#finishStack(locationStart[row]!);
      locationStart[row + 1] = this.#locations.length;
      const labelCount = this.#labels.length - labelStart[row]!;
      if (labelCount > maxLabelsPerSample) checkLimit(limits, "maxLabelsPerSample", labelCount);
      labelStart[row + 1] = this.#labels.length;
    }
    const samples = {
      length,
      locationStart,
      location: this.#locations.finish(),
      values: this.#values,
      labelStart,
    };
    return { samples, labels: this.#labels.finish() };
  }

  #readField(row: number): void {
    const reader = this.#reader;
    const tag = reader.tag();
    if (tag === 10) {
      this.#readPackedLocations();
    } else if (tag === 18) {
      const outer = reader.enter();
      while (reader.hasMore()) this.#readValue(row);
      reader.leave(outer);
    } else if (tag === 26) {
      this.#readLabel();
    } else if (tag === 8) {
      this.#readLocation();
    } else if (tag === 16) {
      this.#readValue(row);
    } else {
      reader.skip(tag, 3);
    }
  }

  /** The hot loop of decoding: half of a profile's bytes are these. Ids of one and two bytes are read in place. */
  #readPackedLocations(): void {
    const reader = this.#reader;
    const outer = reader.enter();
    const { bytes, limit } = reader;
    const column = this.#locations;
    column.reserve(limit - reader.position);
    const { values } = column;
    const { denseCount } = this.#context.locationIds;
    let { length } = column;
    let at = reader.position;
    // Longer ids, ids that do not exist or are not numbered from 1, and bytes cut off take the careful way below.
    while (at < limit) {
      let next = at + 1;
      let row = bytes[at]! - 1;
      if (row >= 0x7f) {
        const high = next < limit ? bytes[next++]! : 0x80;
        if (high >= 0x80) break;
        row += (high - 1) << 7;
      }
      // Unsigned, so that -1 for id 0 is no row either.
      if (row >>> 0 >= denseCount) break;
      values[length++] = row;
      at = next;
    }
    column.length = length;
    reader.position = at;
    while (reader.hasMore()) this.#readLocation();
    reader.leave(outer);
  }

  #readLocation(): void {
    const reader = this.#reader;
    reader.varint();
    const row = this.#context.locationIds.rowOf(reader.lo, reader.hi);
    if (row !== NO_ROW) this.#locations.push(row);
  }

  #readValue(row: number): void {
    const reader = this.#reader;
    if (this.#valueCount === this.#width) throw valueMismatch();
    reader.varint();
    const at = (row * this.#width + this.#valueCount++) * 2;
    this.#lanes[at + LOW] = reader.lo;
    this.#lanes[at + HIGH] = reader.hi;
  }

  #readLabel(): void {
    const reader = this.#reader;
    const { strings } = this.#context;
    const outer = reader.enter();
    let key = 0;
    let text = 0;
    let unit = 0;
    let lo = 0;
    let hi = 0;
    while (reader.hasMore()) {
      const tag = reader.tag();
      if (tag === 8) {
        key = readStringIndex(reader);
      } else if (tag === 16) {
        text = readStringIndex(reader);
      } else if (tag === 24) {
        reader.varint();
        lo = reader.lo;
        hi = reader.hi;
      } else if (tag === 32) {
        unit = readStringIndex(reader);
      } else {
        reader.skip(tag, 4);
      }
    }
    reader.leave(outer);
    this.#labels.push(
      toStringRow(strings, key, "sample label string index"),
      toStringRow(strings, text, "sample label string index"),
      toStringRow(strings, unit, "sample label unit string index"),
      lo,
      hi,
    );
  }

  /** Cuts the stack that begins at `start` to the wanted depth and counts its frames. */
  #finishStack(start: number): void {
    const { limits } = this.#context;
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
    const { lineStart } = this.#context.locations;
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

function hasInlined({ length, lineStart }: LocationTable): boolean {
  for (let row = 0; row < length; row++) if (lineStart[row + 1]! - lineStart[row]! > 1) return true;
  return false;
}

function valueMismatch(): Error {
  return malformedPprof("sample value length mismatch");
}
