import { fastify, type InjectOptions } from "fastify";
import { describe, expect, it } from "vitest";
import { addMethodGuard } from "./http/method-guard.ts";
import { routes } from "./http/routes.ts";
import { createTestApp, TOKENS, toRequest } from "./testing/create-test-app.ts";

describe("methods", () => {
  it.for(routes)("answers 405 with Allow to every other method of $path", async (route) => {
    const { app } = await createTestApp();
    const others = ["DELETE", "PATCH", "PUT", "OPTIONS", "PROPFIND", route.method === "GET" ? "POST" : "GET"];

    for (const method of others) {
      const request = { ...toRequest(route), method } as InjectOptions;
      const { statusCode, headers } = await app.inject(request);
      const allow = route.method === "GET" ? "GET, HEAD" : "POST";
      expect([statusCode, headers.allow], method).toEqual([405, allow]);
    }
  });

  it("answers 404 to a path that is not in the route table", async () => {
    const { app } = await createTestApp();

    const response = await app.inject({ url: "/admin" });

    expect(response.statusCode).toBe(404);
    expect(response.json()).toEqual({ code: "unimplemented", message: "there is nothing at this path" });
  });

  it.for([
    ["", "//healthz"],
    ["", "///healthz?x=//y"],
    ["/profiles", "/profiles//healthz"],
    ["/profiles", "//profiles/healthz"],
  ] as const)("takes an address that ends in a slash: base URL %j, %s", async ([prefix, url]) => {
    const { app } = await createTestApp({ flags: { "base-url": prefix } });

    expect((await app.inject({ url })).statusCode).toBe(200);
  });

  it("lets no spelling of a path around the policy of its route", async () => {
    const { app } = await createTestApp({ flags: { "auth-token": TOKENS } });

    expect((await app.inject({ url: "//api/v1/doctor" })).statusCode).toBe(401);
  });

  it("does not start with a handler that is not in the route table", () => {
    const app = fastify();
    addMethodGuard(app);

    expect(() => app.get("/secret", async () => "told")).toThrow("route GET /secret: not in the route table");
    expect(() => app.put("/ready", async () => "set")).toThrow("route PUT /ready: not in the route table");
  });

  it("does not start with a row that has no handler", () => {
    const checkRoutes = addMethodGuard(fastify());

    expect(checkRoutes).toThrow("route GET /ready: has no handler");
  });
});

describe("headers", () => {
  it.for(routes)("protects viewers on $method $path, also when it refuses", async (route) => {
    const { app } = await createTestApp({ flags: { "auth-token": TOKENS } });

    const { headers } = await app.inject(toRequest(route));

    expect(headers).toMatchObject({
      "content-security-policy":
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; " +
        "frame-ancestors 'none'; form-action 'self'; base-uri 'self'",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
    expect(headers["strict-transport-security"]).toBeUndefined();
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("tells browsers to stay with TLS when it speaks TLS", async () => {
    const { app } = await createTestApp({
      flags: { "tls-certificate-file": "/cert", "tls-key-file": "/key" },
    });

    const { headers } = await app.inject({ url: "/healthz" });

    expect(headers["strict-transport-security"]).toBe("max-age=31536000");
  });
});

describe("operation routes", () => {
  it("answers /ready, /healthz and build information", async () => {
    const { app } = await createTestApp();

    const [ready, health, build] = await Promise.all(
      ["/ready", "/healthz", "/api/v1/status/buildinfo"].map((url) => app.inject({ url })),
    );

    expect([ready?.statusCode, ready?.body]).toEqual([200, "ready\n"]);
    expect([health?.statusCode, health?.body]).toEqual([200, "ok\n"]);
    expect(build?.json()).toMatchObject({
      status: "success",
      data: { version: "1.2.3", nodeVersion: "24.0.0" },
    });
  });

  it("measures requests by route, never by URL", async () => {
    const { app } = await createTestApp();
    await app.inject({ url: "/label-values?label=secret" });
    await app.inject({ url: "/made-up/by-a-client" });
    await app.inject({
      method: "POST",
      url: "/querier.v1.QuerierService/LabelNames",
      headers: { "content-type": "application/json" },
      payload: "{}",
    });

    const { body, headers } = await app.inject({ url: "/metrics" });

    const counts = body
      .split("\n")
      .filter((line) => line.startsWith("pyroscope_request_duration_seconds_count"));
    expect(headers["content-type"]).toContain("text/plain");
    expect(counts.sort()).toEqual([
      'pyroscope_request_duration_seconds_count{method="GET",route="label_values",status_code="200"} 1',
      'pyroscope_request_duration_seconds_count{method="GET",route="not_found",status_code="404"} 1',
      'pyroscope_request_duration_seconds_count{method="POST",route="querier_v1_querierservice_labelnames",status_code="200"} 1',
    ]);
  });
});
