import { ReceiverError } from "../../errors.ts";
import type { Decompressor } from "./compressed-end.ts";

/** So much may come out of a few bytes whatever their ratio: small texts repeat themselves. */
const FREE_BYTES = 1024 * 1024;

/** Profiles shrink 3 to 10 times and the most repetitive text some 100 times; a bomb of zeros 1000 times and more. */
const MAX_RATIO = 200;

/**
 * Stops a decompression bomb while it is small, long before it reaches the limit of a body: twenty at once may cost no
 * more than twenty honest bodies.
 *
 * @param producedBytes - what has come out so far.
 * @throws {@link ReceiverError} `INVALID_ARGUMENT`.
 */
export function checkExpansion(
  { bytesWritten }: Pick<Decompressor, "bytesWritten">,
  producedBytes: number,
): void {
  if (producedBytes <= FREE_BYTES || producedBytes <= bytesWritten * MAX_RATIO) return;
  throw new ReceiverError(
    `decompressing a request body: ${bytesWritten} bytes became at least ${producedBytes}, ` +
      `the limit is ${MAX_RATIO} times as many above ${FREE_BYTES} bytes`,
    { code: "INVALID_ARGUMENT" },
  );
}
