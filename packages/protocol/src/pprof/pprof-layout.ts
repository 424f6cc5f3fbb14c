import { ProtocolError } from "../errors.ts";
import { Uint32Column } from "../wire/column.ts";
import type { NumberFields } from "../wire/number-fields.ts";
import type { ProtobufReader } from "../wire/protobuf-reader.ts";
import { checkLimit, type PprofLimits } from "./pprof-limits.ts";

/** Where the messages of one repeated field lie: between `start` and `end`, most often side by side. */
export interface Section {
  readonly tag: number;
  count: number;
  start: number;
  end: number;
}

/** A `ValueType` message: two rows of the string table, -1 where an index does not fit into 32 bits. */
export interface ValueTypeIndexes {
  type: number;
  unit: number;
}

/** Counts and places of everything in a pprof, and the fields that stand for the whole profile. */
export interface PprofLayout {
  readonly sampleTypes: Section;
  readonly samples: Section;
  readonly mappings: Section;
  readonly locations: Section;
  readonly functions: Section;
  readonly strings: Section;
  timeUnixNanos: bigint;
  durationNanos: bigint;
  period: bigint;
  periodType: ValueTypeIndexes | undefined;
  dropFrames: number;
  keepFrames: number;
  defaultSampleType: number;
  readonly comments: Uint32Column;
  /** Size of the shortest sample: too short a one cannot hold a value for each type. */
  shortestSampleBytes: number;
}

/** Row that stands for a string index which does not fit into 32 bits: outside every table. */
const NO_STRING = 0xffff_ffff;

// Tags: field number * 8 + wire type.
const SAMPLE_TYPE = 10;
const SAMPLE = 18;
const MAPPING = 26;
const LOCATION = 34;
const FUNCTION = 42;
const STRING = 50;
const DROP_FRAMES = 56;
const KEEP_FRAMES = 64;
const TIME_NANOS = 72;
const DURATION_NANOS = 80;
const PERIOD_TYPE = 90;
const PERIOD = 96;
const COMMENT = 104;
const COMMENTS_PACKED = 106;
const DEFAULT_SAMPLE_TYPE = 112;
const LAST_KNOWN_FIELD = 14;

/**
 * Walks over the top level of a pprof once and reads only tags and lengths of what repeats.
 *
 * Knowing the counts first lets the decoder refuse a profile before it takes memory for it, take exactly as much as
 * it needs, and resolve every reference at once whatever order the fields come in.
 *
 * @throws {@link ProtocolError} `WIRE_MALFORMED`, `PPROF_LIMIT`.
 */
export function scanPprof(reader: ProtobufReader, limits: PprofLimits): PprofLayout {
  const layout = createLayout();
  while (reader.hasMore()) {
    const start = reader.position;
    const tag = reader.field();
    const section = sectionOf(layout, tag);
    if (section === undefined) {
      readScalar(reader, layout, tag, limits);
      continue;
    }
    const end = reader.fieldEnd();
    if (tag === SAMPLE)
      layout.shortestSampleBytes = Math.min(layout.shortestSampleBytes, end - reader.position);
    reader.position = end;
    if (section.count === 0) section.start = start;
    section.count++;
    section.end = end;
  }
  checkLimit(limits, "maxSampleTypes", layout.sampleTypes.count);
  checkLimit(limits, "maxSamples", layout.samples.count);
  checkLimit(limits, "maxMappings", layout.mappings.count);
  checkLimit(limits, "maxLocations", layout.locations.count);
  checkLimit(limits, "maxFunctions", layout.functions.count);
  checkLimit(limits, "maxStrings", layout.strings.count);
  return layout;
}

/**
 * Moves the reader into the next message of a section, over what lies between.
 *
 * @returns the limit to give to `reader.leave`.
 */
export function enterNext(reader: ProtobufReader, section: Section): number {
  for (let tag = reader.field(); tag !== section.tag; tag = reader.field()) reader.skipRest(tag, 0);
  return reader.open();
}

/** Reads a `ValueType`; a field that comes twice counts once, as the last says. */
export function readValueType(reader: ProtobufReader, into: ValueTypeIndexes): void {
  while (reader.hasMore()) {
    const tag = reader.field();
    if (tag === 8) into.type = toStringIndex(reader);
    else if (tag === 16) into.unit = toStringIndex(reader);
    else reader.skipRest(tag, 2);
  }
}

/** The reader's last varint as a row of the string table; {@link NO_STRING} when it does not fit into 32 bits. */
function toStringIndex(reader: ProtobufReader): number {
  return reader.hi === 0 ? reader.lo >>> 0 : NO_STRING;
}

/** A field as a row of the string table, as {@link toStringIndex}. */
export function stringIndexOf(fields: NumberFields, field: number): number {
  return fields.hi(field) === 0 ? fields.lo(field) >>> 0 : NO_STRING;
}

function createLayout(): PprofLayout {
  const section = (tag: number): Section => ({ tag, count: 0, start: 0, end: 0 });
  return {
    sampleTypes: section(SAMPLE_TYPE),
    samples: section(SAMPLE),
    mappings: section(MAPPING),
    locations: section(LOCATION),
    functions: section(FUNCTION),
    strings: section(STRING),
    timeUnixNanos: 0n,
    durationNanos: 0n,
    period: 0n,
    periodType: undefined,
    dropFrames: 0,
    keepFrames: 0,
    defaultSampleType: 0,
    comments: new Uint32Column(),
    shortestSampleBytes: Number.POSITIVE_INFINITY,
  };
}

function sectionOf(layout: PprofLayout, tag: number): Section | undefined {
  switch (tag) {
    case SAMPLE:
      return layout.samples;
    case LOCATION:
      return layout.locations;
    case FUNCTION:
      return layout.functions;
    case STRING:
      return layout.strings;
    case MAPPING:
      return layout.mappings;
    case SAMPLE_TYPE:
      return layout.sampleTypes;
    default:
      return undefined;
  }
}

function readScalar(reader: ProtobufReader, layout: PprofLayout, tag: number, limits: PprofLimits): void {
  switch (tag) {
    case DROP_FRAMES:
      layout.dropFrames = toStringIndex(reader);
      return;
    case KEEP_FRAMES:
      layout.keepFrames = toStringIndex(reader);
      return;
    case TIME_NANOS:
      layout.timeUnixNanos = reader.toInt64();
      return;
    case DURATION_NANOS:
      layout.durationNanos = reader.toInt64();
      return;
    case PERIOD_TYPE: {
      const outer = reader.open();
      layout.periodType ??= { type: 0, unit: 0 };
      readValueType(reader, layout.periodType);
      reader.leave(outer);
      return;
    }
    case PERIOD:
      layout.period = reader.toInt64();
      return;
    case COMMENT:
      addComment(reader, layout, limits);
      return;
    case COMMENTS_PACKED: {
      const outer = reader.open();
      while (reader.hasMore()) {
        reader.varint();
        addComment(reader, layout, limits);
      }
      reader.leave(outer);
      return;
    }
    case DEFAULT_SAMPLE_TYPE:
      layout.defaultSampleType = toStringIndex(reader);
      return;
    default:
      reader.skipRest(tag, LAST_KNOWN_FIELD);
  }
}

function addComment(reader: ProtobufReader, layout: PprofLayout, limits: PprofLimits): void {
  layout.comments.push(toStringIndex(reader));
  checkLimit(limits, "maxComments", layout.comments.length);
}

/** An error about a profile that is protobuf but breaks a rule of profile.proto. */
export function malformedPprof(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError(message, { code: "PPROF_MALFORMED", cause });
}
