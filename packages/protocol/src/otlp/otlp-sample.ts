import { checkFormatLimit, type FormatLimits } from "../formats/format-limits.ts";
import type { ProtobufReader } from "../wire/protobuf-reader.ts";
import {
  fixed64Tag,
  lengthTag,
  type MessageRange,
  malformedOtlp,
  readFixed64,
  readMessage,
  readRange,
  readRepeated,
  varintTag,
} from "./otlp-wire.ts";

/** One sample, as it stands in a request. */
export interface OtlpSample {
  readonly stackIndex: number;
  readonly attributeIndices: readonly number[];
  /** 0 for none. */
  readonly linkIndex: number;
  readonly values: readonly bigint[];
  readonly timestampCount: number;
}

/** What a client is told whose layout is older. */
export const OLD_LAYOUT_TEXT: string =
  "the profile has the layout of OTLP before 1.10, whose field numbers mean something else now: " +
  "update the profiler or collector to one that sends OTLP 1.10 or newer";

/**
 * Reads a sample.
 *
 * Before 1.10 the fields behind the first were values = 2, attribute_indices = 3 and link_index = 4: without a
 * look at the wire types such a sample decodes to nonsense. Attributes as a single number, or a single number for values, is
 * nothing that a writer of either layout writes otherwise: both pack them.
 *
 * @throws ProtocolError `OTLP_MALFORMED` for the older layout, `FORMAT_LIMIT` for too many attributes or values.
 */
export function readSample(reader: ProtobufReader, range: MessageRange, limits: FormatLimits): OtlpSample {
  let stackIndex = 0;
  let linkIndex = 0;
  let timestampCount = 0;
  const attributeIndices: number[] = [];
  const values: bigint[] = [];
  readMessage(reader, range, (tag) => {
    if (tag === lengthTag(3) || tag === varintTag(4)) throw malformedOtlp(OLD_LAYOUT_TEXT);
    if (tag === varintTag(1)) stackIndex = reader.uint32();
    else if (tag === varintTag(3)) linkIndex = reader.uint32();
    else if (tag === lengthTag(5) || tag === fixed64Tag(5)) timestampCount += readTimestamps(reader, tag);
    else {
      return (
        readRepeated(reader, 2, tag, () =>
          checkFormatLimit(limits, "maxMessages", attributeIndices.push(reader.uint32())),
        ) ||
        readRepeated(reader, 4, tag, () =>
          checkFormatLimit(limits, "maxMessages", values.push(reader.int64())),
        )
      );
    }
    return true;
  });
  return { stackIndex, attributeIndices, linkIndex, values, timestampCount };
}

/** Only how many there are matters: each is one event. */
function readTimestamps(reader: ProtobufReader, tag: number): number {
  if (tag === fixed64Tag(5)) {
    readFixed64(reader, tag);
    return 1;
  }
  const { start, end } = readRange(reader);
  const count = (end - start) / 8;
  if (!Number.isInteger(count))
    throw malformedOtlp(`timestamps at byte ${start}: ${end - start} bytes, expected eights`);
  return count;
}
