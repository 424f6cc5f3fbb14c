import type { Transform } from "node:stream";
import { ReceiverError } from "../../errors.ts";

/** A decompressor of Node, or one like it; `bytesWritten` is what it has consumed. */
export type Decompressor = Transform & { readonly bytesWritten: number };

/**
 * Node ends a stream with what was compressed, and may find out only then that what is behind it is none of it: that error
 * comes when nobody reads any longer, and an event `error` that nobody listens to ends the process.
 */
export function ignoreErrorsBehindTheEnd(decompressor: Decompressor): void {
  decompressor.on("error", () => undefined);
}

/**
 * Node leaves out what is behind the first stream of deflate and brotli. Of gzip it takes all members.
 *
 * @param sentBytes - what the decompressor was given.
 * @throws {@link ReceiverError} `INVALID_ARGUMENT` when it did not take all of it.
 */
export function checkNothingBehind(
  { bytesWritten }: Decompressor,
  encoding: string,
  sentBytes: number,
): void {
  if (encoding.endsWith("gzip") || sentBytes <= bytesWritten) return;
  throw new ReceiverError(
    `decompressing a request body: there are ${sentBytes - bytesWritten} bytes behind the end of the ${encoding} stream ` +
      `of ${bytesWritten} bytes, expected none, and one stream`,
    { code: "INVALID_ARGUMENT" },
  );
}
