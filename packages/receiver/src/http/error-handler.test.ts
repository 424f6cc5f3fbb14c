import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { ReceiverError } from "../errors.ts";
import { createTestApp, toRequest } from "../testing/create-test-app.ts";
import { routes } from "./routes.ts";

describe("setErrorHandler", () => {
  it("says what was refused, in Connect's form on REST routes too", async () => {
    const storage = {
      labelValues: async () => {
        throw new ReceiverError("too far back", { code: "INVALID_ARGUMENT" });
      },
    };
    const { app } = await createTestApp({ storage });

    const response = await app.inject({ url: "/label-values?label=x" });

    expect(response.statusCode).toBe(400);
    expect(response.json()).toEqual({ code: "invalid_argument", message: "too far back" });
  });

  it.for([
    ["REST", { url: "/label-values?label=x" }],
    [
      "Connect",
      {
        url: "/querier.v1.QuerierService/LabelValues",
        method: "POST",
        headers: { "content-type": "application/json" },
        payload: '{"name":"x"}',
      },
    ],
  ] as const)(
    "keeps the text of a defect to the log on %s routes and names the request",
    async ([, request]) => {
      const storage = {
        labelValues: async () => {
          throw new TypeError("marker of an internal text");
        },
      };
      const { app, logLines } = await createTestApp({ storage });

      const response = await app.inject(request);

      const message = String(response.json().message);
      const requestId = /request id ([0-9a-f-]{36})$/.exec(message)?.[1];
      expect([response.statusCode, response.json().code]).toEqual([500, "internal"]);
      expect(response.body).not.toContain("marker");
      expect(
        logLines.filter((line) => line.includes("marker") && line.includes(String(requestId))),
      ).toHaveLength(1);
    },
  );

  it.for([
    ["REST", { url: "/label-values?label=x" }],
    [
      "Connect",
      {
        url: "/querier.v1.QuerierService/LabelValues",
        method: "POST",
        headers: { "content-type": "application/json" },
        payload: '{"name":"x"}',
      },
    ],
  ] as const)("asks %s clients to come back when the storage takes nothing", async ([, request]) => {
    const storage = {
      labelValues: async () => {
        throw new ReceiverError("the disk is full", { code: "STORAGE_UNAVAILABLE", retryAfterSeconds: 7 });
      },
    };
    const { app } = await createTestApp({ storage });

    const response = await app.inject(request);

    expect([response.statusCode, response.headers["retry-after"]]).toEqual([503, "7"]);
    expect(response.json()).toEqual({ code: "unavailable", message: "the disk is full" });
  });

  it.for(["application/grpc-web", "application/grpc-web+proto", "application/grpc-web+json"])(
    "answers a path that is not there in the type that was sent, %s",
    async (type) => {
      const { app } = await createTestApp();

      const { headers, statusCode, body } = await app.inject({
        url: "/query.v1.QueryFrontendService/Query",
        method: "POST",
        headers: { "content-type": type },
        payload: Buffer.alloc(5),
      });

      expect([statusCode, headers["content-type"], headers["grpc-status"], body]).toEqual([
        200,
        type,
        "12",
        "",
      ]);
    },
  );

  it("answers 503 where the storage is needed while it cannot be asked, and serves the rest", async () => {
    const readiness = {
      reasons: ["storage: replaying", "and more"],
      checkServing: () => {
        throw new ReceiverError("the server is starting", { code: "UNAVAILABLE" });
      },
    };
    const { app } = await createTestApp({ readiness });

    const statuses = await Promise.all(
      routes.map(async (route) => [route.path, (await app.inject(toRequest(route))).statusCode] as const),
    );
    const ready = await app.inject({ url: "/ready" });

    const unavailable = statuses.filter(([, status]) => status === 503).map(([path]) => path);
    const needing = routes
      .filter(({ policy }) => policy !== "open" && policy !== "any")
      .map(({ path }) => path);
    expect(unavailable).toEqual(["/ready", ...needing]);
    expect([ready.statusCode, ready.body]).toEqual([503, "not ready:\nstorage: replaying\nand more\n"]);
  });

  it.for([
    ["says that it is too large", (length: number) => `content-length: ${length}`, (body: string) => body],
    [
      "turns out to be too large",
      () => "transfer-encoding: chunked",
      (body: string) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    ],
  ] as const)("keeps the connection of a body that %s until it is written", async ([, head, frame]) => {
    const { app } = await createTestApp();
    const { port } = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
    const socket = connect({ host: "127.0.0.1", port: Number(port) });
    let seen = "";
    socket.setEncoding("latin1").on("data", (text) => {
      seen += text;
    });
    const request = (length: number): string =>
      "POST /api/v1/applications/delete HTTP/1.1\r\nhost: test\r\n" +
      `content-type: application/json\r\n${head(length)}\r\n\r\n`;
    const large = "x".repeat(4_000_000);
    const good = '{"name":"shop"}';

    socket.write(request(large.length));
    // Most of the body is written when the answer is there.
    socket.write(frame(large).slice(0, 1_000_000));
    await expect.poll(() => seen, { timeout: 10_000 }).toMatch(/^HTTP\/1.1 413 /);
    socket.write(frame(large).slice(1_000_000));
    socket.write(request(good.length) + frame(good));
    await expect.poll(() => seen, { timeout: 10_000 }).toMatch(/HTTP\/1.1 200 .*"name":"shop"/s);
    socket.destroy();
    await app.close();
  });
});
