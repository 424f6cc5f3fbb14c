import { ProtocolError } from "../errors.ts";
import { HIGH, LOW, toLanes } from "../wire/column.ts";
import {
  type FunctionIndex,
  type LocationIndex,
  type MappingIndex,
  NO_FUNCTION,
  NO_MAPPING,
  type Profile,
  type StringIndex,
  type ValueType,
} from "./profile.ts";
import { SampleTables } from "./sample-tables.ts";
import { SymbolTables } from "./symbol-tables.ts";

/** The fields of a {@link Profile} that are not tables; all but the sample types have a default of "nothing". */
export interface ProfileHeader {
  readonly sampleTypes: readonly ValueType[];
  readonly defaultSampleType?: string;
  readonly periodType?: ValueType | undefined;
  readonly period?: bigint;
  readonly timeUnixNanos?: bigint;
  readonly durationNanos?: bigint;
  readonly comments?: readonly string[];
  readonly dropFrames?: string;
  readonly keepFrames?: string;
}

/** A row of a function table, with texts in place of string rows. */
export interface FunctionInput {
  readonly name: string;
  readonly systemName?: string;
  readonly file?: string;
  readonly startLine?: bigint | number;
}

/** A row of a mapping table, with texts in place of string rows. */
export interface MappingInput {
  readonly start?: bigint;
  readonly limit?: bigint;
  readonly offset?: bigint;
  readonly file?: string;
  readonly buildId?: string;
  readonly flags?: number;
}

/** A line of a location. */
export interface LineInput {
  readonly function: FunctionIndex;
  readonly line?: bigint | number;
}

/** A row of a location table with its lines, the innermost inlined function first. */
export interface LocationInput {
  readonly mapping?: MappingIndex;
  readonly address?: bigint;
  readonly lines?: readonly LineInput[];
  readonly isFolded?: boolean;
}

/** A label of a sample: a text, or a number in a unit. */
export interface LabelInput {
  readonly key: string;
  readonly text?: string;
  readonly number?: bigint | number;
  readonly unit?: string;
}

/**
 * Grows the tables of a profile row by row, each different row once, and then freezes them.
 *
 * Samples with the same stack and the same labels, in whatever order the labels come, are one sample with the sum of
 * the values. Rows keep the order in which they first came.
 *
 *     const builder = new ProfileBuilder({ sampleTypes: [{ type: "cpu", unit: "nanoseconds" }] });
 *     const main = builder.location({ lines: [{ function: builder.function({ name: "main" }), line: 3 }] });
 *     builder.addSample([main], [10_000_000n], [{ key: "route", text: "/cart" }]);
 *     const profile = builder.build();
 */
export class ProfileBuilder {
  readonly #header: ProfileHeader;
  readonly #symbols = new SymbolTables();
  readonly #samples: SampleTables;

  /** @param header - its texts join the string table first. */
  constructor(header: ProfileHeader) {
    this.#header = header;
    this.#samples = new SampleTables(header.sampleTypes.length);
    addHeaderStrings(this.#symbols, header);
  }

  /** Samples so far: different stacks with different labels. */
  get sampleCount(): number {
    return this.#samples.length;
  }

  /** The row of a string. */
  string(text: string): StringIndex {
    return this.#symbols.string(text);
  }

  /** The row of a function. */
  function(input: FunctionInput): FunctionIndex {
    const words = [
      this.string(input.name),
      this.string(input.systemName ?? ""),
      this.string(input.file ?? ""),
    ];
    pushInt64(words, input.startLine ?? 0);
    return this.#symbols.functions.intern(words);
  }

  /** The row of a mapping. */
  mapping(input: MappingInput): MappingIndex {
    const words: number[] = [];
    for (const address of [input.start, input.limit, input.offset]) pushInt64(words, address ?? 0);
    words.push(this.string(input.file ?? ""), this.string(input.buildId ?? ""), input.flags ?? 0);
    return this.#symbols.mappings.intern(words);
  }

  /**
   * The row of a location.
   *
   * @throws {@link ProtocolError} `PROFILE_BAD_INDEX` for a function or mapping that was not added.
   */
  location(input: LocationInput): LocationIndex {
    const { mappings, functions } = this.#symbols;
    const mapping = input.mapping ?? NO_MAPPING;
    checkRow("a location with mapping", mapping, NO_MAPPING, mappings.length);
    const words = [mapping + 1];
    pushInt64(words, input.address ?? 0);
    words.push(input.isFolded === true ? 1 : 0);
    for (const line of input.lines ?? []) {
      checkRow("a location with function", line.function, NO_FUNCTION, functions.length);
      words.push(line.function + 1);
      pushInt64(words, line.line ?? 0);
    }
    return this.#symbols.locations.intern(words);
  }

  /**
   * Adds a sample, or its values to the sample with the same stack and labels.
   *
   * @param locations - rows of locations, leaf first.
   * @param values - one for each sample type, in order; a number is whole and at most 2^53 - 1.
   * @throws {@link ProtocolError} `PROFILE_BAD_INDEX` for a location that was not added, `PROFILE_MISMATCH` when the
   * number of values is not that of sample types, `PROFILE_OVERFLOW` when a value is not an int64 or a sum leaves int64. After an
   * overflow the builder is of no more use.
   */
  addSample(
    locations: ArrayLike<LocationIndex>,
    values: ArrayLike<bigint | number>,
    labels: readonly LabelInput[] = [],
  ): void {
    const width = this.#header.sampleTypes.length;
    if (values.length !== width) {
      const message = `adding a sample with ${values.length} values: expected ${width}, one for each sample type`;
      throw new ProtocolError(message, { code: "PROFILE_MISMATCH" });
    }
    for (let i = 0; i < locations.length; i++) {
      checkRow("a sample with location", locations[i]!, 0, this.#symbols.locations.length);
    }
    const lanes = new Int32Array(width * 2);
    for (let i = 0; i < width; i++) setInt64(lanes, i, checkValue(values[i]!));
    this.#samples.add({ rows: locations, start: 0, end: locations.length }, this.#labelSet(labels), {
      lanes,
      first: 0,
      isNegated: false,
    });
  }

