import type { ProtobufReader } from "../wire/protobuf-reader.ts";
import type { OtlpAttribute } from "./otlp-dictionary.ts";
import { lengthTag, type MessageRange, readMessage, readRange, readText, varintTag } from "./otlp-wire.ts";

/** Gives a row of the string table. */
type ReadString = (index: number) => string;

/**
 * Reads an attribute. A text, a whole number, and an array of one of these alone can be the value of a label.
 *
 * @param kind - `table`: a KeyValueAndUnit, whose field 1 is the row of its key; `plain`: a KeyValue, whose field 1 is the
 * key and field 3 may be its row.
 *
 * Source: Pyroscope pkg/ingester/otlp/convert.go.
 */
export function readAttribute(
  reader: ProtobufReader,
  range: MessageRange,
  kind: "table" | "plain",
  readString: ReadString,
): OtlpAttribute {
  let key = "";
  let value: MessageRange | undefined;
  readMessage(reader, range, (tag) => {
    if (kind === "plain" && tag === lengthTag(1)) key = readText(reader);
    else if (tag === varintTag(kind === "plain" ? 3 : 1)) key = readString(reader.uint32());
    else if (tag === lengthTag(2)) value = readRange(reader);
    else return false;
    return true;
  });
  return { key, text: value === undefined ? undefined : readValue(reader, value, readString, true) };
}

/** Reads an AnyValue. */
function readValue(
  reader: ProtobufReader,
  range: MessageRange,
  readString: ReadString,
  isArrayAllowed: boolean,
): string | undefined {
  let text: string | undefined;
  readMessage(reader, range, (tag) => {
    if (tag === lengthTag(1)) text = readText(reader);
    else if (tag === varintTag(3)) text = String(reader.int64());
    else if (tag === lengthTag(5) && isArrayAllowed)
      text = readOnlyElement(reader, readRange(reader), readString);
    else if (tag === varintTag(8)) text = readString(reader.uint32());
    else return false;
    return true;
  });
  return text;
}

function readOnlyElement(
  reader: ProtobufReader,
  range: MessageRange,
  readString: ReadString,
): string | undefined {
  let element: MessageRange | undefined;
  let count = 0;
  readMessage(reader, range, (tag) => {
    if (tag !== lengthTag(1)) return false;
    element = readRange(reader);
    count++;
    return true;
  });
  return element === undefined || count !== 1 ? undefined : readValue(reader, element, readString, false);
}
