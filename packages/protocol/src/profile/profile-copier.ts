import { HIGH, LOW, toLanes, Uint32Column } from "../wire/column.ts";
import type { Profile } from "./profile.ts";
import { LABEL_WORDS, type SampleTables } from "./sample-tables.ts";
import type { SymbolTables } from "./symbol-tables.ts";

/** What {@link ProfileCopier} leaves out of the locations it copies. */
export interface CopyOptions {
  /** Whether a line is kept; all are by default. A location that loses all its lines is left out of its stacks. */
  readonly isLineKept?: (line: number) => boolean;
  /** Subtracts the values instead of adding them. */
  readonly isNegated?: boolean;
}

const UNKNOWN = 0;
/** Row + 1 of a location that has lost all its lines. */
const DROPPED = 0xffff_ffff;

/**
 * Copies samples of one profile into the growing tables of another, and with them the symbols they need and no others.
 *
 * Every row of the source is looked up in the target once; after that it is an array access.
 */
export class ProfileCopier {
  readonly #source: Profile;
  readonly #symbols: SymbolTables;
  readonly #samples: SampleTables;
  readonly #options: CopyOptions;
  // Rows + 1 in the target; 0 is UNKNOWN.
  readonly #strings: Uint32Array;
  readonly #functions: Uint32Array;
  readonly #mappings: Uint32Array;
  readonly #locations: Uint32Array;
  readonly #startLine: Int32Array;
  readonly #line: Int32Array;
  readonly #address: Int32Array;
  readonly #mappingNumbers: readonly Int32Array[];
  readonly #labelNumber: Int32Array;
  readonly #values: Int32Array;
  readonly #stack = new Uint32Column(64);
  readonly #words = new Uint32Column(32);

  constructor(source: Profile, symbols: SymbolTables, samples: SampleTables, options: CopyOptions = {}) {
    this.#source = source;
    this.#symbols = symbols;
    this.#samples = samples;
    this.#options = options;
    this.#strings = new Uint32Array(source.strings.length);
    this.#functions = new Uint32Array(source.functions.length);
    this.#mappings = new Uint32Array(source.mappings.length);
    this.#locations = new Uint32Array(source.locations.length);
    this.#startLine = toLanes(source.functions.startLine);
    this.#line = toLanes(source.lines.line);
    this.#address = toLanes(source.locations.address);
    const { start, limit, offset } = source.mappings;
    this.#mappingNumbers = [toLanes(start), toLanes(limit), toLanes(offset)];
    this.#labelNumber = toLanes(source.labels.number);
    this.#values = toLanes(source.samples.values);
  }

  /** Copies a sample; its values are added to those of an equal stack with equal labels. */
  copySample(sample: number): void {
    const { samples, sampleTypes } = this.#source;
    const stack = this.#stack;
    stack.length = 0;
    for (let i = samples.locationStart[sample]!; i < samples.locationStart[sample + 1]!; i++) {
      const row = this.#location(samples.location[i]!);
      if (row !== DROPPED) stack.push(row);
    }
    this.#samples.add({ rows: stack.values, start: 0, end: stack.length }, this.#labelSet(sample), {
      lanes: this.#values,
      first: sample * sampleTypes.length,
      isNegated: this.#options.isNegated === true,
    });
  }

  #labelSet(sample: number): number {
    const { samples, labels } = this.#source;
    const start = samples.labelStart[sample]!;
    const rows = new Uint32Array(samples.labelStart[sample + 1]! - start);
    const words = new Uint32Array(LABEL_WORDS);
    for (let i = 0; i < rows.length; i++) {
      const label = start + i;
      words[0] = this.#string(labels.key[label]!);
      words[1] = this.#string(labels.text[label]!);
      words[2] = this.#labelNumber[label * 2 + LOW]!;
      words[3] = this.#labelNumber[label * 2 + HIGH]!;
      words[4] = this.#string(labels.unit[label]!);
      rows[i] = this.#samples.label(words);
    }
    return this.#samples.labelSet(rows);
  }

  #location(row: number): number {
    const known = this.#locations[row]!;
    if (known === DROPPED) return DROPPED;
    if (known !== UNKNOWN) return known - 1;
    const copied = this.#copyLocation(row);
    this.#locations[row] = copied === DROPPED ? DROPPED : copied + 1;
    return copied;
  }

  #copyLocation(row: number): number {
    const { locations, lines } = this.#source;
    const isKept = this.#options.isLineKept;
    const first = locations.lineStart[row]!;
    const last = locations.lineStart[row + 1]!;
    const mapping = locations.mapping[row]!;
    const mappingRow = mapping < 0 ? mapping : this.#mapping(mapping);
    const functionRows: number[] = [];
    const kept: number[] = [];
    for (let line = first; line < last; line++) {
      if (isKept?.(line) === false) continue;
      kept.push(line);
      functionRows.push(lines.function[line]! < 0 ? -1 : this.#function(lines.function[line]!));
    }
    if (first < last && kept.length === 0) return DROPPED;
    const words = this.#words;
    words.length = 0;
    words.push(mappingRow + 1);
    words.push(this.#address[row * 2 + LOW]!);
    words.push(this.#address[row * 2 + HIGH]!);
    words.push(locations.isFolded[row]!);
    for (const [i, line] of kept.entries()) {
      words.push(functionRows[i]! + 1);
      words.push(this.#line[line * 2 + LOW]!);
      words.push(this.#line[line * 2 + HIGH]!);
    }
    return this.#symbols.locations.intern(words.values, 0, words.length);
  }

  #function(row: number): number {
    const known = this.#functions[row]!;
    if (known !== UNKNOWN) return known - 1;
    const { functions } = this.#source;
    const copied = this.#symbols.functions.intern([
      this.#string(functions.name[row]!),
      this.#string(functions.systemName[row]!),
      this.#string(functions.file[row]!),
      this.#startLine[row * 2 + LOW]!,
      this.#startLine[row * 2 + HIGH]!,
    ]);
    this.#functions[row] = copied + 1;
    return copied;
  }

  #mapping(row: number): number {
    const known = this.#mappings[row]!;
    if (known !== UNKNOWN) return known - 1;
    const { mappings } = this.#source;
    const words: number[] = [];
    for (const lanes of this.#mappingNumbers) words.push(lanes[row * 2 + LOW]!, lanes[row * 2 + HIGH]!);
    words.push(this.#string(mappings.file[row]!), this.#string(mappings.buildId[row]!), mappings.flags[row]!);
    const copied = this.#symbols.mappings.intern(words);
    this.#mappings[row] = copied + 1;
    return copied;
  }

  #string(row: number): number {
    const known = this.#strings[row]!;
    if (known !== UNKNOWN) return known - 1;
    const copied = this.#symbols.string(this.#source.strings[row]!);
    this.#strings[row] = copied + 1;
    return copied;
  }
}
