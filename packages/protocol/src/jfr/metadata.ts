import { checkJfrLimit, type JfrLimits } from "./jfr-limits.ts";
import type { JfrReader } from "./jfr-reader.ts";
import { malformedJfr } from "./malformed-jfr.ts";

// The two events about a chunk itself have the same ids in every recording.
const METADATA_EVENT = 0;
export const CHECKPOINT_EVENT = 1;

/** A field as the metadata describes it. */
export interface MetadataField {
  readonly name: string;
  readonly typeId: number;
  /** The value is the id of a constant of that type. */
  readonly isConstant: boolean;
  readonly isArray: boolean;
  /** Annotated `@Timespan("TICKS")`. */
  readonly isTicks: boolean;
}

/** A type as the metadata describes it: an event, a struct or a primitive. */
interface MetadataType {
  readonly id: number;
  /** `jdk.ExecutionSample`, `jdk.types.Method`, `int`. */
  readonly name: string;
  readonly fields: readonly MetadataField[];
}

/** The types of one chunk. */
export interface JfrMetadata {
  readonly types: ReadonlyMap<number, MetadataType>;
}

/** An element of the tree that a metadata event holds. */
interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
}

// root, metadata, class, field, annotation: deeper elements are of no use.
const MAX_DEPTH = 16;

const TIMESPAN = "jdk.jfr.Timespan";

/**
 * Reads the metadata of a chunk: the event that describes every type in it. The reader stands behind the event's size.
 *
 * @throws {@link ProtocolError} `JFR_MALFORMED` or `JFR_LIMIT`.
 *
 * Source: JDK jdk.jfr.internal.MetadataReader.
 */
export function readMetadata(reader: JfrReader, limits: JfrLimits): JfrMetadata {
  const event = reader.uint("event type");
  if (event !== METADATA_EVENT) {
    throw malformedJfr(`event of type ${event} where the chunk's metadata should be`);
  }
  // Start, duration and the number of this metadata.
  for (let i = 0; i < 3; i++) reader.integer();
  const stringCount = reader.arrayLength();
  checkJfrLimit(limits, "maxMetadataElements", stringCount);
  const strings = Array.from({ length: stringCount }, () => reader.string());
  const root = new ElementReader(reader, strings, limits).read(1);
  const classes = childrenOf(root, "metadata").flatMap((metadata) => childrenOf(metadata, "class"));
  const names = new Map(
    classes.map(({ attributes }) => [attributes.get("id") ?? "", attributes.get("name") ?? ""]),
  );
  return { types: new Map(classes.map((element) => toType(element, names)).map((type) => [type.id, type])) };
}

class ElementReader {
  readonly #reader: JfrReader;
  readonly #strings: readonly string[];
  readonly #limits: JfrLimits;
  #count = 0;

  constructor(reader: JfrReader, strings: readonly string[], limits: JfrLimits) {
    this.#reader = reader;
    this.#strings = strings;
    this.#limits = limits;
  }

  read(depth: number): Element {
    if (depth > MAX_DEPTH) throw malformedJfr(`metadata has elements more than ${MAX_DEPTH} deep`);
    this.#count++;
    checkJfrLimit(this.#limits, "maxMetadataElements", this.#count);
    const name = this.#string();
    const attributes = new Map<string, string>();
    for (let left = this.#reader.arrayLength(); left > 0; left--)
      attributes.set(this.#string(), this.#string());
    const children: Element[] = [];
    for (let left = this.#reader.arrayLength(); left > 0; left--) children.push(this.read(depth + 1));
    return { name, attributes, children };
  }

  #string(): string {
    const index = this.#reader.uint("string number");
    const text = this.#strings[index];
    if (text !== undefined) return text;
    throw malformedJfr(`metadata names string ${index} of ${this.#strings.length}`);
  }
}

function childrenOf(element: Element, name: string): readonly Element[] {
  return element.children.filter((child) => child.name === name);
}

function toType(element: Element, names: ReadonlyMap<string, string>): MetadataType {
  const { attributes } = element;
  return {
    id: parseId(attributes.get("id")),
    name: attributes.get("name") ?? "",
    fields: childrenOf(element, "field").map((field) => toField(field, names)),
  };
}

function toField(element: Element, names: ReadonlyMap<string, string>): MetadataField {
  const { attributes } = element;
  return {
    name: attributes.get("name") ?? "",
    typeId: parseId(attributes.get("class")),
    isConstant: attributes.get("constantPool") === "true",
    isArray: (attributes.get("dimension") ?? "0") !== "0",
    isTicks: childrenOf(element, "annotation").some(
      (annotation) =>
        names.get(annotation.attributes.get("class") ?? "") === TIMESPAN &&
        annotation.attributes.get("value") === "TICKS",
    ),
  };
}

function parseId(text: string | undefined): number {
  const id = /^\d{1,15}$/.test(text ?? "") ? Number(text) : -1;
  if (id === -1) throw malformedJfr(`metadata has type id ${JSON.stringify(text)}: expected a number`);
  return id;
}
