import { gzipSync } from "node:zlib";
import { formatLabels } from "@pyroscope-ts/protocol";
import { type FastifyInstance, fastify } from "fastify";
import { describe, expect, it } from "vitest";
import { DEFAULT_INGEST_LIMITS } from "../ingest/limits.ts";
import type { PushBatch, PushItemResult } from "../ingest/push-service.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { createBodyBudget } from "./body-budget.ts";
import { ingestRoute } from "./ingest-route.ts";
import { createProfileWriter } from "./profile-writer.ts";
import { setRequestContext } from "./request-context.ts";

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
const URL = "/ingest?name=shop{env=prod}&from=1772366390&spyName=nodespy";
const PPROF = Buffer.from("\u0001pprof");

const refusal = (rest: Partial<Extract<PushItemResult, { ok: false }>>): PushItemResult => ({
  ok: false,
  reason: "malformed_profile",
  code: "invalid_argument",
  message: "sample type contains -",
  isUndecodable: false,
  bytes: 7,
  ...rest,
});

interface Setup {
  readonly result?: PushItemResult;
  readonly bodyLimitBytes?: number;
  readonly maxInflightBytes?: number;
}

async function createServer({
  result = { ok: true, profiles: 1 },
  bodyLimitBytes = 1000,
  maxInflightBytes = 0,
}: Setup = {}) {
  const batches: PushBatch[] = [];
  const { metrics, render } = createMetrics({ isProcessIncluded: false });
  const budget = createBodyBudget(maxInflightBytes);
  const writer = createProfileWriter({
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

const form = (...parts: readonly (readonly [head: string, content: string | Uint8Array])[]) =>
  Buffer.concat([
    ...parts.flatMap(([head, content]) => [
      Buffer.from(`--X\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
      Buffer.from(content as string),
      Buffer.from("\r\n"),
    ]),
    Buffer.from("--X--\r\n"),
  ]);
const MULTIPART = { "content-type": "multipart/form-data; boundary=X" };
const PROFILE_PART = ['name="profile"; filename="profile.pprof"', PPROF] as const;

async function post(
  app: FastifyInstance,
  payload: Uint8Array | string,
  { url = URL, headers = {} }: { url?: string; headers?: Record<string, string> } = {},
) {
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

describe("ingestRoute of text and trees", () => {
  const TEXT_URL = "/ingest?name=my.shop.cpu{env=prod}&from=1772366390&until=1772366400&sampleRate=50";

  it.for([
    ["groups", "", "groups"],
    ["folded", "", "groups"],
    ["collapsed", "", "groups"],
    ["", "text/plain", "groups"],
    ["lines", "", "lines"],
    ["trie", "", "trie"],
    ["", "binary/octet-stream+trie", "trie"],
    ["tree", "", "tree"],
    ["", "binary/octet-stream+tree", "tree"],
  ] as const)("hands format %j of type %j to the ingester as %s", async ([format, type, expected]) => {
    const { app, batches } = await createServer();

    const headers = type === "" ? {} : { "content-type": type };
    expect(await post(app, "a;b 1\n", { url: `${TEXT_URL}&format=${format}`, headers })).toMatchObject({
      status: 200,
      body: "",
    });

    const [item] = batches[0]!.items;
    expect(formatLabels(item!.labels)).toBe('{env="prod", pyroscope_spy="unknown"}');
    expect(item!.format).toEqual({
      kind: "stacks",
      format: expected,
      appName: "my.shop.cpu",
      sampleRateHz: 50,
      fromUnixNanos: 1_772_366_390_000_000_000n,
      untilUnixNanos: 1_772_366_400_000_000_000n,
    });
    expect(Buffer.from(item!.payload).toString()).toBe("a;b 1\n");
  });

  it("hands a speedscope file over, whatever the application's name ends in", async () => {
    const { app, batches } = await createServer();

    await post(app, "{}", { url: "/ingest?name=my.shop&format=speedscope" });

    expect(batches[0]!.items[0]).toMatchObject({ format: { kind: "speedscope", appName: "my.shop" } });
  });

  it("takes gzipped text whose format is named for text", async () => {
    const { app, batches } = await createServer();

    await post(app, gzipSync("a 1"), { url: `${TEXT_URL}&format=folded` });

    expect(batches[0]!.items[0]).toMatchObject({ format: { kind: "stacks", format: "groups" } });
  });

  it("refuses a name that ends in no type with 400, before anything is pushed", async () => {
    const { app, batches } = await createServer();

    // 599 stands for the server's own error handler, which answers this code with 400.
    expect(await post(app, "a 1", { url: "/ingest?name=my.app&format=folded" })).toMatchObject({
      status: 599,
      body: { code: "INVALID_ARGUMENT", message: "unknown profile type: app" },
    });
    expect(batches).toEqual([]);
  });

  it("stores nothing of a profile with a profile_id, whose samples are in another", async () => {
    const { app, batches } = await createServer();

    expect(await post(app, "a 1", { url: "/ingest?name=app{profile_id=7}&format=folded" })).toMatchObject({
      status: 200,
    });
    expect(batches).toEqual([]);
  });

  it.for([
    [
      "folded",
      true,
      422,
      { code: "unknown", message: "parsing IngestInput-groups failed sample type contains -" },
    ],
    ["folded", false, 599, { code: "INVALID_ARGUMENT", message: "sample type contains -" }],
    ["tree", false, 599, { code: "INVALID_ARGUMENT", message: "sample type contains -" }],
    [
      "speedscope",
      false,
      422,
      {
        code: "unknown",
        message:
          "pushing IngestInput-speedscope failed push series with index 0 and id  failed: invalid_argument: sample type contains -",
      },
    ],
  ] as const)(
    "answers a refusal of %s, undecodable: %j, with %d",
    async ([format, isUndecodable, status, body]) => {
      const { app } = await createServer({ result: refusal({ isUndecodable }) });

      expect(await post(app, "a 1", { url: `${TEXT_URL}&format=${format}` })).toMatchObject({ status, body });
    },
  );
});

describe("ingestRoute of pprofs that need a correction", () => {
  const config = (text: string) => [PROFILE_PART, ['name="sample_type_config"; filename="c"', text] as const];

  it.for([
    ["pyspy", "{}", { kind: "spy", fix: "files", spyName: "pyspy" }],
    ["rbspy", "{}", { kind: "spy", fix: "files", spyName: "rbspy" }],
    ["scripting", "{}", { kind: "spy", fix: "files", spyName: "scripting" }],
    ["dotnetspy", "{}", { kind: "spy", fix: "dotnet", spyName: "dotnetspy" }],
    ["unknown", '{"inuse-space":{}}', { kind: "spy", fix: "dotnet", spyName: "unknown" }],
    ["gospy", '{"inuse-space":{}}', undefined],
    ["unknown", '{"inuse_space":{}}', undefined],
  ] as const)("of spy %s with config %s", async ([spyName, text, format]) => {
    const { app, batches } = await createServer();

    await post(app, form(...config(text)), { url: `/ingest?name=a&spyName=${spyName}`, headers: MULTIPART });

    expect(batches[0]!.items[0]!.format).toEqual(format);
  });
});
