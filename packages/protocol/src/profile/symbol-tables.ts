import { HIGH, LOW, toLanes } from "../wire/column.ts";
import { WordTable } from "../wire/word-table.ts";
import type { FunctionTable, LineTable, LocationTable, MappingTable } from "./profile.ts";

/** Words of a function's row: name, system name, file, start line low and high. */
const FUNCTION_WORDS = 5;
/** Words of a mapping's row: start, limit and offset low and high, file, build id, flags. */
const MAPPING_WORDS = 9;
/** Words of a location's row before its lines: mapping + 1, address low and high, folded. */
const LOCATION_HEAD_WORDS = 4;
/** Words of each line behind that: function + 1, line low and high. */
const LINE_WORDS = 3;

/**
 * The tables of strings, functions, mappings and locations while they grow. Rows are words, so that one kind of
 * table finds equal rows of all of them.
 */
export class SymbolTables {
  readonly strings: string[] = [""];
  readonly functions: WordTable = new WordTable();
  readonly mappings: WordTable = new WordTable();
  readonly locations: WordTable = new WordTable();
  readonly #rowOfString = new Map<string, number>([["", 0]]);

  /** The row of a string. */
  string(text: string): number {
    const known = this.#rowOfString.get(text);
    if (known !== undefined) return known;
    const row = this.strings.length;
    this.#rowOfString.set(text, row);
    this.strings.push(text);
    return row;
  }

  buildFunctions(): FunctionTable {
    const { length } = this.functions;
    const words = this.functions.words();
    const startLine = new BigInt64Array(length);
    fillLanes(toLanes(startLine), words, FUNCTION_WORDS, 3);
    return {
      length,
      name: pickColumn(words, FUNCTION_WORDS, 0),
      systemName: pickColumn(words, FUNCTION_WORDS, 1),
      file: pickColumn(words, FUNCTION_WORDS, 2),
      startLine,
    };
  }

  buildMappings(): MappingTable {
    const { length } = this.mappings;
    const words = this.mappings.words();
    const [start, limit, offset] = [0, 2, 4].map((at) => {
      const column = new BigUint64Array(length);
      fillLanes(toLanes(column), words, MAPPING_WORDS, at);
      return column;
    }) as [BigUint64Array, BigUint64Array, BigUint64Array];
    return {
      length,
      start,
      limit,
      offset,
      file: pickColumn(words, MAPPING_WORDS, 6),
      buildId: pickColumn(words, MAPPING_WORDS, 7),
      flags: Uint8Array.from(pickColumn(words, MAPPING_WORDS, 8)),
    };
  }

  buildLocations(): { readonly locations: LocationTable; readonly lines: LineTable } {
    const { length } = this.locations;
    const words = this.locations.words();
    const starts = this.locations.starts();
    const lineCount = (words.length - length * LOCATION_HEAD_WORDS) / LINE_WORDS;
    const locations = {
      length,
      mapping: new Int32Array(length),
      address: new BigUint64Array(length),
      lineStart: new Uint32Array(length + 1),
      isFolded: new Uint8Array(length),
    };
    const lines = {
      length: lineCount,
      function: new Int32Array(lineCount),
      line: new BigInt64Array(lineCount),
    };
    const address = toLanes(locations.address);
    const lineNumber = toLanes(lines.line);
    let line = 0;
    for (let row = 0; row < length; row++) {
      const head = starts[row]!;
      locations.mapping[row] = words[head]! - 1;
      address[row * 2 + LOW] = words[head + 1]!;
      address[row * 2 + HIGH] = words[head + 2]!;
      locations.isFolded[row] = words[head + 3]!;
      for (let at = head + LOCATION_HEAD_WORDS; at < starts[row + 1]!; at += LINE_WORDS, line++) {
        lines.function[line] = words[at]! - 1;
        lineNumber[line * 2 + LOW] = words[at + 1]!;
        lineNumber[line * 2 + HIGH] = words[at + 2]!;
      }
      locations.lineStart[row + 1] = line;
    }
    return { locations, lines };
  }
}

/** Column `at` of rows of `width` words. */
function pickColumn(words: Uint32Array, width: number, at: number): Uint32Array {
  const column = new Uint32Array(words.length / width);
  for (let row = 0; row < column.length; row++) column[row] = words[row * width + at]!;
  return column;
}

/** Fills a 64-bit column from the words `at` (low) and `at + 1` (high) of rows of `width` words. */
function fillLanes(lanes: Int32Array, words: Uint32Array, width: number, at: number): void {
  for (let row = 0; row * 2 < lanes.length; row++) {
    lanes[row * 2 + LOW] = words[row * width + at]!;
    lanes[row * 2 + HIGH] = words[row * width + at + 1]!;
  }
}
