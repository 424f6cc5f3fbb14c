import { describe, expect, it } from "vitest";
import { createTestApp, TOKENS } from "../../testing/create-test-app.ts";

const URL = "/api/v1/applications/delete";

describe("POST /api/v1/applications/delete", () => {
  it("deletes the named application of the tenant and says what is left to do", async () => {
    const { app, asked } = await createTestApp();

    const response = await app.inject({ method: "POST", url: URL, payload: { name: "shop" } });

    expect([response.statusCode, response.json()]).toEqual([
      200,
      { name: "shop", blocks: 2, quarantinedBlocks: 1 },
    ]);
    expect(asked).toEqual([
      { method: "deleteApplication", request: { tenant: "anonymous", service: "shop" } },
    ]);
  });

  it.for([{}, { name: "" }, { name: 3 }, [], "shop"])("refuses %j", async (payload) => {
    const { app, asked } = await createTestApp();
    const headers = { "content-type": "application/json" };

    const response = await app.inject({
      method: "POST",
      url: URL,
      headers,
      payload: JSON.stringify(payload),
    });

    expect([response.statusCode, asked]).toEqual([400, []]);
  });

  it.for([
    ["admin-token", 200],
    ["push-token", 403],
    ["read-token", 403],
    ["nonsense", 401],
  ] as const)("answers the token %s with %i", async ([token, statusCode]) => {
    const { app } = await createTestApp({ flags: { "auth-token": TOKENS } });
    const headers = { authorization: `Bearer ${token}` };

    const response = await app.inject({ method: "POST", url: URL, headers, payload: { name: "shop" } });

    expect(response.statusCode).toBe(statusCode);
  });

  it("takes one tenant, never several", async () => {
    const { app } = await createTestApp({ flags: { "auth.multitenancy-enabled": "true" } });
    const headers = { "x-scope-orgid": "a|b" };

    const response = await app.inject({ method: "POST", url: URL, headers, payload: { name: "shop" } });

    expect(response.statusCode).toBe(400);
  });

  it("refuses a page of another site", async () => {
    const { app } = await createTestApp();
    const headers = { "sec-fetch-site": "cross-site" };

    const response = await app.inject({ method: "POST", url: URL, headers, payload: { name: "shop" } });

    expect(response.statusCode).toBe(403);
  });
});
