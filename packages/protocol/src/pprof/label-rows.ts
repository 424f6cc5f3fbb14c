import type { LabelTable } from "../profile/profile.ts";
import { HIGH, LOW, toLanes, Uint32Column } from "../wire/column.ts";
import { type ColumnBuffer, columnBytes } from "../wire/column-buffer.ts";
import { NumberFields } from "../wire/number-fields.ts";
import type { ProtobufReader } from "../wire/protobuf-reader.ts";
import type { Scratch } from "../wire/scratch.ts";
import { type PprofStrings, toStringRow } from "./decode-strings.ts";
import { stringIndexOf } from "./pprof-layout.ts";

/** Key, text, number low and high, unit. */
const LABEL_WORDS = 5;

/** Labels while their number is not known: rows of words, one after the other. */
export class LabelRows {
  readonly #words: Uint32Column;
  readonly #strings: PprofStrings;
  readonly #fields = new NumberFields(4);

  /** @param expectedCount - labels to make room for at once. */
  constructor(strings: PprofStrings, scratch: Scratch, expectedCount: number) {
    this.#strings = strings;
    this.#words = new Uint32Column(scratch.uint32(expectedCount * LABEL_WORDS));
  }

  get length(): number {
    return this.#words.length / LABEL_WORDS;
  }

  /** Room that the finished table takes. */
  get tableBytes(): number {
    return columnBytes(this.length, 4, 4, 8, 4);
  }

  /**
   * Reads one `Label` message and appends it.
   *
   * @throws {@link ProtocolError} `PPROF_MALFORMED` for a bad string index.
   */
  read(reader: ProtobufReader): void {
    const fields = this.#fields;
    const outer = reader.open();
    fields.read(reader);
    reader.leave(outer);
    const words = this.#words;
    words.reserve(LABEL_WORDS);
    const { values, length } = words;
    values[length] = toStringRow(this.#strings, stringIndexOf(fields, 1), "sample label string index");
    values[length + 1] = toStringRow(this.#strings, stringIndexOf(fields, 2), "sample label string index");
    values[length + 2] = fields.lo(3);
    values[length + 3] = fields.hi(3);
    values[length + 4] = toStringRow(
      this.#strings,
      stringIndexOf(fields, 4),
      "sample label unit string index",
    );
    words.length = length + LABEL_WORDS;
  }

  toTable(columns: ColumnBuffer): LabelTable {
    const { length } = this;
    const { values } = this.#words;
    const table = {
      length,
      key: columns.uint32(length),
      text: columns.uint32(length),
      number: columns.int64(length),
      unit: columns.uint32(length),
    };
    const number = toLanes(table.number);
    for (let row = 0, at = 0; row < length; row++, at += LABEL_WORDS) {
      table.key[row] = values[at]!;
      table.text[row] = values[at + 1]!;
      number[row * 2 + LOW] = values[at + 2]!;
      number[row * 2 + HIGH] = values[at + 3]!;
      table.unit[row] = values[at + 4]!;
    }
    return table;
  }
}
