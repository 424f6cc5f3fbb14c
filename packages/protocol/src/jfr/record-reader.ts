import { HIGH, LOW, toLanes } from "../wire/column.ts";
import { type ConstantId, type JfrReader, toId } from "./jfr-reader.ts";
import { malformedJfr } from "./malformed-jfr.ts";
import { type FieldLayout, skipField, type TypeLayout } from "./type-layout.ts";

/**
 * Reads some fields of an event or struct, by name, and skips the others.
 *
 * A field that the type lacks is 0 or "": recordings of other programs and versions have other fields.
 */
export class RecordReader<Name extends string> {
  readonly #steps: readonly { readonly field: FieldLayout; readonly slot: number }[];
  readonly #slots = new Map<Name, number>();
  readonly #texts: string[];
  readonly #values: BigInt64Array;
  readonly #lanes: Int32Array;
  readonly #isTicks: readonly boolean[];

  /** @throws {@link ProtocolError} `JFR_MALFORMED` if a field of that name is neither a number, a reference nor a text. */
  constructor(layout: TypeLayout, names: readonly Name[]) {
    this.#steps = layout.fields.map((field) => ({ field, slot: names.indexOf(field.name as Name) }));
    for (const { field, slot } of this.#steps) {
      if (slot !== -1 && !isScalar(field))
        throw malformedJfr(`field ${field.name} of ${layout.name} is not a value`);
    }
    names.forEach((name, slot) => void this.#slots.set(name, slot));
    this.#isTicks = names.map((name) => layout.fields.some((field) => field.name === name && field.isTicks));
    this.#texts = names.map(() => "");
    this.#values = new BigInt64Array(names.length);
    this.#lanes = toLanes(this.#values);
  }

  /** Reads one record; what the record before it had is gone. */
  read(reader: JfrReader, strings?: ReadonlyMap<ConstantId, string>): void {
    for (const { field, slot } of this.#steps) {
      if (slot === -1) {
        skipField(reader, field);
      } else if (field.kind === "string") {
        this.#texts[slot] = reader.string(strings);
      } else {
        if (field.kind === "byte") reader.byte();
        else reader.integer();
        this.#lanes[slot * 2 + LOW] = reader.lo;
        this.#lanes[slot * 2 + HIGH] = reader.hi;
      }
    }
  }

  /** The id in a field. */
  id(name: Name): ConstantId {
    const at = this.#slot(name) * 2;
    return toId(this.#lanes[at + LOW]!, this.#lanes[at + HIGH]!);
  }

  /** The number in a field. */
  int64(name: Name): bigint {
    return this.#values[this.#slot(name)]!;
  }

  /** Writes the low and the high half of the number in a field to `into[at]` and `into[at + 1]`. */
  copyTo(into: number[], at: number, name: Name): void {
    const lane = this.#slot(name) * 2;
    into[at] = this.#lanes[lane + LOW]!;
    into[at + 1] = this.#lanes[lane + HIGH]!;
  }

  text(name: Name): string {
    return this.#texts[this.#slot(name)]!;
  }

  /** Whether a field counts ticks. */
  isTicks(name: Name): boolean {
    return this.#isTicks[this.#slot(name)]!;
  }

  #slot(name: Name): number {
    return this.#slots.get(name) ?? 0;
  }
}

function isScalar({ kind, isArray }: FieldLayout): boolean {
  return !isArray && (kind === "integer" || kind === "byte" || kind === "reference" || kind === "string");
}
