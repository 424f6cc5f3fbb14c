import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ReceiverError } from "../../errors.ts";
import type { FailureLog } from "../failure-log.ts";
import { limitReadingTime } from "../port/slow-client-guard.ts";
import { getRequestContext } from "../request-context.ts";
import { findRoute } from "../routes.ts";
import type { ProfileWriter } from "./profile-writer.ts";

/** Options of {@link addPushGuard}. */
export interface PushGuardOptions {
  readonly writer: Pick<ProfileWriter, "checkRoom">;
  readonly readTimeoutMs: number;
  readonly logFailure: FailureLog;
}

/** Answers pushes 503 before their bodies are read, while more is pushed than can be stored. */
export function addPushGuard(app: FastifyInstance, options: PushGuardOptions): void {
  app.addHook("onRequest", async (request, reply) => {
    if (findRoute(request.routeOptions.url)?.policy !== "push") return;
    try {
      options.writer.checkRoom(getRequestContext(request));
    } catch (error) {
      if (!(error instanceof ReceiverError) || !isPlain(request)) throw error;
      refuse(error, request, reply, options);
    }
  });
}

/** Whether an answer of plain HTTP will do: gRPC has its own. */
function isPlain({ raw, headers }: FastifyRequest): boolean {
  return raw.httpVersionMajor === 1 && headers["content-type"]?.startsWith("application/grpc") !== true;
}

/**
 * The answer that the error handler would give, for less: thousands of refusals a second must leave time for what is
 * accepted (without serializers and hooks that take no part, a refusal takes two thirds of the time).
 */
function refuse(
  error: ReceiverError,
  request: FastifyRequest,
  reply: FastifyReply,
  { logFailure, readTimeoutMs }: PushGuardOptions,
): void {
  const { requestId } = getRequestContext(request);
  logFailure(error, { method: request.method, route: request.routeOptions.url, requestId });
  const body = JSON.stringify({ code: error.connectCode, message: error.message });
  reply.hijack();
  limitReadingTime(request.raw, reply.raw, readTimeoutMs);
  reply.raw.writeHead(error.httpStatus, {
    ...(reply.getHeaders() as Record<string, string>),
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "retry-after": String(error.retryAfterSeconds),
  });
  reply.raw.end(body);
}
