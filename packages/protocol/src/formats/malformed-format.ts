import { ProtocolError } from "../errors.ts";

/** An error of bytes that are not of the format that they claim to be of. */
export function malformedFormat(message: string, cause?: unknown): ProtocolError {
  return new ProtocolError(message, { code: "FORMAT_MALFORMED", cause });
}

/** The largest value of a sample. */
export const MAX_INT64: bigint = 2n ** 63n - 1n;
