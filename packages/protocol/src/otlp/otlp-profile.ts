import { checkFormatLimit, type FormatLimits } from "../formats/format-limits.ts";
import type { ValueType } from "../profile/profile.ts";
import type { ProtobufReader } from "../wire/protobuf-reader.ts";
import type { OtlpDictionary } from "./otlp-dictionary.ts";
import { readIntegers } from "./otlp-dictionary.ts";
import { OLD_LAYOUT_TEXT } from "./otlp-sample.ts";
import {
  checkInt64,
  fixed64Tag,
  lengthTag,
  type MessageRange,
  malformedOtlp,
  readFixed64,
  readMessage,
  readRange,
  varintTag,
} from "./otlp-wire.ts";

/** What a Profile says beside its samples, which are not read yet. */
export interface OtlpProfileHead {
  readonly sampleType: ValueType | undefined;
  readonly periodType: ValueType | undefined;
  readonly period: bigint;
  readonly timeUnixNanos: bigint;
  readonly durationNanos: bigint;
  readonly profileId: Uint8Array;
  readonly samples: readonly MessageRange[];
}

/** Duration of a profile that names none: 10 s. Source: Pyroscope pkg/ingester/otlp/convert.go. */
const DEFAULT_DURATION_NANOS = 10_000_000_000n;

/**
 * Reads a Profile. Its attributes, and the payload that it may have been made of, are not read.
 *
 * @throws ProtocolError `OTLP_MALFORMED` for the layout of before 1.10, whose times had other types.
 */
export function readProfileHead(
  reader: ProtobufReader,
  range: MessageRange,
  dictionary: OtlpDictionary,
  limits: FormatLimits,
): OtlpProfileHead {
  let sampleType: ValueType | undefined;
  let periodType: ValueType | undefined;
  let period = 0n;
  let timeUnixNanos = 0n;
  let durationNanos = 0n;
  let profileId: MessageRange = { start: 0, end: 0 };
  const samples: MessageRange[] = [];
  readMessage(reader, range, (tag) => {
    switch (tag) {
      case lengthTag(1):
        sampleType = readValueType(reader, dictionary);
        return true;
      case lengthTag(2):
        checkFormatLimit(limits, "maxMessages", samples.push(readRange(reader)));
        return true;
      case lengthTag(3):
      case varintTag(3):
        throw malformedOtlp(OLD_LAYOUT_TEXT);
      case fixed64Tag(3):
        timeUnixNanos = checkInt64("time_unix_nano", readFixed64(reader, tag));
        return true;
      case varintTag(4):
        durationNanos = checkInt64("duration_nano", reader.int64());
        return true;
      case lengthTag(5):
        periodType = readValueType(reader, dictionary);
        return true;
      case varintTag(6):
        period = reader.int64();
        return true;
      case lengthTag(7):
        profileId = readRange(reader);
        return true;
      default:
        return false;
    }
  });
  return {
    sampleType,
    periodType: period === 0n ? undefined : periodType,
    period: periodType === undefined ? 0n : period,
    timeUnixNanos,
    durationNanos: durationNanos === 0n ? DEFAULT_DURATION_NANOS : durationNanos,
    profileId: reader.bytes.slice(profileId.start, profileId.end),
    samples,
  };
}

function readValueType(reader: ProtobufReader, dictionary: OtlpDictionary): ValueType {
  const [, type = 0n, unit = 0n] = readIntegers(reader, readRange(reader), 2);
  return { type: dictionary.string(Number(type)), unit: dictionary.string(Number(unit)) };
}
