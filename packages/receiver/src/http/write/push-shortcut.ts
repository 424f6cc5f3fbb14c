import { fromBinary } from "@bufbuild/protobuf";
import { codeToHttpStatus, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { type PushRequest, PushRequestSchema } from "@pyroscope-ts/protocol/messages";
import type { FastifyReply, FastifyRequest } from "fastify";
import { checkFieldCount } from "../body/message-fields.ts";
import { toAnsweredError } from "../connect-error.ts";
import type { FailureLog } from "../failure-log.ts";
import { limitReadingTime } from "../port/slow-client-guard.ts";
import { getRequestContext } from "../request-context.ts";
import type { PushCall } from "./push-route.ts";

/** What {@link createPushShortcut} works with. */
export interface PushShortcutOptions {
  readonly push: PushCall;
  readonly readTimeoutMs: number;
  readonly logFailure: FailureLog;
}

/** A way to answer requests of one path without connect-es. */
export interface Shortcut {
  /** Whether the request can go this way, as far as its head tells. */
  takes(request: FastifyRequest): boolean;
  /** @returns undefined for a body that connect-es is to answer. */
  answer(request: FastifyRequest, reply: FastifyReply, body: Uint8Array): Promise<FastifyReply> | undefined;
}

/**
 * The way of nearly every push: a Connect call over HTTP/1.1, protobuf, not compressed as a whole. connect-es makes
 * headers, signals and streams for a call, which take half of the time that this thread has for a push. What differs in
 * anything, or is no message, goes to connect-es, and the answers are the same.
 */
export function createPushShortcut({ push, readTimeoutMs, logFailure }: PushShortcutOptions): Shortcut {
  const run = async (
    message: PushRequest,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> => {
    const context = getRequestContext(request);
    let answer: Answer;
    try {
      const headers = await push(message, context, (name) => String(request.headers[name] ?? "") || null);
      answer = { status: 200, headers: { "content-type": "application/proto", ...headers }, body: NOTHING };
    } catch (thrown) {
      const route = request.routeOptions.url ?? "";
      const error = toAnsweredError(thrown, { route, requestId: context.requestId }, logFailure);
      answer = {
        status: codeToHttpStatus(error.code),
        headers: { "content-type": "application/json", ...Object.fromEntries(error.metadata) },
        body: errorToJsonBytes(error, undefined),
      };
    }
    send(answer, request, reply, readTimeoutMs);
    return reply;
  };
  return {
    takes: ({ headers, raw }) =>
      raw.httpVersionMajor === 1 &&
      headers["content-type"] === "application/proto" &&
      headers["content-encoding"] === undefined &&
      headers["connect-timeout-ms"] === undefined,
    answer(request, reply, body) {
      const message = decodePush(body);
      return message && run(message, request, reply);
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const NOTHING = new Uint8Array(0);

function decodePush(body: Uint8Array): PushRequest | undefined {
  try {
    checkFieldCount(body, "proto", PushRequestSchema);
    return fromBinary(PushRequestSchema, body);
  } catch {
    return undefined;
  }
}

function send(
  { status, headers, body }: Answer,
  request: FastifyRequest,
  reply: FastifyReply,
  readTimeoutMs: number,
): void {
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) raw.setHeader(name, value);
  }
  limitReadingTime(request.raw, raw, readTimeoutMs);
  reply.hijack();
  raw.writeHead(status, { ...headers, "content-length": body.length });
  raw.end(body);
}
