import { checkFormatLimit, type FormatLimits } from "../formats/format-limits.ts";
import { Uint32Column } from "../wire/column.ts";
import { ProtobufReader } from "../wire/protobuf-reader.ts";
import { readAttribute } from "./otlp-attribute.ts";
import {
  decodeText,
  lengthTag,
  type MessageRange,
  malformedOtlp,
  readMessage,
  readRange,
  varintTag,
} from "./otlp-wire.ts";

/** The tables of a dictionary, by their field numbers. */
const tableFields = {
  mapping: 1,
  location: 2,
  function: 3,
  link: 4,
  string: 5,
  attribute: 6,
  stack: 7,
} as const;

/** Name of a table of a dictionary. */
export type OtlpTableName = keyof typeof tableFields;

const tableNames: readonly OtlpTableName[] = [
  "mapping",
  "location",
  "function",
  "link",
  "string",
  "attribute",
  "stack",
];

/** A text with a name; texts that are no label have none. */
export interface OtlpAttribute {
  readonly key: string;
  /** Undefined for a value that cannot be the value of a label. */
  readonly text: string | undefined;
}

/** Ids in hexadecimal; "" for none. */
export interface OtlpLink {
  readonly traceId: string;
  readonly spanId: string;
}

/**
 * The tables that all profiles of a request share.
 *
 * A row is where it lies in the request, and is decoded when a profile names it: what no profile names costs
 * eight bytes. Row 0 is a row like any other.
 */
export class OtlpDictionary {
  readonly reader: ProtobufReader;
  readonly #tables: {
    readonly [K in OtlpTableName]: { readonly starts: Uint32Column; readonly ends: Uint32Column };
  };
  readonly #limits: FormatLimits;
  #rowBytes = 0;
  readonly #strings = new Map<number, string>();
  readonly #attributes = new Map<number, OtlpAttribute>();
  readonly #links = new Map<number, OtlpLink>();

  /** @param ranges - where the dictionaries of the request lie; several are one, as for every message field. */
  constructor(bytes: Uint8Array, ranges: readonly MessageRange[], limits: FormatLimits) {
    this.reader = new ProtobufReader(bytes);
    this.#limits = limits;
    const table = () => ({ starts: new Uint32Column(), ends: new Uint32Column() });
    this.#tables = {
      mapping: table(),
      location: table(),
      function: table(),
      link: table(),
      string: table(),
      attribute: table(),
      stack: table(),
    };
    let rowCount = 0;
    for (const range of ranges) {
      readMessage(this.reader, range, (tag) => {
        const name = tableNames.find((known) => lengthTag(tableFields[known]) === tag);
        if (name === undefined) return false;
        checkFormatLimit(limits, "maxTableRows", ++rowCount);
        const { start, end } = readRange(this.reader);
        this.#tables[name].starts.push(start);
        this.#tables[name].ends.push(end);
        return true;
      });
    }
  }

  /**
   * Where a row lies, for whoever decodes it.
   *
   * @throws ProtocolError `OTLP_MALFORMED` for a row that the table does not have, `FORMAT_LIMIT`.
   */
  row(name: OtlpTableName, index: number): MessageRange {
    const { starts, ends } = this.#tables[name];
    if (index >= 0 && index < starts.length) {
      const range = { start: starts.values[index] ?? 0, end: ends.values[index] ?? 0 };
      // Each profile decodes the rows that it names: a long row is cheap to name again and again.
      this.#rowBytes += range.end - range.start;
      checkFormatLimit(this.#limits, "maxRowBytes", this.#rowBytes);
      return range;
    }
    const shown = index < 0 ? "a negative number" : index;
    throw malformedOtlp(`invalid ${name} index: ${shown}: the table has ${starts.length} rows`);
  }

  string(index: number): string {
    let text = this.#strings.get(index);
    if (text === undefined) {
      // An empty table and index 0 is how a message without this text looks.
      text = index === 0 && this.#tables.string.starts.length === 0 ? "" : this.#decodeString(index);
      this.#strings.set(index, text);
    }
    return text;
  }

  attribute(index: number): OtlpAttribute {
    let attribute = this.#attributes.get(index);
    if (attribute === undefined) {
      attribute = readAttribute(this.reader, this.row("attribute", index), "table", (row) =>
        this.string(row),
      );
      this.#attributes.set(index, attribute);
    }
    return attribute;
  }

  link(index: number): OtlpLink {
    let link = this.#links.get(index);
    if (link === undefined) {
      link = this.#readLink(this.row("link", index));
      this.#links.set(index, link);
    }
    return link;
  }

  #decodeString(index: number): string {
    return decodeText(this.reader, this.row("string", index));
  }

  #readLink(range: MessageRange): OtlpLink {
    let traceId = "";
    let spanId = "";
    readMessage(this.reader, range, (tag) => {
      if (tag === lengthTag(1)) traceId = this.#readHex();
      else if (tag === lengthTag(2)) spanId = this.#readHex();
      else return false;
      return true;
    });
    // Of another length it is no trace id; Pyroscope leaves it out, too.
    return { traceId: traceId.length === 32 ? traceId : "", spanId };
  }

  #readHex(): string {
    const { start, end } = readRange(this.reader);
    // A megabyte of id is none, and need not become two megabytes of text.
    const bytes = this.reader.bytes.subarray(start, Math.min(end, start + 64));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}

/** Reads the fields of a message that are integers, by field number; a field that is missing is 0. */
export function readIntegers(
  reader: ProtobufReader,
  range: MessageRange,
  fieldCount: number,
  readOther: (tag: number) => boolean = () => false,
): readonly bigint[] {
  const values = Array.from({ length: fieldCount + 1 }, () => 0n);
  readMessage(reader, range, (tag) => {
    const field = tag >>> 3;
    if (tag !== varintTag(field) || field > fieldCount) return readOther(tag);
    values[field] = reader.int64();
    return true;
  });
  return values;
}
