import {
  type ConnectRouter,
  type ConnectRouterOptions,
  createConnectRouter,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { ReceiverError } from "../../errors.ts";
import type { ReceiverLogger } from "../../telemetry/log.ts";
import { type BodyBudget, meterBody } from "../body/body-budget.ts";
import { discardRest } from "../body/read-body.ts";
import { createErrorInterceptor, toConnectError } from "../connect-error.ts";
import type { FailureLog } from "../failure-log.ts";
import { limitReadingTime } from "../port/slow-client-guard.ts";
import { getRequestContext, requestContextKey } from "../request-context.ts";
import type { Shortcut } from "../write/push-shortcut.ts";
import { decodeText, isGrpcWebText, toBinaryHeader, toTextResponse } from "./grpc-web-text.ts";
import { blameMalformedMessage } from "./malformed-message.ts";
import { createMeteredCompressions } from "./metered-compression.ts";
import { createMessageReader, type MessageReader } from "./read-message.ts";
import { readWhole, type WholeBody } from "./read-whole.ts";

/** What connect-es takes as "no limit": the largest length that an envelope can name. */
const NO_LIMIT_BYTES = 0xff_ff_ff_ff;

/** What a 415 names: connect-go does, connect-es does not. */
const ACCEPT_POST =
  "application/json, application/proto, application/grpc, application/grpc+json, application/grpc+proto, " +
  "application/grpc-web, application/grpc-web+json, application/grpc-web+proto, application/grpc-web-text, " +
  "application/grpc-web-text+proto";

/** Options of {@link addConnectServices}. */
export interface ConnectPluginOptions {
  /** Registers the services. */
  readonly addServices: (router: ConnectRouter) => void;
  readonly bodyBudget: BodyBudget;
  /** Largest message, decompressed; 0: no limit. */
  readonly maxMessageBytes: number;
  readonly readTimeoutMs: number;
  /** By path. */
  readonly shortcuts: ReadonlyMap<string, Shortcut>;
  /** Told of a message that no service sees, since it is not protobuf or too large. */
  readonly onUnread?: (
    context: Pick<HandlerContext, "service" | "method" | "values">,
    error: ReceiverError,
  ) => void;
  readonly log: ReceiverLogger;
  readonly logFailure: FailureLog;
}

/**
 * Serves Connect, gRPC and gRPC-Web on the paths of the services.
 *
 * connect-fastify is not used because it gives no hold of a body while it arrives: bodies are counted against the budget
 * chunk by chunk here. It also logs failures with `console.error`.
 */
export async function addConnectServices(app: FastifyInstance, options: ConnectPluginOptions): Promise<void> {
  const compressions = createMeteredCompressions(options.bodyBudget);
  const maxMessageBytes = options.maxMessageBytes === 0 ? NO_LIMIT_BYTES : options.maxMessageBytes;
  const readMessage = createMessageReader({ compressions, maxMessageBytes });
  const routerOptions: ConnectRouterOptions = {
    acceptCompression: compressions,
    readMaxBytes: maxMessageBytes,
    interceptors: [createErrorInterceptor(options.logFailure)],
    requestGate: (context) =>
      blameMalformedMessage(context, (code, message) =>
        options.onUnread?.(context, new ReceiverError(message, { code })),
      ),
  };
  const router = createConnectRouter(routerOptions);
  options.addServices(router);

  const serveOptions = { ...options, maxMessageBytes, readMessage };
  const plugin: FastifyPluginAsync = async (scope) => {
    // Connect reads the body itself, whatever its type, and answers 415 for those it does not know.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
    for (const handler of router.handlers) {
      scope.post(handler.requestPath, (request, reply) => serve(handler, request, reply, serveOptions));
    }
  };
  await app.register(plugin);
}

async function serve(
  handler: UniversalHandler,
  request: FastifyRequest,
  reply: FastifyReply,
  options: ConnectPluginOptions & { readonly readMessage: MessageReader },
): Promise<FastifyReply> {
  const { maxMessageBytes } = options;
  const reservation = options.bodyBudget.open();
  reply.raw.once("close", () => reservation.release());
  const shortcut = options.shortcuts.get(handler.requestPath);
  const whole =
    shortcut?.takes(request) && isWithin(request, maxMessageBytes)
      ? await readWhole(request.raw, reservation)
      : undefined;
  const answered = whole?.bytes && shortcut?.answer(request, reply, whole.bytes);
  if (answered !== undefined) return await answered;
  const { body, header: sent, ...others } = toUniversalRequest(request, reply, whole);
  const isText = isGrpcWebText(sent);
  const header = isText ? toBinaryHeader(sent) : sent;
  const head = { ...others, header };
  const read = (bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> => {
    // What was read before is counted.
    const metered = whole === undefined ? meterBody(bytes, reservation) : bytes;
    const decoded = isText ? decodeText(metered) : metered;
    return options.readMessage({ header, body: decoded, message: handler.method.input, reservation });
  };
  const onError = (error: ReceiverError): void => {
    const { service, method } = handler;
    options.onUnread?.({ service, method, values: head.contextValues ?? createContextValues() }, error);
  };
  const checked = isBytes(body) ? withConnectErrors(read(body), request, onError) : body;
  const binary = await handler({ ...head, body: checked } as UniversalServerRequest);
  // Of a message that is too large not all was read: the next request of the connection is behind it.
  if (request.raw.httpVersionMajor === 1 && !request.raw.readableEnded) discardRest(request.raw);
  const response = isText ? toTextResponse(binary) : binary;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
  if (response.status === 415) reply.raw.setHeader("accept-post", ACCEPT_POST);
  limitReadingTime(request.raw, reply.raw, options.readTimeoutMs);
  reply.hijack();
  // Not awaited: it never settles over HTTP/1.1 (it waits for an event that only HTTP/2 responses have).
  universalResponseToNodeResponse(response, reply.raw).catch((error: unknown) => {
    options.log.debug({ err: error, route: request.routeOptions.url }, "a response could not be sent");
    reply.raw.destroy();
  });
  return reply;
}

/** @param whole - the body where it was read before. */
function toUniversalRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  whole: WholeBody | undefined,
): UniversalServerRequest {
  const values = createContextValues().set(requestContextKey, getRequestContext(request));
  try {
    const universal = universalRequestFromNodeRequest(request.raw, reply.raw, undefined, values);
    if (whole !== undefined) return { ...universal, body: whole.replay() };
    // That of connect-node destroys a request of which not all is read: its connection then reads no other one.
    return request.raw.httpVersionMajor === 1
      ? { ...universal, body: request.raw.iterator({ destroyOnReturn: false }) }
      : universal;
  } catch (error) {
    // The only thing that is parsed here is the URL, from the Host header.
    throw new ReceiverError("the Host header is not a host", { code: "INVALID_ARGUMENT", cause: error });
  }
}

/** Connect takes any other error while a body is read for a defect. */
async function* withConnectErrors(
  body: AsyncIterable<Uint8Array>,
  request: FastifyRequest,
  onError: (error: ReceiverError) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    if (!(error instanceof ReceiverError)) throw error;
    onError(error);
    throw toConnectError(error, getRequestContext(request).requestId);
  }
}

/** Whether the body says how long it is, and may be that long. */
function isWithin({ headers }: FastifyRequest, maxBytes: number): boolean {
  return Number(headers["content-length"]) <= maxBytes;
}

function isBytes(body: UniversalServerRequest["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}
