import type { JfrReader } from "./jfr-reader.ts";
import { malformedJfr } from "./malformed-jfr.ts";
import type { JfrMetadata, MetadataField } from "./metadata.ts";

/** How a value is written. A reference is the id of a constant. */
type FieldKind = "integer" | "byte" | "float" | "double" | "string" | "reference" | "struct";

/** A field of a type, resolved so that it can be read or skipped. */
export interface FieldLayout {
  readonly name: string;
  readonly kind: FieldKind;
  readonly isArray: boolean;
  /** Set when `kind` is "struct": the fields that stand in place. */
  readonly struct: TypeLayout | undefined;
  /** The value is a number of ticks, not of nanoseconds. */
  readonly isTicks: boolean;
}

/** The fields of a type, in the order in which they are written. */
export interface TypeLayout {
  readonly name: string;
  readonly fields: readonly FieldLayout[];
  /** Levels of structs in structs; 1 for none. */
  readonly depth: number;
}

// The JDK has structs in structs two deep.
const MAX_DEPTH = 16;

const PRIMITIVES: ReadonlyMap<string, FieldKind> = new Map([
  ["long", "integer"],
  ["int", "integer"],
  ["short", "integer"],
  ["char", "integer"],
  ["byte", "byte"],
  ["boolean", "byte"],
  ["float", "float"],
  ["double", "double"],
  ["java.lang.String", "string"],
]);

/** The layouts of one chunk's types, each worked out when it is first needed. */
export class TypeLayouts {
  readonly #metadata: JfrMetadata;
  readonly #layouts = new Map<number, TypeLayout>();

  constructor(metadata: JfrMetadata) {
    this.#metadata = metadata;
  }

  /** @throws {@link ProtocolError} `JFR_MALFORMED` for a type that the metadata lacks, or that has itself inside. */
  layoutOf(typeId: number, depth = 1): TypeLayout {
    const known = this.#layouts.get(typeId);
    if (known !== undefined) return known;
    const type = this.#metadata.types.get(typeId);
    if (type === undefined) throw malformedJfr(`type ${typeId} is not in the metadata`);
    if (depth > MAX_DEPTH)
      throw malformedJfr(`type ${type.name}: more than ${MAX_DEPTH} types inside each other`);
    const fields = type.fields.map((field) => this.#fieldLayout(field, depth));
    const layout = {
      name: type.name,
      fields,
      depth: 1 + Math.max(0, ...fields.map((field) => field.struct?.depth ?? 0)),
    };
    if (layout.depth > MAX_DEPTH) {
      throw malformedJfr(`type ${type.name}: more than ${MAX_DEPTH} types inside each other`);
    }
    this.#layouts.set(typeId, layout);
    return layout;
  }

  #fieldLayout(field: MetadataField, depth: number): FieldLayout {
    const { name, isArray, isTicks } = field;
    const make = (kind: FieldKind, struct?: TypeLayout): FieldLayout => ({
      name,
      kind,
      isArray,
      struct,
      isTicks,
    });
    if (field.isConstant) return make("reference");
    const primitive = PRIMITIVES.get(this.#metadata.types.get(field.typeId)?.name ?? "");
    if (primitive !== undefined) return make(primitive);
    const struct = this.layoutOf(field.typeId, depth + 1);
    // Each value takes a byte or more: what reads or skips values ends with the bytes, whatever counts say.
    if (struct.fields.length === 0) throw malformedJfr(`field ${name}: type ${struct.name} has no fields`);
    return make("struct", struct);
  }
}

/** Skips the value of a field. */
export function skipField(reader: JfrReader, field: FieldLayout): void {
  let count = field.isArray ? reader.arrayLength() : 1;
  for (; count > 0; count--) skipValue(reader, field);
}

/** Skips the fields of a type. */
export function skipFields(reader: JfrReader, layout: TypeLayout): void {
  for (const field of layout.fields) skipField(reader, field);
}

function skipValue(reader: JfrReader, { kind, struct }: FieldLayout): void {
  switch (kind) {
    case "integer":
    case "reference":
      reader.integer();
      break;
    case "byte":
      reader.skip(1);
      break;
    case "float":
      reader.skip(4);
      break;
    case "double":
      reader.skip(8);
      break;
    case "string":
      reader.skipString();
      break;
    case "struct":
      if (struct !== undefined) skipFields(reader, struct);
      break;
  }
}
