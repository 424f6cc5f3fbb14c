import type { Profile, ValueType } from "../profile/profile.ts";
import { ColumnBuffer } from "../wire/column-buffer.ts";
import { ProtobufReader } from "../wire/protobuf-reader.ts";
import { Scratch } from "../wire/scratch.ts";
import { decodeFunctions, functionTableBytes } from "./decode-functions.ts";
import { decodeLocations, locationTableBytes } from "./decode-locations.ts";
import { decodeMappings, mappingTableBytes } from "./decode-mappings.ts";
import { decodeStrings, type PprofStrings, stringAt } from "./decode-strings.ts";
import {
  enterNext,
  malformedPprof,
  type PprofLayout,
  readValueType,
  scanPprof,
  type ValueTypeIndexes,
} from "./pprof-layout.ts";
import { checkLimit, DEFAULT_PPROF_LIMITS, type PprofLimits } from "./pprof-limits.ts";
import { checkSampleBytes, SampleRows, sampleTableBytes } from "./sample-rows.ts";

/**
 * Decodes a pprof from a stranger.
 *
 * Fields may come in any order and packed or not, ids may be any numbers, and of two entries with one id the last
 * wins; fields this package does not know are skipped. Ids that nothing has are not an error: a location that does not
 * exist is left out of its stack, a mapping or function that does not exist is `NO_MAPPING` or `NO_FUNCTION`.
 * Strings that come twice are one row. No part of `bytes` is kept. All columns are views of two buffers of exactly their
 * size, so one that is kept keeps the others; nothing else shares them.
 *
 * @param bytes - an uncompressed `perftools.profiles.Profile`.
 * @param limits - replaces single limits of {@link DEFAULT_PPROF_LIMITS}.
 * @throws {@link ProtocolError} `WIRE_MALFORMED` when the bytes are not protobuf or a field has another wire type than
 * in profile.proto; `PPROF_MALFORMED` when they break a rule of profile.proto; `PPROF_LIMIT`, with the limit and the
 * actual number in `error.limit`.
 *
 * Source: github.com/google/pprof proto/profile.proto; what is refused, and its texts: Grafana Pyroscope
 * pkg/validation/validate.go.
 */
export function decodePprof(bytes: Uint8Array, limits: Partial<PprofLimits> = {}): Profile {
  return decode(bytes, limits, undefined).profile;
}

/** A decoded pprof, and what its strings are named by. */
export interface PprofWithHashes {
  readonly profile: Profile;
  /** Of each string of `profile.strings` the two lanes of its hash, low one first. */
  readonly stringHashes: Int32Array;
}

/**
 * {@link decodePprof}, for who names things by what they are: hashing the bytes of a string where they lie takes a fifth of
 * hashing it, or looking it up, once it is a string.
 *
 * @param seed - of `Hasher64`, whose hash of the string as a text it is.
 */
export function decodePprofWithHashes(
  bytes: Uint8Array,
  limits: Partial<PprofLimits>,
  seed: number,
): PprofWithHashes {
  const { profile, strings } = decode(bytes, limits, seed);
  return { profile, stringHashes: strings.hashes };
}

function decode(
  bytes: Uint8Array,
  limits: Partial<PprofLimits>,
  hashSeed: number | undefined,
): { readonly profile: Profile; readonly strings: PprofStrings } {
  const allLimits = { ...DEFAULT_PPROF_LIMITS, ...limits };
  checkLimit(allLimits, "maxBytes", bytes.length);
  const reader = new ProtobufReader(bytes);
  const layout = scanPprof(reader, allLimits);
  if (layout.sampleTypes.count === 0) throw malformedPprof("empty profile");
  checkSampleBytes(layout);
  SCRATCH.reset();
  const strings = decodeStrings(reader, layout, allLimits, { scratch: SCRATCH, hashSeed });
  const columns = new ColumnBuffer(tableBytes(layout));
  const context = { reader, layout, limits: allLimits, strings, columns, scratch: SCRATCH };
  const mappings = decodeMappings(context);
  const functions = decodeFunctions(context);
  const locations = decodeLocations(context, { mappings: mappings.ids, functions: functions.ids });
  const samples = new SampleRows(context, locations);
  const rest = new ColumnBuffer(locations.lines.tableBytes + samples.restBytes);
  const profile: Profile = {
    strings: strings.strings,
    ...decodeHeader(reader, layout, strings),
    ...samples.toTables(rest),
    locations: locations.table,
    lines: locations.lines.toTable(rest),
    functions: functions.table,
    mappings: mappings.table,
  };
  return { profile, strings };
}

// Decoding neither waits nor calls back, so one piece of memory serves all calls.
const SCRATCH = new Scratch();

/** Room for the columns whose length the layout tells. */
function tableBytes(layout: PprofLayout): number {
  return (
    mappingTableBytes(layout.mappings.count) +
    functionTableBytes(layout.functions.count) +
    locationTableBytes(layout.locations.count) +
    sampleTableBytes(layout)
  );
}

type ProfileHeader = Pick<
  Profile,
  | "sampleTypes"
  | "defaultSampleType"
  | "periodType"
  | "period"
  | "timeUnixNanos"
  | "durationNanos"
  | "comments"
  | "dropFrames"
  | "keepFrames"
>;

function decodeHeader(reader: ProtobufReader, layout: PprofLayout, strings: PprofStrings): ProfileHeader {
  const { periodType } = layout;
  return {
    sampleTypes: decodeSampleTypes(reader, layout, strings),
    defaultSampleType: stringAt(strings, layout.defaultSampleType, "default sample type string index"),
    periodType: periodType === undefined ? undefined : toValueType(strings, periodType, "period type"),
    period: layout.period,
    timeUnixNanos: layout.timeUnixNanos,
    durationNanos: layout.durationNanos,
    comments: Array.from(layout.comments.finish(), (index) =>
      stringAt(strings, index, "comment string index"),
    ),
    dropFrames: stringAt(strings, layout.dropFrames, "drop frames string index"),
    keepFrames: stringAt(strings, layout.keepFrames, "keep frames string index"),
  };
}

function decodeSampleTypes(reader: ProtobufReader, layout: PprofLayout, strings: PprofStrings): ValueType[] {
  const types: ValueType[] = [];
  reader.position = layout.sampleTypes.start;
  for (let i = 0; i < layout.sampleTypes.count; i++) {
    const indexes = { type: 0, unit: 0 };
    const outer = enterNext(reader, layout.sampleTypes);
    readValueType(reader, indexes);
    reader.leave(outer);
    types.push(toValueType(strings, indexes, "sample type"));
  }
  return types;
}

function toValueType(strings: PprofStrings, indexes: ValueTypeIndexes, what: string): ValueType {
  return {
    type: stringAt(strings, indexes.type, `${what} type string index`),
    unit: stringAt(strings, indexes.unit, `${what} unit string index`),
  };
}
