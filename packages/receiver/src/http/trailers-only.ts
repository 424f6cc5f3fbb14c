import type { ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import type { FastifyReply, FastifyRequest } from "fastify";
import { toGrpcError } from "./grpc-error.ts";

/** Whether a content type is one of gRPC or gRPC-Web. */
export function isGrpc(contentType: string | null | undefined): boolean {
  return contentType?.startsWith("application/grpc") ?? false;
}

/**
 * Answers gRPC or gRPC-Web with an error and nothing else: any other HTTP status than 200 would lose the text.
 *
 * The status stands in the head of the answer, which must then end the stream: with an empty body behind it, gRPC for Go and
 * for C take it for a head without trailers, and report an internal error, which agents do not send again.
 *
 * Source: grpc/PROTOCOL-HTTP2.md, Trailers-Only.
 */
export function sendTrailersOnly(
  request: FastifyRequest,
  reply: FastifyReply,
  error: ConnectError,
): FastifyReply {
  reply
    .code(200)
    .type(request.headers["content-type"] ?? "application/grpc")
    .headers(Object.fromEntries(setTrailerStatus(new Headers(), toGrpcError(error))));
  // As bytes: Fastify adds a charset to a type of JSON that goes with a text, and gRPC-Web for Go takes that for another type.
  if (request.raw.httpVersionMajor === 1) return reply.send(Buffer.alloc(0));
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) raw.setHeader(name, value);
  }
  reply.hijack();
  // Without writeHead() before it, Node sends head and end in one frame.
  raw.statusCode = 200;
  raw.end();
  return reply;
}
