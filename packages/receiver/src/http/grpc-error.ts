import { ConnectError } from "@connectrpc/connect";
import { RetryInfoSchema } from "@pyroscope-ts/protocol/messages";

// gRPC for C and for Java take 8 KiB of headers, of which this is one, and in whose place they report an error of their own;
// above 64 KiB Node resets the stream. The labels of a profile alone may be 60 KiB.
const MAX_MESSAGE_BYTES = 4096;

/** Begin and end of a text say what it is about and what the limit is: of what is left, two thirds are its begin. */
const BEGIN_SHARE = 2 / 3;

const OMISSION = " … ";

/**
 * An error as clients of gRPC and gRPC-Web can use it: its text fits into a header, and where waiting helps they are told so in
 * their own words. Exporters of OTLP send again what was too much for a limit only when they are.
 *
 * Source: opentelemetry.io/docs/specs/otlp, "OTLP/gRPC Throttling".
 */
export function toGrpcError(error: ConnectError): ConnectError {
  const { code, metadata, cause } = error;
  const retryAfter = metadata.get("retry-after");
  const details =
    retryAfter === null
      ? []
      : [{ desc: RetryInfoSchema, value: { retryDelay: { seconds: BigInt(retryAfter), nanos: 0 } } }];
  return new ConnectError(shortenMessage(error.rawMessage), code, metadata, details, cause);
}

/** A text whose percent-encoded form is no longer than {@link MAX_MESSAGE_BYTES}: what is too much is left out of its middle. */
export function shortenMessage(text: string): string {
  // Halves of a character cannot be encoded.
  const characters = [...Buffer.from(text).toString()];
  const sizes = characters.map((character) => encodeURIComponent(character).length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total <= MAX_MESSAGE_BYTES) return characters.join("");
  const room = MAX_MESSAGE_BYTES - encodeURIComponent(OMISSION).length;
  const begin = countWithin(sizes, room * BEGIN_SHARE);
  const end = countWithin(sizes.toReversed(), room * (1 - BEGIN_SHARE));
  return [...characters.slice(0, begin), OMISSION, ...characters.slice(-end)].join("");
}

/** How many of the first sizes are no more than `limit` together. */
function countWithin(sizes: readonly number[], limit: number): number {
  let sum = 0;
  const over = sizes.findIndex((size) => {
    sum += size;
    return sum > limit;
  });
  return over === -1 ? sizes.length : over;
}
