import { type FastifyInstance, fastify } from "fastify";
import { DEFAULT_INGEST_LIMITS } from "../../ingest/limits.ts";
import type { PushBatch, PushItemResult } from "../../ingest/push-service.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { type BodyBudget, createBodyBudget } from "../body/body-budget.ts";
import { setRequestContext } from "../request-context.ts";
import { ingestRoute } from "../write/ingest-route.ts";
import { createProfileWriter } from "../write/profile-writer.ts";
import { createPushGate } from "../write/push-gate.ts";

/** When the server of these tests is asked. */
export const NOW_MS: number = Date.parse("2026-03-01T12:00:00Z");
/** A push of one pprof. */
export const INGEST_URL = "/ingest?name=shop{env=prod}&from=1772366390&spyName=nodespy";
/** Bytes that stand for a pprof: nothing here decodes them. */
export const PPROF: Buffer = Buffer.from("\u0001pprof");

/** What the ingester answers about a profile that it refuses. */
export const refusal = (rest: Partial<Extract<PushItemResult, { ok: false }>>): PushItemResult => ({
  ok: false,
  reason: "malformed_profile",
  code: "invalid_argument",
  message: "sample type contains -",
  isUndecodable: false,
  bytes: 7,
  ...rest,
});

interface IngestServerOptions {
  readonly result?: PushItemResult;
  readonly bodyLimitBytes?: number;
  readonly maxInflightBytes?: number;
}

interface IngestServer {
  readonly app: FastifyInstance;
  /** What the route handed to the ingester. */
  readonly batches: PushBatch[];
  /** The metrics as text. */
  readonly render: () => Promise<string>;
  readonly budget: BodyBudget;
}

/** The ingest route in front of an ingester that answers `result` to everything. */
export async function createIngestServer({
  result = { ok: true, profiles: 1 },
  bodyLimitBytes = 1000,
  maxInflightBytes = 0,
}: IngestServerOptions = {}): Promise<IngestServer> {
  const batches: PushBatch[] = [];
  const { metrics, render } = createMetrics({ isProcessIncluded: false });
  const budget = createBodyBudget(maxInflightBytes);
  const writer = createProfileWriter({
    gate: createPushGate(0, { monotonicMillis: () => 0 }),
    pushService: {
      push: async (batch) => {
        batches.push(batch);
        return batch.items.map(() => result);
      },
    },
    limitsOf: () => ({ ...DEFAULT_INGEST_LIMITS, bodyLimitBytes }),
    clock: { nowUnixMillis: () => NOW_MS },
    metrics,
  });
  const app = fastify();
  app.addHook("onRequest", async (request) => {
    setRequestContext(request, { tenants: ["acme"], requestId: "r1", client: "test/1" });
  });
  // Stands for the server's: what the route does not answer itself must arrive there.
  app.setErrorHandler((error: Error & { code?: string }, _request, reply) =>
    reply.code(599).send({ code: error.code, message: error.message }),
  );
  await app.register(ingestRoute, { writer, budget });
  return { app, batches, render, budget };
}

/** A multipart body of these parts, with the boundary of {@link MULTIPART}. */
export const form = (...parts: readonly (readonly [head: string, content: string | Uint8Array])[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap(([head, content]) => [
      Buffer.from(`--X\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
      Buffer.from(content as string),
      Buffer.from("\r\n"),
    ]),
    Buffer.from("--X--\r\n"),
  ]);
export const MULTIPART: Readonly<Record<string, string>> = {
  "content-type": "multipart/form-data; boundary=X",
};
export const PROFILE_PART: readonly [head: string, content: Uint8Array] = [
  'name="profile"; filename="profile.pprof"',
  PPROF,
];

interface IngestAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Posts a body to the route. */
export async function post(
  app: FastifyInstance,
  payload: Uint8Array | string,
  { url = INGEST_URL, headers = {} }: { url?: string; headers?: Record<string, string> } = {},
): Promise<IngestAnswer> {
  const response = await app.inject({
    method: "POST",
    url,
    payload: Buffer.from(payload as string),
    headers,
  });
  return {
    status: response.statusCode,
    body: response.body === "" ? "" : response.json(),
    headers: response.headers,
  };
}
