import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type Http2ServerRequest } from "node:http2";
import type { FastifyInstance } from "fastify";

/**
 * Ends requests whose client stops: a body that does not arrive (Node sees to that for HTTP/1.1 only), and a response that
 * is not read. A handler that takes long is not its client's fault and is left alone.
 */
export function addSlowClientGuard(app: FastifyInstance, options: { readonly timeoutMs: number }): void {
  app.addHook("onRequest", async (request) => {
    if (request.raw.httpVersionMajor === 2) limitBodyTime(request.raw, options.timeoutMs);
  });
  app.addHook("onSend", async (_request, reply) => {
    limitReadingTime(reply.raw, options.timeoutMs);
  });
}

/** Ends a response when its client takes no byte of it for `timeoutMs`. Call it when the answer is ready. */
export function limitReadingTime(response: ServerResponse, timeoutMs: number): void {
  response.setTimeout(timeoutMs, () => response.destroy());
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
