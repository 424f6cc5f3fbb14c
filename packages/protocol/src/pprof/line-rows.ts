import type { LineTable } from "../profile/profile.ts";
import { HIGH, LOW, toLanes, Uint32Column } from "../wire/column.ts";
import { type ColumnBuffer, columnBytes } from "../wire/column-buffer.ts";
import type { IdTable } from "../wire/id-table.ts";
import { NumberFields } from "../wire/number-fields.ts";
import type { ProtobufReader } from "../wire/protobuf-reader.ts";
import type { Scratch } from "../wire/scratch.ts";

/** Function row, line low and high. */
const LINE_WORDS = 3;

/** Lines while their number is not known: rows of words, one after the other. */
export class LineRows {
  readonly #words: Uint32Column;
  readonly #functions: IdTable;
  // Field 3, the column, came later: it is skipped, as fields that are not known.
  readonly #fields = new NumberFields(2);

  /** @param expectedCount - lines to make room for at once. */
  constructor(functions: IdTable, scratch: Scratch, expectedCount: number) {
    this.#functions = functions;
    this.#words = new Uint32Column(scratch.uint32(expectedCount * LINE_WORDS));
  }

  get length(): number {
    return this.#words.length / LINE_WORDS;
  }

  /** Room that the finished table takes. */
  get tableBytes(): number {
    return columnBytes(this.length, 4, 8);
  }

  /** Reads one `Line` message and appends it. */
  read(reader: ProtobufReader): void {
    const fields = this.#fields;
    const outer = reader.open();
    fields.read(reader);
    reader.leave(outer);
    const words = this.#words;
    words.reserve(LINE_WORDS);
    const { values, length } = words;
    values[length] = this.#functions.rowOf(fields.lo(1), fields.hi(1));
    values[length + 1] = fields.lo(2);
    values[length + 2] = fields.hi(2);
    words.length = length + LINE_WORDS;
  }

  toTable(columns: ColumnBuffer): LineTable {
    const { length } = this;
    const { values } = this.#words;
    const table = { length, function: columns.int32(length), line: columns.int64(length) };
    const line = toLanes(table.line);
    for (let row = 0, at = 0; row < length; row++, at += LINE_WORDS) {
      // Signed again: `NO_FUNCTION` is the word of -1.
      table.function[row] = values[at]!;
      line[row * 2 + LOW] = values[at + 1]!;
      line[row * 2 + HIGH] = values[at + 2]!;
    }
    return table;
  }
}
