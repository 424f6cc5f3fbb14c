import { promisify } from "node:util";
import { createBrotliDecompress, createGunzip, createInflate, deflate, zstdCompress } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { ReceiverError } from "../../errors.ts";
import { type BodyBudget, meterBody } from "../body/body-budget.ts";
import { checkNothingBehind, type Decompressor, ignoreErrorsBehindTheEnd } from "../body/compressed-end.ts";
import { checkExpansion } from "../body/expansion-limit.ts";
import { joinChunks } from "../body/read-body.ts";
import { ZstdFrames } from "../body/zstd-frames.ts";
import { toConnectError } from "../connect-error.ts";

/**
 * The compressions that Connect, gRPC and gRPC-Web clients may use for requests.
 *
 * connect-node's own decompress a message in one call, each up to the largest message, so that twenty small requests
 * at once took 1.3 GB. These do it in steps, and take each step from the budget of bodies in flight until the
 * message is whole; what then becomes of it is the service's to count.
 */
export function createMeteredCompressions(budget: BodyBudget): Compression[] {
  return [
    { ...compressionGzip, decompress: meteredDecompress("gzip", createGunzip, budget) },
    { ...compressionBrotli, decompress: meteredDecompress("br", createBrotliDecompress, budget) },
    {
      name: "zstd",
      compress: promisify(zstdCompress),
      decompress: meteredDecompress("zstd", () => new ZstdFrames(), budget),
    },
    {
      name: "deflate",
      compress: promisify(deflate),
      decompress: meteredDecompress("deflate", createInflate, budget),
    },
  ];
}

/**
 * @throws ConnectError `resource_exhausted`, with connect's text for a message above `readMaxBytes`; `invalid_argument`
 * for bytes that do not decompress or become too many; `unavailable`, with Retry-After, when the budget is spent.
 */
function meteredDecompress(
  name: string,
  createStream: () => Decompressor,
  budget: BodyBudget,
): Compression["decompress"] {
  return async (bytes, readMaxBytes) => {
    if (bytes.length === 0) return new Uint8Array(0);
    const stream = createStream();
    ignoreErrorsBehindTheEnd(stream);
    stream.end(bytes);
    const reservation = budget.open();
    const chunks: Uint8Array[] = [];
    let byteLength = 0;
    try {
      for await (const chunk of meterBody(withinLimit(stream, readMaxBytes), reservation)) {
        byteLength += chunk.length;
        chunks.push(chunk);
      }
      checkNothingBehind(stream, name, bytes.length);
      return joinChunks(chunks, byteLength);
    } catch (error) {
      throw toDecompressError(error);
    } finally {
      reservation.release();
    }
  };
}

async function* withinLimit(stream: Decompressor, readMaxBytes: number): AsyncGenerator<Uint8Array> {
  let byteLength = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    byteLength += chunk.length;
    if (byteLength > readMaxBytes) {
      throw new ConnectError(
        `message is larger than configured readMaxBytes ${readMaxBytes} after decompression`,
        Code.ResourceExhausted,
      );
    }
    checkExpansion(stream, byteLength);
    yield chunk;
  }
}

/** Connect takes whatever is not its own error for a defect. */
function toDecompressError(error: unknown): unknown {
  if (error instanceof ReceiverError) return toConnectError(error, "");
  if (isZlibError(error)) {
    return new ConnectError(`decompressing the message: ${error.message}`, Code.InvalidArgument);
  }
  return error;
}

/** What zlib says of its input: `Z_…` for gzip and deflate, `ZSTD_…`, `ERR__ERROR_…` and `ERR_BROTLI_…` for brotli. */
function isZlibError(error: unknown): error is Error {
  return (
    error instanceof Error && "code" in error && /^(Z_|ZSTD_|ERR__ERROR|ERR_BROTLI)/.test(String(error.code))
  );
}
