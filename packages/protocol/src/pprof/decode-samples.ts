import type { LabelTable, LocationTable, SampleTable } from "../profile/profile.ts";
import { HIGH, Int64Column, LOW, toLanes, Uint32Column } from "../wire/column.ts";
import { type IdTable, NO_ROW } from "../wire/id-table.ts";
import type { ProtobufReader } from "../wire/protobuf-reader.ts";
import { type PprofStrings, toStringRow } from "./decode-strings.ts";
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
  readonly #key = new Uint32Column();
  readonly #text = new Uint32Column();
  readonly #number = new Int64Column();
  readonly #unit = new Uint32Column();
  #valueCount = 0;
  #frameCount = 0;

  constructor(context: SampleContext) {
    const { layout } = context;
    this.#context = context;
    this.#reader = context.reader;
    this.#width = layout.sampleTypes.count;
    // Half of a sample's bytes are its locations, of one to two bytes each.
    this.#locations = new Uint32Column((layout.samples.end - layout.samples.start) >>> 1);
    this.#values = new BigInt64Array(layout.samples.count * this.#width);
    this.#lanes = toLanes(this.#values);
  }

  decode(): { samples: SampleTable; labels: LabelTable } {
    const { layout, limits } = this.#context;
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
      this.#finishStack(locationStart[row] ?? 0);
      locationStart[row + 1] = this.#locations.length;
      checkLimit(limits, "maxLabelsPerSample", this.#key.length - (labelStart[row] ?? 0));
      labelStart[row + 1] = this.#key.length;
    }
    const samples = {
      length,
      locationStart,
      location: this.#locations.finish(),
      values: this.#values,
      labelStart,
    };
    return { samples, labels: this.#finishLabels() };
  }

  #readField(row: number): void {
    const reader = this.#reader;
    const tag = reader.tag();
    if (tag === 10) {
      const outer = reader.enter();
      while (reader.hasMore()) this.#readLocation();
      reader.leave(outer);
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
    this.#key.push(toStringRow(strings, key, "sample label string index"));
    this.#text.push(toStringRow(strings, text, "sample label string index"));
    this.#number.push(lo, hi);
    this.#unit.push(toStringRow(strings, unit, "sample label unit string index"));
  }

  /** Cuts the stack that begins at `start` to the wanted depth and counts its frames. */
  #finishStack(start: number): void {
    const { limits, locations } = this.#context;
    const column = this.#locations;
    const keep = limits.truncateDepth ?? Number.POSITIVE_INFINITY;
    const depth = column.length - start;
    if (depth > keep) {
      // Leaf first, so the root's side is the end.
      column.values.copyWithin(start, column.length - keep, column.length);
      column.length = start + keep;
    }
    checkLimit(limits, "maxLocationsPerSample", column.length - start);
    for (let i = start; i < column.length; i++) {
      const row = column.values[i] ?? 0;
      this.#frameCount += (locations.lineStart[row + 1] ?? 0) - (locations.lineStart[row] ?? 0);
    }
    checkLimit(limits, "maxFrames", this.#frameCount);
  }

  #finishLabels(): LabelTable {
    return {
      length: this.#key.length,
      key: this.#key.finish(),
      text: this.#text.finish(),
      number: this.#number.finish(),
      unit: this.#unit.finish(),
    };
  }
}

function valueMismatch(): Error {
  return malformedPprof("sample value length mismatch");
}
