import { describe, expect, it } from "vitest";
import { createTestApp } from "../testing/create-test-app.ts";

describe("GET /api/v1/doctor", () => {
  it("tells each tenant of its own pushes, over every write path", async () => {
    const { app } = await createTestApp({
      flags: { "auth.multitenancy-enabled": "true" },
      storage: {
        push: async ({ items }) =>
          items.map(() => ({
            ok: false,
            reason: "malformed_profile",
            code: "invalid_argument",
            message: "empty profile",
            isUndecodable: true,
            bytes: 1,
          })),
      },
    });
    const headers = { "x-scope-orgid": "a", "user-agent": "pyroscope-go/1.2.3" };
    await app.inject({ method: "POST", url: "/ingest?name=shop&format=pprof", headers, payload: "x" });
    await app.inject({
      method: "POST",
      url: "/push.v1.PusherService/Push",
      headers: { ...headers, "content-type": "application/json" },
      payload: JSON.stringify({ series: [{ labels: [], samples: [{ rawProfile: btoa("x") }] }] }),
    });

    const response = await app.inject({ url: "/api/v1/doctor", headers: { "x-scope-orgid": "a|b" } });

    expect(response.json()).toMatchObject({
      tenants: [
        {
          tenant: "a",
          findings: [{ reason: "malformed_profile", count: 2, client: "pyroscope-go/1.2.3" }],
          clients: [{ name: "pyroscope-go", version: "1.2.3", requestCount: 2, refusedProfileCount: 2 }],
        },
        { tenant: "b", findings: [], clients: [] },
      ],
    });
  });
});
