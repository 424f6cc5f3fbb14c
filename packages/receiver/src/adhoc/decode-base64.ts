import { ReceiverError } from "../errors.ts";
import { formatBytes } from "../ingest/format-bytes.ts";

/**
 * Decodes a file that came as base64 text; line breaks in it are fine.
 *
 * @param maxBytes - of the file; 0 for no limit.
 * @throws {@link ReceiverError} INVALID_ARGUMENT for anything else, nothing, and more than `maxBytes`.
 */
export function decodeBase64(text: string, maxBytes: number): Uint8Array {
  const digits = text.replaceAll(/[\r\n]/g, "").replace(/={1,2}$/, "");
  const byteLength = Math.floor((digits.length * 3) / 4);
  if (maxBytes > 0 && byteLength > maxBytes) {
    throw invalid(`profile payload size exceeds limit of ${formatBytes(maxBytes)}`);
  }
  const wrong = /[^A-Za-z0-9+/]/.exec(digits);
  if (wrong !== null) throw invalid(`profile: character ${wrong.index + 1} is not base64`);
  // One digit alone holds six bits, which are no byte.
  if (digits.length % 4 === 1) throw invalid("profile: the base64 text is cut off");
  if (byteLength === 0) throw invalid("profile: an empty file");
  return Buffer.from(digits, "base64");
}

function invalid(message: string): ReceiverError {
  return new ReceiverError(message, { code: "INVALID_ARGUMENT" });
}
