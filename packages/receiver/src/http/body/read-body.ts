import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { ReceiverError } from "../../errors.ts";
import type { BodyReservation } from "./body-budget.ts";
import { checkNothingBehind, type Decompressor, ignoreErrorsBehindTheEnd } from "./compressed-end.ts";
import { checkExpansion } from "./expansion-limit.ts";
import { ZstdFrames } from "./zstd-frames.ts";

// Most of what a client sends after its body was refused is thrown away unread, so that it gets to see the answer: closing
// at once resets the connection, and the answer with it. Beyond this the connection is worth less than the reading.
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;

/** Bounds of {@link readBody}. */
export interface ReadBodyOptions {
  /** Largest body, after `Content-Encoding` is undone; 0 for no limit. */
  readonly limitBytes: number;
  /** Takes each chunk before it is kept. The caller releases it when the body is no longer needed. */
  readonly reservation: BodyReservation;
}

/**
 * Reads a whole request body, and undoes `Content-Encoding`: gzip, deflate or zstd.
 *
 * Stops at the limit, during decompression too, and at once when few bytes become very many; what is kept never passes
 * it. The connection stays open for the answer, and what is left of the body flows away.
 *
 * @returns the body in a buffer of its own.
 * @throws {@link ReceiverError} `BODY_TOO_LARGE`, `UNAVAILABLE` (budget), `UNSUPPORTED_MEDIA_TYPE` (another encoding),
 * `INVALID_ARGUMENT` (not what its encoding says, or a bomb), `BODY_TIMEOUT` (the client broke off).
 */
export async function readBody(
  request: IncomingMessage,
  { limitBytes, reservation }: ReadBodyOptions,
): Promise<Uint8Array> {
  const announced = Number(request.headers["content-length"] ?? 0);
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  try {
    if (limitBytes > 0 && announced > limitBytes) throw tooLarge(announced, limitBytes);
    const decompressor = openDecompressor(request);
    const body = decompressor ?? request.iterator({ destroyOnReturn: false });
    const sent = decompressor && countBytes(request);
    for await (const chunk of body) {
      byteLength += chunk.length;
      // Before the budget: what is too large for good must not be answered with a 503.
      if (limitBytes > 0 && byteLength > limitBytes) throw tooLarge(byteLength, limitBytes);
      if (decompressor !== undefined) checkExpansion(decompressor, byteLength);
      reservation.grow(chunk.length);
      chunks.push(chunk);
    }
    if (decompressor !== undefined && sent !== undefined) await checkEnd(request, decompressor, sent);
  } catch (error) {
    discardRest(request);
    throw toBodyError(error, request);
  }
  return joinChunks(chunks, byteLength);
}

/** What undoes the encoding of a request's body, undefined without one. Giving up on it does not destroy the request, which the answer needs. */
function openDecompressor(request: IncomingMessage): Decompressor | undefined {
  const encoding = encodingOf(request);
  switch (encoding) {
    case "identity":
    case "":
      return undefined;
    case "gzip":
    case "x-gzip":
      return decompressed(request, createGunzip());
    case "deflate":
      return decompressed(request, createInflate());
    case "zstd":
      return decompressed(request, new ZstdFrames());
    default:
      throw new ReceiverError(
        `Content-Encoding ${JSON.stringify(encoding)}: expected gzip, deflate, zstd or none`,
        { code: "UNSUPPORTED_MEDIA_TYPE" },
      );
  }
}

function encodingOf({ headers }: IncomingMessage): string {
  return (headers["content-encoding"] ?? "identity").trim().toLowerCase();
}

function decompressed(request: Readable, decompressor: Decompressor): Decompressor {
  ignoreErrorsBehindTheEnd(decompressor);
  // pipe() passes on neither errors nor a connection that breaks off.
  request.once("error", (error) => decompressor.destroy(error));
  request.once("close", () => {
    if (!request.readableEnded) decompressor.destroy(new Error("the client broke off"));
  });
  return request.pipe(decompressor);
}

function countBytes(request: Readable): { readonly byteLength: number } {
  const count = { byteLength: 0 };
  request.on("data", (chunk: Uint8Array) => {
    count.byteLength += chunk.length;
  });
  return count;
}

/** What was compressed may end before the body does: it is known when there is more, or no more. */
async function checkEnd(
  request: IncomingMessage,
  decompressor: Decompressor,
  sent: { readonly byteLength: number },
): Promise<void> {
  // A connection that is closed already says nothing more.
  if (sent.byteLength === decompressor.bytesWritten && !request.readableEnded && !request.closed) {
    await new Promise<void>((resolve) => {
      for (const event of ["data", "end", "error", "close"]) request.once(event, () => resolve());
    });
  }
  checkNothingBehind(decompressor, encodingOf(request), sent.byteLength);
}

/** Lets what is left of a body flow away, so that its client, who may still write, gets to see the answer. */
export function discardRest(request: IncomingMessage): void {
  let left = MAX_DISCARDED_BYTES;
  request.on("data", (chunk: Uint8Array) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  // Whoever read it by an iterator before has left it paused.
  request.resume();
}

function toBodyError(error: unknown, request: IncomingMessage): unknown {
  if (error instanceof ReceiverError || !(error instanceof Error)) return error;
  const code = "code" in error ? String(error.code) : "";
  if (/^(Z_|ZSTD_)/.test(code)) {
    const encoding = request.headers["content-encoding"] ?? "";
    return new ReceiverError(`request body is not a whole ${encoding} stream: ${error.message}`, {
      code: "INVALID_ARGUMENT",
      cause: error,
    });
  }
  if (!request.complete) {
    return new ReceiverError("reading the request body: the client broke off", {
      code: "BODY_TIMEOUT",
      cause: error,
    });
  }
  return error;
}

function tooLarge(byteLength: number, limitBytes: number): ReceiverError {
  return new ReceiverError(`request body too large: at least ${byteLength} bytes, limit ${limitBytes}`, {
    code: "BODY_TOO_LARGE",
  });
}

/** Like Buffer.concat, but never in the slab that Node shares between small Buffers: the result moves to a thread. */
export function joinChunks(chunks: readonly Uint8Array[], byteLength: number): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(byteLength);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
