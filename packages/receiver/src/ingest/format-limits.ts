import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from "@pyroscope-ts/protocol";
import type { IngestLimits } from "./limits.ts";

/**
 * What decoding a text, a tree or an OTLP request of a tenant may cost. What comes out is checked again as a pprof, in which
 * each frame and each character takes a byte or more: what could not pass there is not unfolded here.
 */
export function toFormatLimits({
  maxSamples,
  maxSymbolBytes,
  maxProfileSizeBytes,
}: IngestLimits): FormatLimits {
  const { maxFrames, maxNameChars } = DEFAULT_FORMAT_LIMITS;
  const maxBytes = maxProfileSizeBytes || Infinity;
  return {
    ...DEFAULT_FORMAT_LIMITS,
    maxSamples: maxSamples || Infinity,
    maxFrames: Math.min(maxFrames, maxBytes),
    maxNameChars: Math.min(maxNameChars, maxBytes),
    maxTreeNameBytes: maxSymbolBytes || Infinity,
    maxTreeChildren: maxSamples || Infinity,
  };
}
