import { ProtocolError } from "@pyroscope-ts/protocol";
import { errorTable, ReceiverError, type ReceiverErrorCode } from "../errors.ts";

/** Statuses that Fastify refuses requests with by itself, as codes of ours. */
const codesByStatus: ReadonlyMap<number, ReceiverErrorCode> = new Map([
  [404, "NOT_FOUND"],
  [405, "METHOD_NOT_ALLOWED"],
  [408, "BODY_TIMEOUT"],
  [413, "BODY_TOO_LARGE"],
  [415, "UNSUPPORTED_MEDIA_TYPE"],
  [429, "RESOURCE_EXHAUSTED"],
  [503, "UNAVAILABLE"],
]);

/** What was thrown, as an error with a code; whatever is not known is `INTERNAL`. */
export function toReceiverError(thrown: unknown): ReceiverError {
  if (thrown instanceof ReceiverError) return thrown;
  if (thrown instanceof ProtocolError) {
    const code = thrown.code === "PROFILE_OVERFLOW" ? "OUT_OF_RANGE" : "INVALID_ARGUMENT";
    return new ReceiverError(thrown.message, { code, cause: thrown });
  }
  if (isHttpError(thrown)) {
    const isRefusal = thrown.statusCode < 500 || thrown.statusCode === 503;
    const code = codesByStatus.get(thrown.statusCode) ?? (isRefusal ? "INVALID_ARGUMENT" : "INTERNAL");
    return new ReceiverError(thrown.message, { code, cause: thrown });
  }
  return new ReceiverError("an error that no code was written for", { code: "INTERNAL", cause: thrown });
}

/** What a client may read: the text of refusals, and for defects of this program only where the log has more. */
export function describeForClient(error: ReceiverError, requestId: string): string {
  return errorTable[error.code].connectCode === "internal"
    ? `internal error, request id ${requestId}`
    : error.message;
}

function isHttpError(thrown: unknown): thrown is Error & { readonly statusCode: number } {
  return thrown instanceof Error && "statusCode" in thrown && typeof thrown.statusCode === "number";
}
