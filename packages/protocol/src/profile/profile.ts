/** Row of a {@link Profile}'s string table; row 0 is the empty string. */
export type StringIndex = number;
/** Row of a {@link LocationTable}. */
export type LocationIndex = number;
/** Row of a {@link FunctionTable}. */
export type FunctionIndex = number;
/** Row of a {@link MappingTable}. */
export type MappingIndex = number;

/** The `mapping` of a location that belongs to none. */
export const NO_MAPPING = -1;
/** The `function` of a line whose function is not known. */
export const NO_FUNCTION = -1;

/** What a column of values counts, and in which unit: `cpu` in `nanoseconds`. */
export interface ValueType {
  readonly type: string;
  readonly unit: string;
}

/**
 * One profile, as tables of typed arrays: profile.proto with row numbers in place of ids.
 *
 * Every int64 and uint64 of the wire is a 64-bit column here, exact over its whole range. Row numbers are
 * dense and 0-based; ids of the wire exist only in the codecs. Tables are not changed after they are built.
 *
 * Source: github.com/google/pprof proto/profile.proto.
 */
export interface Profile {
  /** One copy of each string; row 0 is "". */
  readonly strings: readonly string[];
  /** One entry for each value of a sample, in order. */
  readonly sampleTypes: readonly ValueType[];
  /** Name of the sample type a viewer shows first, or "". */
  readonly defaultSampleType: string;
  /** What `period` counts; undefined when the profile names none. */
  readonly periodType: ValueType | undefined;
  /** Events between two samples, in the unit of `periodType`: 10,000,000 for 100 Hz in nanoseconds. */
  readonly period: bigint;
  /** Start of the profile, nanoseconds since the epoch; 0 when not given. */
  readonly timeUnixNanos: bigint;
  readonly durationNanos: bigint;
  readonly comments: readonly string[];
  /** Regular expressions of frames a viewer drops or keeps, or "". */
  readonly dropFrames: string;
  readonly keepFrames: string;
  readonly samples: SampleTable;
  readonly labels: LabelTable;
  readonly locations: LocationTable;
  readonly lines: LineTable;
  readonly functions: FunctionTable;
  readonly mappings: MappingTable;
}

/**
 * `length` samples. Sample `i` has the locations `location[locationStart[i] .. locationStart[i + 1]]`, **leaf
 * first** as on the wire, the labels `labelStart[i] .. labelStart[i + 1]` of the {@link LabelTable}, and the
 * values `values[i * width .. (i + 1) * width]`, where `width` is the number of sample types.
 */
export interface SampleTable {
  readonly length: number;
  /** `length + 1` rows. */
  readonly locationStart: Uint32Array;
  readonly location: Uint32Array;
  /** `length * width` rows. */
  readonly values: BigInt64Array;
  /** `length + 1` rows. */
  readonly labelStart: Uint32Array;
}

/** Labels of samples: `key` with either a text (`text` is not 0) or a number in a unit. Grouped by sample. */
export interface LabelTable {
  readonly length: number;
  readonly key: Uint32Array;
  readonly text: Uint32Array;
  readonly number: BigInt64Array;
  readonly unit: Uint32Array;
}

/**
 * Places in the program. Location `i` has the lines `lineStart[i] .. lineStart[i + 1]`: the first is the
 * innermost inlined function, the last the function that was really called. No line: known by address only.
 */
export interface LocationTable {
  readonly length: number;
  /** {@link MappingIndex} or {@link NO_MAPPING}. */
  readonly mapping: Int32Array;
  readonly address: BigUint64Array;
  /** `length + 1` rows. */
  readonly lineStart: Uint32Array;
  /** 1 where the location stands for several that were folded into one. */
  readonly isFolded: Uint8Array;
}

/** Lines of locations, grouped by location. */
export interface LineTable {
  readonly length: number;
  /** {@link FunctionIndex} or {@link NO_FUNCTION}. */
  readonly function: Int32Array;
  readonly line: BigInt64Array;
}

/** Functions; the texts are string rows. */
export interface FunctionTable {
  readonly length: number;
  readonly name: Uint32Array;
  readonly systemName: Uint32Array;
  readonly file: Uint32Array;
  readonly startLine: BigInt64Array;
}

/** Binaries that locations lie in; the texts are string rows. */
export interface MappingTable {
  readonly length: number;
  readonly start: BigUint64Array;
  readonly limit: BigUint64Array;
  readonly offset: BigUint64Array;
  readonly file: Uint32Array;
  readonly buildId: Uint32Array;
  /** Bits: 1 has functions, 2 has file names, 4 has line numbers, 8 has inlined frames. */
  readonly flags: Uint8Array;
}
