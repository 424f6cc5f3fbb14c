import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from "@pyroscope-ts/protocol";
import type { IngestLimits } from "./limits.ts";

/** What decoding a text, a tree or an OTLP request of a tenant may cost. What comes out is checked again as a pprof. */
export function toFormatLimits({ maxSamples, maxSymbolBytes }: IngestLimits): FormatLimits {
  return {
    ...DEFAULT_FORMAT_LIMITS,
    maxSamples: maxSamples || Infinity,
    maxTreeNameBytes: maxSymbolBytes || Infinity,
    maxTreeChildren: maxSamples || Infinity,
  };
}
