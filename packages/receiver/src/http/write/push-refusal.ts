import { ReceiverError, type ReceiverErrorCode } from "../../errors.ts";
import type { DiscardCode } from "../../ingest/discard-reasons.ts";
import type { PushItemRefused, PushItemResult } from "../../ingest/push-service.ts";

const errorCodes: { readonly [K in DiscardCode]: ReceiverErrorCode } = {
  invalid_argument: "INVALID_ARGUMENT",
  resource_exhausted: "RESOURCE_EXHAUSTED",
  unavailable: "STORAGE_UNAVAILABLE",
  internal: "INTERNAL",
};

/**
 * The refusal that a request is answered with when several of its profiles were refused.
 *
 * One that is worth sending again goes first: the client then sends all of them again, and those that are stored
 * already count once. Otherwise the first one, as connect-go picks the first coded error.
 */
export function selectRefusal(results: readonly PushItemResult[]): PushItemRefused | undefined {
  const refused = results.filter((result) => !result.ok);
  return refused.find(({ code }) => code === "unavailable") ?? refused[0];
}

/** A refusal as the error that answers the request. */
export function toPushError({ code, message, retryAfterSeconds }: PushItemRefused): ReceiverError {
  return new ReceiverError(message, {
    code: errorCodes[code],
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}
