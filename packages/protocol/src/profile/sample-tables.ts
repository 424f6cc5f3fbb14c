import { ProtocolError } from "../errors.ts";
import { HIGH, Int64Column, LOW, toLanes, Uint32Column } from "../wire/column.ts";
import { WordTable } from "../wire/word-table.ts";
import type { LabelTable, SampleTable } from "./profile.ts";

/** Words of a label's row: key, text, number low and high, unit. */
export const LABEL_WORDS = 5;

/**
 * The tables of samples and labels while they grow: one row for each different stack with a different set of labels,
 * with the sums of its values.
 */
export class SampleTables {
  readonly #width: number;
  readonly #labels = new WordTable();
  /** Rows of labels, ascending, so that the order of a sample's labels does not matter. */
  readonly #labelSets = new WordTable();
  readonly #stacks = new WordTable();
  /** Two words: stack, label set. */
  readonly #samples = new WordTable();
  readonly #values = new Int64Column(64);
  readonly #pair = new Uint32Array(2);

  /** @param width - number of values of a sample. */
  constructor(width: number) {
    this.#width = width;
  }

  /** Samples so far. */
  get length(): number {
    return this.#samples.length;
  }

  /** The row of a label, given as {@link LABEL_WORDS} words. */
  label(words: ArrayLike<number>): number {
    return this.#labels.intern(words);
  }

  /** The row of a set of labels, given as their rows, which this sorts. */
  labelSet(labels: Uint32Array): number {
    return this.#labelSets.intern(labels.sort());
  }

  /**
   * Adds values to the sample of a stack and a set of labels.
   *
   * @param stack - rows of locations, leaf first; the rows `start .. end` count.
   * @param lanes - halves of the values, from row `firstValue` on.
   * @param isNegated - subtracts the values instead.
   * @throws {@link ProtocolError} `PROFILE_OVERFLOW`.
   */
  add(
    stack: { readonly rows: ArrayLike<number>; readonly start: number; readonly end: number },
    labelSet: number,
    values: { readonly lanes: Int32Array; readonly first: number; readonly isNegated: boolean },
  ): void {
    this.#pair[0] = this.#stacks.intern(stack.rows, stack.start, stack.end);
    this.#pair[1] = labelSet;
    const known = this.#samples.length;
    const row = this.#samples.intern(this.#pair);
    for (let i = 0; i < this.#width; i++) {
      if (row === known) this.#values.push(0, 0);
      const at = (values.first + i) * 2;
      const lo = values.lanes[at + LOW]!;
      const hi = values.lanes[at + HIGH]!;
      const target = row * this.#width + i;
      const fits = values.isNegated
        ? this.#values.subtract(target, lo, hi)
        : this.#values.add(target, lo, hi);
      if (!fits) throw overflow(row, i);
    }
  }

  build(): { readonly samples: SampleTable; readonly labels: LabelTable } {
    const { length } = this.#samples;
    const pairs = this.#samples.words();
    const stacks = this.#stacks.words();
    const stackStarts = this.#stacks.starts();
    const sets = this.#labelSets.words();
    const setStarts = this.#labelSets.starts();
    const locationStart = new Uint32Array(length + 1);
    const labelStart = new Uint32Array(length + 1);
    const location = new Uint32Column(stacks.length);
    const labels = new Uint32Column();
    for (let row = 0; row < length; row++) {
      const stack = pairs[row * 2]!;
      const set = pairs[row * 2 + 1]!;
      location.pushRange(stacks, stackStarts[stack]!, stackStarts[stack + 1]!);
      labels.pushRange(sets, setStarts[set]!, setStarts[set + 1]!);
      locationStart[row + 1] = location.length;
      labelStart[row + 1] = labels.length;
    }
    return {
      samples: {
        length,
        locationStart,
        location: location.finish(),
        values: this.#values.finish(),
        labelStart,
      },
      labels: this.#buildLabels(labels.finish()),
    };
  }

  #buildLabels(rows: Uint32Array): LabelTable {
    const words = this.#labels.words();
    const table = {
      length: rows.length,
      key: new Uint32Array(rows.length),
      text: new Uint32Array(rows.length),
      number: new BigInt64Array(rows.length),
      unit: new Uint32Array(rows.length),
    };
    const number = toLanes(table.number);
    for (let i = 0; i < rows.length; i++) {
      const at = rows[i]! * LABEL_WORDS;
      table.key[i] = words[at]!;
      table.text[i] = words[at + 1]!;
      number[i * 2 + LOW] = words[at + 2]!;
      number[i * 2 + HIGH] = words[at + 3]!;
      table.unit[i] = words[at + 4]!;
    }
    return table;
  }
}

function overflow(row: number, index: number): ProtocolError {
  return new ProtocolError(
    `summing value ${index} of sample ${row}: expected a sum from -2^63 to 2^63 - 1, the range of int64`,
    { code: "PROFILE_OVERFLOW" },
  );
}