  /** The profile so far. The builder can go on afterwards; what it returned does not change. */
  build(): Profile {
    return buildProfile(this.#header, this.#symbols, this.#samples);
  }

  #labelSet(labels: readonly LabelInput[]): number {
    const rows = new Uint32Array(labels.length);
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i]!;
      const words = [this.string(label.key), this.string(label.text ?? "")];
      pushInt64(words, label.number ?? 0);
      words.push(this.string(label.unit ?? ""));
      rows[i] = this.#samples.label(words);
    }
    return this.#samples.labelSet(rows);
  }
}

/** Adds the texts of a header to the string table, in the order in which pprof writes them. */
export function addHeaderStrings(symbols: SymbolTables, header: ProfileHeader): void {
  for (const { type, unit } of header.sampleTypes) {
    symbols.string(type);
    symbols.string(unit);
  }
  symbols.string(header.dropFrames ?? "");
  symbols.string(header.keepFrames ?? "");
  symbols.string(header.periodType?.type ?? "");
  symbols.string(header.periodType?.unit ?? "");
  for (const comment of header.comments ?? []) symbols.string(comment);
  symbols.string(header.defaultSampleType ?? "");
}

/** Freezes grown tables into a profile. */
export function buildProfile(header: ProfileHeader, symbols: SymbolTables, samples: SampleTables): Profile {
  return {
    strings: [...symbols.strings],
    sampleTypes: header.sampleTypes,
    defaultSampleType: header.defaultSampleType ?? "",
    periodType: header.periodType,
    period: header.period ?? 0n,
    timeUnixNanos: header.timeUnixNanos ?? 0n,
    durationNanos: header.durationNanos ?? 0n,
    comments: header.comments ?? [],
    dropFrames: header.dropFrames ?? "",
    keepFrames: header.keepFrames ?? "",
    ...samples.build(),
    ...symbols.buildLocations(),
    functions: symbols.buildFunctions(),
    mappings: symbols.buildMappings(),
  };
}

function checkRow(what: string, row: number, first: number, length: number): void {
  if (row >= first && row < length) return;
  throw new ProtocolError(`adding ${what} ${row}: expected a row from ${first} to ${length - 1}`, {
    code: "PROFILE_BAD_INDEX",
  });
}

function checkValue(value: bigint | number): bigint | number {
  const isInt64 =
    typeof value === "number" ? Number.isSafeInteger(value) : BigInt.asIntN(64, value) === value;
  if (isInt64) return value;
  throw new ProtocolError(`adding a sample with value ${value}: expected a whole number within int64`, {
    code: "PROFILE_OVERFLOW",
  });
}

const SINGLE = new BigInt64Array(1);
const SINGLE_LANES = toLanes(SINGLE);

function pushInt64(words: number[], value: bigint | number): void {
  // As in setInt64; and a typed array for each would cost more than all else of a label.
  if (typeof value === "number" && (value | 0) === value) {
    words.push(value, value >> 31);
    return;
  }
  SINGLE[0] = BigInt(value);
  words.push(SINGLE_LANES[LOW]!, SINGLE_LANES[HIGH]!);
}

function setInt64(lanes: Int32Array, row: number, value: bigint | number): void {
  // Most numbers are small; making a BigInt of each would be most of the cost of a sample.
  if (typeof value === "number" && (value | 0) === value) {
    lanes[row * 2 + LOW] = value;
    lanes[row * 2 + HIGH] = value >> 31;
    return;
  }
  SINGLE[0] = BigInt(value);
  lanes[row * 2 + LOW] = SINGLE_LANES[LOW]!;
  lanes[row * 2 + HIGH] = SINGLE_LANES[HIGH]!;
}
