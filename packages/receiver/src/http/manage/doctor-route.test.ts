import { describe, expect, it } from "vitest";
import { createTestApp } from "../../testing/create-test-app.ts";

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

  it("knows what was refused before a profile was read, and who reads with an old Grafana", async () => {
    const { app } = await createTestApp({});
    const refuse = (url: string, type: string, payload: string) =>
      app.inject({ method: "POST", url, headers: { "user-agent": "c/1", "content-type": type }, payload });
    await refuse("/ingest?name=", "text/plain", "a 1");
    await refuse("/ingest?name=my shop!.cpu", "text/plain", "a 1");
    await refuse("/ingest?name=my.shop", "text/plain", "a 1");
    await refuse(
      "/ingest?name=shop",
      "multipart/form-data; boundary=X",
      '--X\r\nContent-Disposition: form-data; name="prev_profile"; filename="p"\r\n\r\nx\r\n--X--\r\n',
    );
    await refuse("/v1development/profiles", "application/json; charset=utf-8", "{}");
    await refuse("/push.v1.PusherService/Push", "application/json", "{}");
    await app.inject({ url: "/render", headers: { "user-agent": "Grafana/10.2.0" } });

    const { tenants } = (await app.inject({ url: "/api/v1/doctor" })).json();
    const metrics = (await app.inject({ url: "/metrics" })).body;

    const seen = tenants[0].findings.map((finding: { reason: string; count: number; message: string }) => [
      finding.reason,
      finding.count,
      finding.message,
    ]);
    expect(seen).toEqual([
      ["old_grafana", 1, "Grafana/10.2.0 reads profiles, and has no page to explore them"],
      ["malformed_profile", 3, "no profiles received"],
      ["invalid_labels", 3, "unknown profile type: shop"],
    ]);
    expect(metrics).toContain(
      'pyroscope_discarded_samples_total{reason="invalid_labels",tenant="anonymous"} 3',
    );
    expect(metrics).toContain(
      'pyroscope_discarded_samples_total{reason="malformed_profile",tenant="anonymous"} 3',
    );
  });
});
