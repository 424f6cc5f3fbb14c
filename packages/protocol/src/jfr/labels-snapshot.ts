import type { LabelInput } from "../profile/profile-builder.ts";
import { ProtobufReader, WIRE_LENGTH, WIRE_VARINT } from "../wire/protobuf-reader.ts";
import { LOSSY_UTF8_DECODER } from "../wire/text-codec.ts";
import { checkJfrLimit, DEFAULT_JFR_LIMITS, type JfrLimits } from "./jfr-limits.ts";

/** The labels that a program put around its work, by the ids that events carry. */
export interface LabelsSnapshot {
  /**
   * Labels of a context; none for an id that the snapshot lacks.
   *
   * @throws {@link ProtocolError} `JFR_LIMIT` for more labels than a sample may have.
   */
  labelsOf(contextId: bigint): readonly LabelInput[];
  /** A text by its id, or "". */
  textOf(stringId: bigint): string;
}

/** Fields 1 and 2 of an entry of a map. */
const KEY = (1 << 3) | WIRE_VARINT;
const VALUE_INTEGER = (2 << 3) | WIRE_VARINT;
const VALUE_LENGTH = (2 << 3) | WIRE_LENGTH;

const CONTEXTS = (1 << 3) | WIRE_LENGTH;
const STRINGS = (2 << 3) | WIRE_LENGTH;
const CONTEXT_LABELS = (1 << 3) | WIRE_LENGTH;

/** Ids of a label's name and value. */
type LabelIds = readonly [name: bigint, value: bigint];

/**
 * Decodes the part `labels` of a Java agent's upload. A label whose name or value has no text is left out; of two
 * entries with one id the last wins.
 *
 * @param bytes - an uncompressed `LabelsSnapshot`; none for no labels.
 * @throws {@link ProtocolError} `WIRE_MALFORMED`.
 *
 * Source: grafana/jfr-parser pprof/jfr_labels.proto: `map<int64, Context> contexts = 1; map<int64, string> strings = 2`,
 * where `Context` is `map<int64, int64> labels = 1`.
 */
export function decodeLabelsSnapshot(
  bytes: Uint8Array,
  limits: Pick<JfrLimits, "maxLabelsPerSample"> = DEFAULT_JFR_LIMITS,
): LabelsSnapshot {
  const reader = new ProtobufReader(bytes);
  const contexts = new Map<bigint, readonly LabelIds[]>();
  const strings = new Map<bigint, string>();
  while (reader.hasMore()) {
    const tag = reader.tag();
    if (tag === CONTEXTS) {
      const ids: LabelIds[] = [];
      contexts.set(
        readEntry(reader, VALUE_LENGTH, () => readContext(reader, ids)),
        ids,
      );
    } else if (tag === STRINGS) {
      let text = "";
      const id = readEntry(reader, VALUE_LENGTH, () => {
        text = readText(reader);
      });
      strings.set(id, text);
    } else {
      reader.skip(tag, 2);
    }
  }
  const textOf = (id: bigint): string => strings.get(id) ?? "";
  return {
    textOf,
    labelsOf(contextId) {
      const ids = contexts.get(contextId) ?? [];
      // A context is cheap to name, and its labels count for each sample that does.
      checkJfrLimit(limits, "maxLabelsPerSample", ids.length);
      return ids
        .map(([name, value]) => ({ key: textOf(name), text: textOf(value) }))
        .filter(({ key, text }) => key !== "" && text !== "");
    },
  };
}

function readContext(reader: ProtobufReader, ids: LabelIds[]): void {
  const outer = reader.enter();
  ids.length = 0;
  while (reader.hasMore()) {
    const tag = reader.tag();
    if (tag !== CONTEXT_LABELS) {
      reader.skip(tag, 1);
      continue;
    }
    let value = 0n;
    const name = readEntry(reader, VALUE_INTEGER, () => {
      value = reader.int64();
    });
    ids.push([name, value]);
  }
  reader.leave(outer);
}

/** Reads an entry of a map; its fields may be missing and come in any order. */
function readEntry(reader: ProtobufReader, valueTag: number, readValue: () => void): bigint {
  const outer = reader.enter();
  let key = 0n;
  while (reader.hasMore()) {
    const tag = reader.tag();
    if (tag === KEY) key = reader.int64();
    else if (tag === valueTag) readValue();
    else reader.skip(tag, 2);
  }
  reader.leave(outer);
  return key;
}

function readText(reader: ProtobufReader): string {
  const end = reader.end();
  const text = LOSSY_UTF8_DECODER.decode(reader.bytes.subarray(reader.position, end));
  reader.position = end;
  return text;
}
