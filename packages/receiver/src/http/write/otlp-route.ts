import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { ReceiverError } from "../../errors.ts";
import { formatBytes } from "../../ingest/format-bytes.ts";
import { type BodyBudget, type BodyReservation, smallerLimit } from "../body/body-budget.ts";
import { readBody } from "../body/read-body.ts";
import { getRequestContext } from "../request-context.ts";
import { toReceiverError } from "../to-receiver-error.ts";
import type { CopiedRequest, ProfileWriter } from "./profile-writer.ts";
import { selectRefusal, toPushError } from "./push-refusal.ts";

/** Path of OTLP over HTTP. */
export const OTLP_HTTP_PATH = "/v1development/profiles";

/** Path of OTLP over gRPC, which takes the bodies of OTLP over HTTP as well. */
const OTLP_GRPC_PATH = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export";

/** Each exactly so: parameters are refused, as Pyroscope refuses them. */
const encodings: ReadonlyMap<string, "json" | "proto"> = new Map([
  ["application/json", "json"],
  ["application/x-protobuf", "proto"],
  ["application/protobuf", "proto"],
]);

/** What {@link otlpRoute} works with. */
export interface OtlpRouteOptions {
  readonly writer: ProfileWriter;
  readonly budget: BodyBudget;
}

/**
 * Where a request for the gRPC path goes: one with a body of OTLP over HTTP to the path of that, any other stays.
 *
 * @param url - path and query.
 */
export function rewriteOtlpUrl(url: string, contentType: string | undefined): string {
  return url === OTLP_GRPC_PATH && encodings.has(contentType ?? "") ? OTLP_HTTP_PATH : url;
}

/**
 * `POST /v1development/profiles`: OTLP profiles as protobuf or JSON. Refusals are plain text.
 *
 * Source: Pyroscope pkg/ingester/otlp/ingest_handler.go.
 */
export const otlpRoute: FastifyPluginAsync<OtlpRouteOptions> = async (app, { writer, budget }) => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
  app.setErrorHandler((thrown, _request, reply) => sendOtlpError(toReceiverError(thrown), reply));

  app.post(OTLP_HTTP_PATH, async (request, reply) => {
    const reservation = budget.open();
    try {
      await exportProfiles(request, writer, reservation, budget.maxBodyBytes);
    } finally {
      reservation.release();
    }
    return reply.code(200).type("application/x-protobuf").send();
  });
};

async function exportProfiles(
  request: FastifyRequest,
  writer: ProfileWriter,
  reservation: BodyReservation,
  maxBodyBytes: number,
): Promise<void> {
  const context = getRequestContext(request);
  const limitBytes = smallerLimit(writer.limitsOf(context).bodyLimitBytes, maxBodyBytes);
  const read = readExport(request, limitBytes, reservation);
  const { encoding, payload } = await read.catch((thrown: unknown) => {
    const error = toReceiverError(thrown);
    writer.refuse(context, error);
    throw error;
  });
  const id = context.requestId;
  const item = { labels: [], payload, id, format: { kind: "otlp" as const, encoding } };
  const results = await writer.push(context, [item], () => copyOtlp(payload, encoding));
  const refusal = selectRefusal(results);
  if (refusal === undefined) return;
  if (refusal.isUndecodable || refusal.code !== "invalid_argument") throw toPushError(refusal);
  const message = `failed to make a GRPC request: push series with index 0 and id ${id} failed: ${refusal.code}: ${refusal.message}`;
  throw new ReceiverError(message, { code: "INVALID_ARGUMENT" });
}

/** Over whatever protocol it came, it goes on as OTLP over HTTP. */
export function copyOtlp(payload: Uint8Array, encoding: "json" | "proto"): CopiedRequest {
  const contentType = encoding === "json" ? "application/json" : "application/x-protobuf";
  return { path: OTLP_HTTP_PATH, contentType, body: payload.slice() };
}

async function readExport(
  request: FastifyRequest,
  limitBytes: number,
  reservation: BodyReservation,
): Promise<{ readonly encoding: "json" | "proto"; readonly payload: Uint8Array }> {
  const contentType = request.headers["content-type"] ?? "";
  const encoding = encodings.get(contentType);
  if (encoding === undefined) {
    throw new ReceiverError(`Unsupported Content-Type: ${contentType}`, { code: "UNSUPPORTED_MEDIA_TYPE" });
  }
  try {
    return { encoding, payload: await readBody(request.raw, { limitBytes, reservation }) };
  } catch (error) {
    if (!(error instanceof ReceiverError)) throw error;
    if (error.code === "BODY_TOO_LARGE") {
      const isCompressed = request.headers["content-encoding"] !== undefined;
      const subject = isCompressed ? "uncompressed profile payload" : "profile payload";
      throw new ReceiverError(`${subject} size exceeds limit of ${formatBytes(limitBytes)}`, {
        code: error.code,
        cause: error,
      });
    }
    if (error.code !== "INVALID_ARGUMENT") throw error;
    throw new ReceiverError(`failed to read gzip-compressed request body: ${error.message}`, {
      code: error.code,
      cause: error,
    });
  }
}

/** Refusals of this protocol are plain text; what the server refuses for itself has the server's form. */
function sendOtlpError(error: ReceiverError, reply: FastifyReply): FastifyReply {
  const isOwn = [400, 408, 413, 415, 429].includes(error.httpStatus);
  if (!isOwn) throw error;
  if (error.retryAfterSeconds !== undefined) reply.header("retry-after", error.retryAfterSeconds);
  return reply.code(error.httpStatus).type("text/plain; charset=utf-8").send(error.message);
}
