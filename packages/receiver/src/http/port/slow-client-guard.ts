import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type Http2ServerRequest } from "node:http2";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

/**
 * Ends requests whose client stops: a body that does not arrive (Node sees to that for HTTP/1.1 only), and a response that
 * is not read. A handler that takes long is not its client's fault and is left alone.
 */
export function addSlowClientGuard(app: FastifyInstance, options: { readonly timeoutMs: number }): void {
  app.addHook("onRequest", async (request) => {
    if (request.raw.httpVersionMajor === 2) limitBodyTime(request.raw, options.timeoutMs);
  });
  app.addHook("onSend", async (request, reply) => {
    limitReadingTime(request.raw, reply.raw, options.timeoutMs);
  });
}

/** How many times as long as without a byte a whole HTTP/2 response may take. */
const WHOLE_RESPONSE_TIMEOUTS = 10;

/**
 * Ends a response when its client takes no byte of it for `timeoutMs`, or for half of it and a little more. Call it when the
 * answer is ready.
 */
export function limitReadingTime(
  request: IncomingMessage,
  response: ServerResponse,
  timeoutMs: number,
): void {
  // Node looks twice, each time after so long, whether what waits to be written became less.
  response.setTimeout(timeoutMs / 2, () => response.destroy());
  if (request.httpVersionMajor === 2) limitWholeTime(response, WHOLE_RESPONSE_TIMEOUTS * timeoutMs);
  else if (request.complete && response.socket !== null) readNothingMeanwhile(response.socket, response);
}

/**
 * A client that does not read may go on to write, and what is read of it would count as a sign of life. A connection sends one
 * answer at a time.
 */
function readNothingMeanwhile(socket: Socket, response: ServerResponse): void {
  socket.pause();
  response.once("close", () => socket.resume());
}

/** Frames of other streams, and answers to pings, count as a sign of life of every stream. */
function limitWholeTime(response: ServerResponse, timeoutMs: number): void {
  const late = setTimeout(() => response.destroy(), timeoutMs);
  late.unref();
  response.once("close", () => clearTimeout(late));
}

function limitBodyTime(request: IncomingMessage, timeoutMs: number): void {
  // Fastify's types name HTTP/1.1; over HTTP/2 it is the compatibility API's request.
  const { stream } = request as unknown as Http2ServerRequest;
  const late = setTimeout(() => {
    if (!request.complete) stream.close(constants.NGHTTP2_CANCEL);
  }, timeoutMs);
  late.unref();
  stream.once("close", () => clearTimeout(late));
}
