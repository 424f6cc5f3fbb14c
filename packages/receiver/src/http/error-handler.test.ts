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
});
