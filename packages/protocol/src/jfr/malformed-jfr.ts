import { ProtocolError } from "../errors.ts";

/** The error for bytes that are not the recording they claim to be. */
export function malformedJfr(message: string): ProtocolError {
  return new ProtocolError(`decoding a JFR recording: ${message}`, { code: "JFR_MALFORMED" });
}
