import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { ReceiverError } from "../../errors.ts";
import type { PushItem, PushItemRefused } from "../../ingest/push-service.ts";
import { type BodyBudget, type BodyReservation, smallerLimit } from "../body/body-budget.ts";
import { type ReadBodyOptions, readBody } from "../body/read-body.ts";
import { getRequestContext } from "../request-context.ts";
import { toReceiverError } from "../to-receiver-error.ts";
import type { IngestFormat } from "./ingest-format.ts";
import { readIngestItem } from "./ingest-item.ts";
import { parseIngestQuery } from "./ingest-query.ts";
import type { ProfileWriter } from "./profile-writer.ts";
import { selectRefusal, toPushError } from "./push-refusal.ts";

/** What {@link ingestRoute} works with. */
export interface IngestRouteOptions {
  readonly writer: ProfileWriter;
  readonly budget: BodyBudget;
}

type IngestRequest = FastifyRequest<{ Querystring: Record<string, string | string[]> }>;

/** `POST /ingest`: the upload endpoint of Pyroscope's clients before the push API. Takes every format that they send. */
export const ingestRoute: FastifyPluginAsync<IngestRouteOptions> = async (app, { writer, budget }) => {
  // The body stays a stream: its limit depends on the tenant, and its bytes are counted as they arrive.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
  app.setErrorHandler((thrown, _request, reply) => sendIngestError(toReceiverError(thrown), reply));

  for (const path of ["/ingest", "/pyroscope/ingest"]) {
    app.post(path, async (request: IngestRequest, reply) => {
      const reservation = budget.open();
      try {
        await ingest(request, writer, reservation, budget.maxBodyBytes);
      } finally {
        reservation.release();
      }
      return reply.code(200).send();
    });
  }
};

async function ingest(
  request: IngestRequest,
  writer: ProfileWriter,
  reservation: BodyReservation,
  maxBodyBytes: number,
): Promise<void> {
  const context = getRequestContext(request);
  const { bodyLimitBytes } = writer.limitsOf(context);
  // A body that the budget can never hold is refused for good, not with a 503 that the client tries again and again.
  const limitBytes = smallerLimit(bodyLimitBytes, maxBodyBytes);
  const read = readRequest(request, { limitBytes, reservation }, writer.nowUnixMillis());
  const { item, format, body } = await read.catch((thrown: unknown) => {
    const error = toReceiverError(thrown);
    writer.refuse(context, error);
    throw error;
  });
  if (item === undefined) return;
  const results = await writer.push(context, [item], () => ({
    path: request.url.replace(/^[^?]*/, "/ingest"),
    contentType: request.headers["content-type"] ?? "",
    body: body.slice(),
  }));
  const refusal = selectRefusal(results);
  if (refusal !== undefined) throw toIngestError(refusal, format);
}

async function readRequest(
  request: IngestRequest,
  options: ReadBodyOptions,
  nowUnixMillis: number,
): Promise<{
  readonly item: PushItem | undefined;
  readonly format: IngestFormat;
  readonly body: Uint8Array;
}> {
  const contentType = request.headers["content-type"] ?? "";
  const query = parseIngestQuery(request.query, contentType, nowUnixMillis);
  const body = await readBody(request.raw, options);
  return { item: readIngestItem(body, query, contentType), format: query.format, body };
}

/** Formats whose profiles, once they are read, are refused with 400 and the bare text. */
const bareFormats: ReadonlySet<IngestFormat> = new Set(["groups", "lines", "trie", "tree"]);

/** Formats that are pprofs to Pyroscope as soon as they are read. */
const pprofFormats: ReadonlySet<IngestFormat> = new Set(["pprof", "multipart", "jfr"]);

/**
 * On this route a profile that was read and refused is 422, and its message has the prefixes of Pyroscope's, except where
 * its format is text or a tree.
 */
function toIngestError(refusal: PushItemRefused, format: IngestFormat): ReceiverError {
  const error = toPushError(refusal);
  if (refusal.code !== "invalid_argument") return error;
  const input = `IngestInput-${pprofFormats.has(format) ? "pprof" : format}`;
  if (refusal.isUndecodable) {
    return new ReceiverError(`parsing ${input} failed ${refusal.message}`, { code: "UNPROCESSABLE" });
  }
  if (bareFormats.has(format)) return error;
  const prefix = pprofFormats.has(format)
    ? `pushing ${input} failed push series with index 0 and id  failed`
    : "pyroscopeIngesterAdapter failed to push";
  return new ReceiverError(`${prefix}: ${refusal.code}: ${refusal.message}`, { code: "UNPROCESSABLE" });
}

/**
 * Answers refusals as this route always has: the code follows from the status, 413 is `invalid_argument` and 422
 * `unknown`. Everything else is the server's error handler's.
 *
 * Source: Pyroscope pkg/util/http/error.go.
 */
function sendIngestError(error: ReceiverError, reply: FastifyReply): FastifyReply {
  const code = { 408: "unknown", 413: "invalid_argument", 415: "unknown", 422: "unknown" }[error.httpStatus];
  if (code === undefined) throw error;
  return reply.code(error.httpStatus).type("application/json").send({ code, message: error.message });
}
