import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestApp, type TestApp } from "../../testing/create-test-app.ts";

let server: TestApp;

beforeAll(async () => {
  server = await createTestApp({
    storage: {
      push: async ({ items }) =>
        items.map(() => ({
          ok: false,
          reason: "rate_limited",
          code: "resource_exhausted",
          message: "push rate limit (4.0 MiB) exceeded while adding 12 KiB",
          isUndecodable: false,
          bytes: 12_288,
          retryAfterSeconds: 3,
        })),
    },
  });
});

afterAll(async () => {
  await server.app.close();
});

describe("a push that is above the rate of its tenant", () => {
  it.for([
    {
      url: "/push.v1.PusherService/Push",
      headers: { "content-type": "application/json" },
      payload: JSON.stringify({ series: [{ labels: [], samples: [{ rawProfile: btoa("pprof") }] }] }),
    },
    { url: "/ingest?name=shop&format=pprof", headers: {}, payload: "pprof" },
  ])("is answered 429 with Retry-After on $url, and counted", async (request) => {
    const response = await server.app.inject({ method: "POST", ...request });

    expect([response.statusCode, response.headers["retry-after"]]).toEqual([429, "3"]);
    expect(response.json()).toEqual({
      code: "resource_exhausted",
      message: "push rate limit (4.0 MiB) exceeded while adding 12 KiB",
    });
    const { body } = await server.app.inject({ url: "/metrics" });
    expect(body).toMatch(
      /pyroscope_discarded_samples_total\{reason="rate_limited",tenant="anonymous"\} [12]\n/,
    );
  });
});
