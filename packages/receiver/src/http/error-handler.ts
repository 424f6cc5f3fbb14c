import { Code, ConnectError } from "@connectrpc/connect";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ReceiverError } from "../errors.ts";
import { discardRest } from "./body/read-body.ts";
import { toConnectError } from "./connect-error.ts";
import type { FailureLog } from "./failure-log.ts";
import { getRequestContext } from "./request-context.ts";
import { describeForClient, toReceiverError } from "./to-receiver-error.ts";
import { isGrpc, sendTrailersOnly } from "./trailers-only.ts";

const NOTHING_HERE = "there is nothing at this path";

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
    if (isGrpc(request.headers["content-type"])) {
      return sendTrailersOnly(request, reply, toConnectError(error, requestId));
    }
    if (error.retryAfterSeconds !== undefined) reply.header("retry-after", String(error.retryAfterSeconds));
    return sendJson(reply, error, describeForClient(error, requestId));
  });

  // `unimplemented` is Connect's code for a 404: by it a client knows that a service is not there, and asks an older one.
  app.setNotFoundHandler((request, reply) =>
    isGrpc(request.headers["content-type"])
      ? sendTrailersOnly(request, reply, new ConnectError(NOTHING_HERE, Code.Unimplemented))
      : reply.code(404).send({ code: "unimplemented", message: NOTHING_HERE }),
  );
}

/** Fastify closes the connection of a body that it did not read: a client that still writes would see that in place of the answer. */
function keepConnection(request: FastifyRequest, reply: FastifyReply): void {
  reply.removeHeader("connection");
  discardRest(request.raw);
}

function sendJson(reply: FastifyReply, error: ReceiverError, message: string): FastifyReply {
  return reply.code(error.httpStatus).type("application/json").send({ code: error.connectCode, message });
}
