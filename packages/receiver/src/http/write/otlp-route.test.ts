import { gzipSync } from "node:zlib";
import { fastify } from "fastify";
import { describe, expect, it } from "vitest";
import { DEFAULT_INGEST_LIMITS } from "../../ingest/limits.ts";
import type { PushBatch, PushItemResult } from "../../ingest/push-service.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { createBodyBudget } from "../body/body-budget.ts";
import { setRequestContext } from "../request-context.ts";
import { OTLP_HTTP_PATH, otlpRoute, rewriteOtlpUrl } from "./otlp-route.ts";
import { createProfileWriter } from "./profile-writer.ts";
import { createPushGate } from "./push-gate.ts";

const BODY = Buffer.from("\u0001otlp");
const PROTO = { "content-type": "application/x-protobuf" };

async function createServer(results: readonly PushItemResult[] = [{ ok: true, profiles: 1 }]) {
  const batches: PushBatch[] = [];
  const { metrics } = createMetrics({ isProcessIncluded: false });
  const budget = createBodyBudget(0);
  const writer = createProfileWriter({
    gate: createPushGate(0, { monotonicMillis: () => 0 }),
    pushService: {
      push: async (batch) => {
        batches.push(batch);
        return results;
      },
    },
    limitsOf: () => ({ ...DEFAULT_INGEST_LIMITS, bodyLimitBytes: 1000 }),
    clock: { nowUnixMillis: () => 1 },
    metrics,
  });
  const app = fastify();
  app.addHook("onRequest", async (request) => {
    setRequestContext(request, { tenants: ["acme"], requestId: "r1", client: "otelcol/1" });
  });
  // Stands for the server's: what the route does not answer itself must arrive there.
  app.setErrorHandler((error: Error & { code?: string }, _request, reply) =>
    reply.code(599).send({ code: error.code, message: error.message }),
  );
  await app.register(otlpRoute, { writer, budget });
  const post = async (headers: Record<string, string>, payload: Buffer = BODY) => {
    const response = await app.inject({ method: "POST", url: OTLP_HTTP_PATH, payload, headers });
    const { statusCode, body } = response;
    return { status: statusCode, body, type: response.headers["content-type"] };
  };
  return { batches, budget, post };
}

const refused = (rest: Partial<Extract<PushItemResult, { ok: false }>>): PushItemResult => ({
  ok: false,
  reason: "malformed_profile",
  code: "invalid_argument",
  message: "sample type is missing",
  isUndecodable: false,
  bytes: 5,
  ...rest,
});

describe("otlpRoute", () => {
  it.for([
    ["application/x-protobuf", "proto"],
    ["application/protobuf", "proto"],
    ["application/json", "json"],
  ] as const)("hands a body of %s to the ingester", async ([type, encoding]) => {
    const { batches, post } = await createServer();

    expect(await post({ "content-type": type })).toEqual({
      status: 200,
      body: "",
      type: "application/x-protobuf",
    });

    const [item] = batches[0]!.items;
    expect(item).toMatchObject({ id: "r1", labels: [], format: { kind: "otlp", encoding } });
    expect(Buffer.from(item!.payload)).toEqual(BODY);
  });

  it("takes gzip in any letter case", async () => {
    const { batches, post } = await createServer();

    expect(await post({ ...PROTO, "content-encoding": "GZip" }, gzipSync(BODY))).toMatchObject({
      status: 200,
    });
    expect(Buffer.from(batches[0]!.items[0]!.payload)).toEqual(BODY);
  });

  it("answers 200 to a request without samples", async () => {
    const { post } = await createServer([]);

    expect(await post(PROTO)).toMatchObject({ status: 200 });
  });

  it.for([
    ["another type", { "content-type": "text/plain" }, BODY, 415, "Unsupported Content-Type: text/plain"],
    [
      "a type with a parameter, as Pyroscope",
      { "content-type": "application/json; charset=utf-8" },
      BODY,
      415,
      "Unsupported Content-Type: application/json; charset=utf-8",
    ],
    [
      "what is not gzip",
      { ...PROTO, "content-encoding": "gzip" },
      BODY,
      400,
      "failed to read gzip-compressed request body: request body is not a whole gzip stream: incorrect header check",
    ],
    ["a large body", PROTO, Buffer.alloc(1001), 413, "profile payload size exceeds limit of 1.0 kB"],
    [
      "a body that inflates",
      { ...PROTO, "content-encoding": "gzip" },
      gzipSync(Buffer.alloc(1001)),
      413,
      "uncompressed profile payload size exceeds limit of 1.0 kB",
    ],
  ] as const)("refuses %s in plain text", async ([, headers, body, status, message]) => {
    const { batches, budget, post } = await createServer();

    expect(await post(headers, body)).toEqual({ status, body: message, type: "text/plain; charset=utf-8" });
    expect([batches, budget.inflightBytes]).toEqual([[], 0]);
  });

  it.for([
    ["an export that does not decode", refused({ isUndecodable: true }), 400, "sample type is missing"],
    [
      "a profile that breaks a rule",
      refused({}),
      400,
      "failed to make a GRPC request: push series with index 0 and id r1 failed: invalid_argument: sample type is missing",
    ],
    ["a limit", refused({ code: "resource_exhausted", message: "too many" }), 429, "too many"],
  ] as const)("answers %s in plain text", async ([, result, status, body]) => {
    const { post } = await createServer([{ ok: true, profiles: 1 }, result]);

    expect(await post(PROTO)).toMatchObject({ status, body });
  });

  it("leaves failures of the server to the server", async () => {
    const { post } = await createServer([refused({ code: "unavailable", message: "disk full" })]);

    expect(await post(PROTO)).toMatchObject({
      status: 599,
      body: expect.stringContaining("STORAGE_UNAVAILABLE"),
    });
  });
});

describe("rewriteOtlpUrl", () => {
  const GRPC = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export";

  it("sends bodies of OTLP over HTTP to its path, and leaves gRPC and Connect alone", () => {
    expect(rewriteOtlpUrl(GRPC, "application/json")).toBe(OTLP_HTTP_PATH);
    expect(rewriteOtlpUrl(GRPC, "application/x-protobuf")).toBe(OTLP_HTTP_PATH);
    expect(rewriteOtlpUrl(GRPC, "application/grpc")).toBe(GRPC);
    expect(rewriteOtlpUrl(GRPC, "application/proto")).toBe(GRPC);
    expect(rewriteOtlpUrl(GRPC, undefined)).toBe(GRPC);
    expect(rewriteOtlpUrl("/ingest", "application/json")).toBe("/ingest");
  });
});
