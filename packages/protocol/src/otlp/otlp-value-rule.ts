import type { ValueType } from "../profile/profile.ts";
import type { OtlpProfileHead } from "./otlp-profile.ts";
import type { OtlpSample } from "./otlp-sample.ts";
import { malformedOtlp } from "./otlp-wire.ts";

/** How the values of a profile become those of ours. */
export interface OtlpValueRule {
  /** `__name__`; "" where the profile has neither. */
  readonly profileName: string;
  readonly sampleType: ValueType;
  /** The one value of a sample. Throws ProtocolError `OTLP_MALFORMED` if it has none. */
  readonly toValue: (sample: OtlpSample) => bigint;
}

/**
 * Decides what the values of a profile mean.
 *
 * Counts of CPU samples become CPU time, and off-CPU time is named so; all else is named by its period type.
 *
 * @throws ProtocolError `OTLP_MALFORMED` for a profile without a sample type.
 *
 * Source: Pyroscope pkg/ingester/otlp/convert.go.
 */
export function resolveValueRule({ sampleType, periodType, period }: OtlpProfileHead): OtlpValueRule {
  if (sampleType === undefined) throw malformedOtlp("sample type is missing");
  const { type, unit } = sampleType;
  const id = [type, unit, periodType?.type ?? "", periodType?.unit ?? ""].join(":");
  switch (id) {
    case "samples:count:cpu:nanoseconds":
      return {
        profileName: "process_cpu",
        sampleType: { type: "cpu", unit: "nanoseconds" },
        toValue: (sample) => singleValue(sample) * period,
      };
    case "off_cpu:nanoseconds::":
      return { profileName: "off_cpu", sampleType, toValue: summedValue };
    default:
      return { profileName: periodType?.type ?? "", sampleType, toValue: singleValue };
  }
}

function singleValue(sample: OtlpSample): bigint {
  const { values, timestampCount } = sample;
  // One value for each timestamp is one sample type all the same: each value is what happened at that time.
  if (values.length > 1 && values.length !== timestampCount) {
    throw malformedOtlp(`sample values length mismatch ${values.length} 1`);
  }
  return summedValue(sample);
}

function summedValue({ values, timestampCount }: OtlpSample): bigint {
  if (values.length > 0) return values.reduce((sum, value) => sum + value, 0n);
  if (timestampCount === 0) throw malformedOtlp("sample value is required");
  return BigInt(timestampCount);
}
