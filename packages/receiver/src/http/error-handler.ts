import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ConnectCodeName, ReceiverError } from "../errors.ts";
import { discardRest } from "./body/read-body.ts";
import type { FailureLog } from "./failure-log.ts";
import { getRequestContext } from "./request-context.ts";
import { describeForClient, toReceiverError } from "./to-receiver-error.ts";

/** Source: grpc.io/docs/guides/status-codes. */
const grpcStatuses: { readonly [K in ConnectCodeName]: number } = {
  canceled: 1,
  unknown: 2,
  invalid_argument: 3,
  deadline_exceeded: 4,
  not_found: 5,
  already_exists: 6,
  permission_denied: 7,
  resource_exhausted: 8,
  out_of_range: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
};

/**
 * Answers every error of a REST route, and those of Connect routes that happen before Connect sees the request:
 * `{"code","message"}` as Connect writes it, or a trailers-only response for gRPC.
 */
export function setErrorHandler(app: FastifyInstance, logFailure: FailureLog): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = toReceiverError(thrown);
    const requestId = getRequestContext(request).requestId;
    if (error.httpStatus >= 500) {
      logFailure(error, { method: request.method, route: request.routeOptions.url, requestId });
    }
    if (error.code === "BODY_TOO_LARGE") keepConnection(request, reply);
    if (error.retryAfterSeconds !== undefined) reply.header("retry-after", String(error.retryAfterSeconds));
    const message = describeForClient(error, requestId);
    return isGrpc(request) ? sendGrpc(request, reply, error, message) : sendJson(reply, error, message);
  });

  // `unimplemented` is Connect's code for a 404: by it a client knows that a service is not there, and asks an older one.
  app.setNotFoundHandler((_request, reply) => {
    return reply.code(404).send({ code: "unimplemented", message: "there is nothing at this path" });
  });
}

/** Fastify closes the connection of a body that it did not read: a client that still writes would see that in place of the answer. */
function keepConnection(request: FastifyRequest, reply: FastifyReply): void {
  reply.removeHeader("connection");
  discardRest(request.raw);
}

function sendJson(reply: FastifyReply, error: ReceiverError, message: string): FastifyReply {
  return reply.code(error.httpStatus).type("application/json").send({ code: error.connectCode, message });
}

/** gRPC carries its status in headers; any other HTTP status than 200 would lose the message. */
function sendGrpc(
  request: FastifyRequest,
  reply: FastifyReply,
  error: ReceiverError,
  message: string,
): FastifyReply {
  return reply
    .code(200)
    .type(request.headers["content-type"] ?? "application/grpc")
    .header("grpc-status", String(grpcStatuses[error.connectCode]))
    .header("grpc-message", encodeURIComponent(message))
    .send("");
}

function isGrpc(request: FastifyRequest): boolean {
  return request.headers["content-type"]?.startsWith("application/grpc") ?? false;
}
