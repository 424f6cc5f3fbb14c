import type { Label, LabelSet, Profile } from "@pyroscope-ts/protocol";
import {
  isSpanLabel,
  NO_SPAN,
  NO_TRACE,
  parseSpanId,
  parseTraceId,
  SPAN_ID_LABELS,
  TRACE_ID_LABEL,
  type TraceId,
} from "./span-ids.ts";

/** Ids of spans and traces of some samples, as columns. */
export interface IdColumns {
  /** One for each sample; undefined if every one is 0. */
  readonly spanIds: BigUint64Array | undefined;
  /** Two lanes, high and low, for each sample; undefined if every one is 0. */
  readonly traceIds: BigUint64Array | undefined;
}

/** Reads the text labels of a profile's samples, each distinct text once. */
export class SampleLabels {
  readonly #profile: Profile;
  /** Whether a label of this key is an id; by string row. */
  readonly #isSpanKey = new Map<number, boolean>();
  readonly #spanIds = new Map<number, bigint>();
  readonly #traceIds = new Map<number, TraceId>();

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  /**
   * Names the set of labels of a sample that are part of its series: equal keys, equal labels.
   *
   * @returns pairs of string rows, `key,text;`, in the order of the sample; "" for no label.
   */
  keyOfSample(row: number): string {
    const { labels } = this.#profile;
    const { start, end } = this.#labelRange(row);
    let key = "";
    for (let label = start; label < end; label++) {
      const name = labels.key[label] ?? 0;
      const text = labels.text[label] ?? 0;
      if (text !== 0 && !this.#isSpan(name)) key += `${name},${text};`;
    }
    return key;
  }

  /** The labels that a key of {@link keyOfSample} names, in the order of the sample. */
  labelsOfKey(key: string): readonly Label[] {
    return key
      .split(";")
      .slice(0, -1)
      .map((pair) => {
        const [name, text] = pair.split(",").map(Number);
        return { name: this.#string(name), value: this.#string(text) };
      });
  }

  /**
   * Reads the span and trace ids of samples. The first valid one of a sample counts; one that is not valid is none.
   *
   * @param defaults - labels of the series that hold for samples without their own.
   */
  readIds(rows: Uint32Array, defaults: LabelSet): IdColumns {
    const ownSpan = defaults
      .filter(({ name }) => SPAN_ID_LABELS.has(name))
      .map(({ value }) => parseSpanId(value));
    const span = ownSpan.find((id) => id !== NO_SPAN) ?? NO_SPAN;
    const trace = parseTraceId(defaults.find(({ name }) => name === TRACE_ID_LABEL)?.value ?? "");
    if (this.#profile.labels.length === 0 && span === NO_SPAN && trace === NO_TRACE) {
      return { spanIds: undefined, traceIds: undefined };
    }
    const spanIds = new BigUint64Array(rows.length);
    const traceIds = new BigUint64Array(rows.length * 2);
    rows.forEach((row, i) => {
      spanIds[i] = this.#spanOfSample(row) || span;
      const { hi, lo } = this.#traceOfSample(row) ?? trace;
      traceIds[2 * i] = hi;
      traceIds[2 * i + 1] = lo;
    });
    return { spanIds: dropZeros(spanIds), traceIds: dropZeros(traceIds) };
  }

  #spanOfSample(row: number): bigint {
    const { labels } = this.#profile;
    const { start, end } = this.#labelRange(row);
    for (let label = start; label < end; label++) {
      const name = labels.key[label] ?? 0;
      if (!this.#isSpan(name) || this.#string(name) === TRACE_ID_LABEL) continue;
      const id = this.#parsed(this.#spanIds, labels.text[label] ?? 0, parseSpanId);
      if (id !== NO_SPAN) return id;
    }
    return NO_SPAN;
  }

  #traceOfSample(row: number): TraceId | undefined {
    const { labels } = this.#profile;
    const { start, end } = this.#labelRange(row);
    for (let label = start; label < end; label++) {
      const name = labels.key[label] ?? 0;
      if (!this.#isSpan(name) || this.#string(name) !== TRACE_ID_LABEL) continue;
      const id = this.#parsed(this.#traceIds, labels.text[label] ?? 0, parseTraceId);
      if (id.hi !== 0n || id.lo !== 0n) return id;
    }
    return undefined;
  }

  #isSpan(name: number): boolean {
    return this.#parsed(this.#isSpanKey, name, isSpanLabel);
  }

  #parsed<Value>(known: Map<number, Value>, stringRow: number, parse: (text: string) => Value): Value {
    let value = known.get(stringRow);
    if (value === undefined) {
      value = parse(this.#string(stringRow));
      known.set(stringRow, value);
    }
    return value;
  }

  #labelRange(row: number): { readonly start: number; readonly end: number } {
    const { labelStart } = this.#profile.samples;
    return { start: labelStart[row] ?? 0, end: labelStart[row + 1] ?? 0 };
  }

  #string(row: number | undefined): string {
    return this.#profile.strings[row ?? 0] ?? "";
  }
}

function dropZeros(ids: BigUint64Array): BigUint64Array | undefined {
  return ids.some((id) => id !== 0n) ? ids : undefined;
}
