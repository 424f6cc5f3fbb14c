import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { ReceiverError } from "../errors.ts";
import type { PushItem, PushItemRefused } from "../ingest/push-service.ts";
import { type BodyBudget, type BodyReservation, smallerLimit } from "./body-budget.ts";
import { type IngestForm, readIngestForm } from "./ingest-form.ts";
import { type IngestQuery, parseIngestQuery } from "./ingest-query.ts";
import { findBoundary } from "./multipart.ts";
import type { ProfileWriter } from "./profile-writer.ts";
import { selectRefusal, toPushError } from "./push-refusal.ts";
import { readBody } from "./read-body.ts";
import { getRequestContext } from "./request-context.ts";
import { toReceiverError } from "./to-receiver-error.ts";

/** What {@link ingestRoute} works with. */
export interface IngestRouteOptions {
  readonly writer: ProfileWriter;
  readonly budget: BodyBudget;
}

type IngestRequest = FastifyRequest<{ Querystring: Record<string, string | string[]> }>;

/** `POST /ingest`: the upload endpoint of Pyroscope's clients before the push API. Takes pprof, raw or in a form. */
export const ingestRoute: FastifyPluginAsync<IngestRouteOptions> = async (app, { writer, budget }) => {
  // The body stays a stream: its limit depends on the tenant, and its bytes are counted as they arrive.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
  app.setErrorHandler((thrown, _request, reply) => sendIngestError(toReceiverError(thrown), reply));

  for (const path of ["/ingest", "/pyroscope/ingest"]) {
    app.post(path, async (request: IngestRequest, reply) => {
      const reservation = budget.open();
      try {
        await ingest(request, writer, reservation, budget.maxInflightBytes);
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
  maxInflightBytes: number,
): Promise<void> {
  const context = getRequestContext(request);
  const { bodyLimitBytes } = writer.limitsOf(context);
  const contentType = request.headers["content-type"] ?? "";
  const query = parseIngestQuery(request.query, contentType, writer.nowUnixMillis());
  checkFormat(query);
  // A body that the budget can never hold is refused for good, not with a 503 that the client tries again and again.
  const limitBytes = smallerLimit(bodyLimitBytes, maxInflightBytes);
  const body = await readBody(request.raw, { limitBytes, reservation });
  const { profile, sampleTypeConfig } = readProfile(body, query, contentType);
  // A profiler that had nothing to say posts an empty form.
  if (profile.length === 0) return;
  const item: PushItem = {
    labels: query.labels,
    payload: profile,
    id: "",
    ingest: { fromUnixNanos: query.fromUnixNanos, sampleTypeConfig },
  };
  const refusal = selectRefusal(await writer.push(context, [item]));
  if (refusal !== undefined) throw toIngestError(refusal);
}

/** Refuses what cannot be stored before its body is read. `groups` also stands for "not said": see {@link readProfile}. */
function checkFormat({ format }: IngestQuery): void {
  if (format !== "pprof" && format !== "multipart" && format !== "groups") throw unsupportedFormat(format);
}

/**
 * Finds the pprof in a body.
 *
 * Two clients are helped that Pyroscope turns away: one that posts a form under `format=pprof`, and one that posts a
 * gzipped pprof without a format, where only plain text would be expected.
 */
function readProfile(body: Uint8Array, { format }: IngestQuery, contentType: string): IngestForm {
  const raw: IngestForm = { profile: body, sampleTypeConfig: undefined };
  if (body.length === 0) return raw;
  if (format === "groups") {
    if (body[0] === 0x1f && body[1] === 0x8b) return raw;
    throw unsupportedFormat(format);
  }
  const boundary = findBoundary(contentType, body);
  if (boundary !== undefined) return readIngestForm(body, boundary);
  if (format === "pprof") return raw;
  throw new ReceiverError("malformed multipart content type header: no boundary", { code: "UNPROCESSABLE" });
}

function unsupportedFormat(format: string): ReceiverError {
  return new ReceiverError(
    `format ${JSON.stringify(format)} is not taken: send pprof, raw with format=pprof or as part "profile" of a form`,
    { code: "UNSUPPORTED_MEDIA_TYPE" },
  );
}

/** On this route a profile that was read and refused is 422, and its message has the prefixes of Pyroscope's. */
function toIngestError(refusal: PushItemRefused): ReceiverError {
  const error = toPushError(refusal);
  if (refusal.code === "invalid_argument") {
    const message = refusal.isUndecodable
      ? `parsing IngestInput-pprof failed ${refusal.message}`
      : `pushing IngestInput-pprof failed push series with index 0 and id  failed: ${refusal.code}: ${refusal.message}`;
    return new ReceiverError(message, { code: "UNPROCESSABLE" });
  }
  return error;
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
