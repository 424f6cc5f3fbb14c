import { type AddressInfo, connect } from "node:net";
import { create, PushRequestSchema, toBinary } from "@pyroscope-ts/protocol/messages";
import type { LightMyRequestResponse } from "fastify";
import { describe, expect, it } from "vitest";
import { createTestApp, type TestOptions } from "../../testing/create-test-app.ts";
import { createOnePortServer } from "../port/one-port-server.ts";

const message = (rawProfile: Uint8Array, name = "shop"): Uint8Array =>
  toBinary(
    PushRequestSchema,
    create(PushRequestSchema, {
      series: [{ labels: [{ name: "service_name", value: name }], samples: [{ rawProfile }] }],
    }),
  );

/** What a client sees of an answer; texts name requests by ids that are random. */
function seen({ statusCode, headers, body }: LightMyRequestResponse): unknown {
  const { date: _date, connection: _connection, "transfer-encoding": _coding, ...others } = headers;
  return { statusCode, headers: others, body: body.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID") };
}

async function push(
  options: TestOptions,
  payload: Uint8Array,
  headers: Record<string, string> = {},
): Promise<{ readonly answer: unknown; readonly pushed: unknown; readonly logged: readonly string[] }> {
  const { app, pushed, logLines } = await createTestApp(options);
  const response = await app.inject({
    ...{ method: "POST", url: "/push.v1.PusherService/Push", payload: Buffer.from(payload) },
    headers: { "content-type": "application/proto", ...headers },
  });
  const counted = (await app.inject("/metrics")).body
    .split("\n")
    .filter((line) => /^pyroscope_(distributor|discarded)/.test(line));
  return { answer: seen(response), pushed: [pushed, counted], logged: logLines.map(() => "a line") };
}

const refuse = (rest: object): TestOptions => ({
  storage: {
    push: async () => [
      {
        ...{ ok: false, reason: "malformed_profile", code: "invalid_argument", message: "no profile" },
        ...{ isUndecodable: true, bytes: 3 },
        ...rest,
      } as const,
    ],
  },
});

const PROFILE = Buffer.from("a profile");

describe("createPushShortcut", () => {
  const cases: readonly (readonly [name: string, options: TestOptions, payload: Uint8Array])[] = [
    ["a push", {}, message(PROFILE)],
    ["no profile", {}, message(Buffer.alloc(0))],
    ["no message at all", {}, Buffer.alloc(0)],
    ["what is no protobuf", {}, Buffer.from([0x0a, 0xff])],
    ["very many fields", {}, Buffer.alloc(140_000, Buffer.from([0x0a, 0x00]))],
    ["a large one", { flags: { "ingestion-body-limit-mb": "0.001" } }, message(Buffer.alloc(2000))],
    ["a full memory", { flags: { "max-inflight-mb": "0.004" } }, message(Buffer.alloc(2040))],
    ["a refusal", refuse({}), message(PROFILE)],
    [
      "a refusal for a while",
      refuse({ code: "unavailable", reason: "storage_unavailable", retryAfterSeconds: 7 }),
      message(PROFILE),
    ],
    ["a defect", { storage: { push: () => Promise.reject(new TypeError("a defect")) } }, message(PROFILE)],
    ["several tenants", { flags: { "auth.multitenancy-enabled": "true" } }, message(PROFILE)],
  ];

  it.for(cases)("answers %s as connect-es does", async ([, options, payload]) => {
    const headers = { "x-scope-orgid": "a|b" };

    const shortcut = await push(options, payload, headers);
    // A coding, though it is none, is left to connect-es.
    const connect = await push(options, payload, { ...headers, "content-encoding": "identity" });

    expect(shortcut).toEqual(connect);
  });

  it.for(["end", "resetAndDestroy"] as const)(
    "keeps nothing of a client that breaks off in the middle of its push (%s), and counts it",
    async (breakOff) => {
      const { app, pushed } = await createTestApp({
        serverFactory: (handler) =>
          createOnePortServer(handler, { readTimeoutMs: 60_000, idleTimeoutMs: 60_000, maxConnections: 10 }),
      });
      await app.listen({ host: "127.0.0.1", port: 0 });
      const { port } = app.server.address() as AddressInfo;
      const body = message(PROFILE);
      const metric = async (pattern: RegExp): Promise<string | undefined> =>
        pattern.exec((await app.inject("/metrics")).body)?.[1];
      const inflightBytes = () => metric(/^pyroscope_inflight_body_bytes (\d+)$/m);
      const client = connect(port, "127.0.0.1").on("error", () => undefined);
      client.write(
        "POST /push.v1.PusherService/Push HTTP/1.1\r\nhost: x\r\ncontent-type: application/proto\r\n" +
          `content-length: ${body.length}\r\n\r\n`,
      );
      client.write(body.subarray(0, -1));
      await expect.poll(inflightBytes).toBe(String(body.length - 1));

      client[breakOff]();
      await expect.poll(inflightBytes).toBe("0");

      const counted = () =>
        metric(/^pyroscope_request_duration_seconds_count\{.*push_v1_pusherservice_push.*"499".*\} (\d+)$/m);
      await expect.poll(counted).toBe("1");
      expect(pushed).toEqual([]);
      client.destroy();
      app.server.closeAllConnections();
      await app.close();
    },
  );
});
