import type { InjectOptions } from "fastify";
import { beforeAll, describe, expect, it } from "vitest";
import { createTestApp, type TestApp, TOKENS, toRequest } from "../testing/create-test-app.ts";
import { routes } from "./routes.ts";

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

describe("addAccessHook", () => {
  const credentials = [
    { name: "no token", headers: {}, allows: [] },
    { name: "an unknown token", headers: bearer("guess"), allows: [] },
    { name: "the push token", headers: bearer("push-token"), allows: ["push", "any"] },
    { name: "the read token", headers: bearer("read-token"), allows: ["read", "any"] },
    {
      name: "the read token as a password",
      headers: { authorization: `Basic ${btoa("me:read-token")}` },
      allows: ["read", "any"],
    },
  ] as const;
  const sweep = routes.flatMap((route) =>
    credentials.map((credential) => ({ route, credential, name: credential.name, ...route })),
  );

  let shared: TestApp;
  beforeAll(async () => {
    shared = await createTestApp({ flags: { "auth-token": TOKENS } });
  });

  it.for(sweep)("judges $method $path ($policy) with $name by the policy of the route", async (row) => {
    const { route, credential } = row;
    const { app } = shared;
    const allowed: readonly string[] = credential.allows;
    const isKnown = allowed.length > 0;

    const { statusCode, headers } = await app.inject(toRequest(route, credential.headers));

    const isAllowed = route.policy === "open" || allowed.includes(route.policy);
    const isRefused = statusCode === 401 || statusCode === 403;
    expect({ isRefused, statusCode }).toEqual({
      isRefused: !isAllowed,
      statusCode: isAllowed ? statusCode : isKnown ? 403 : 401,
    });
    expect(headers["www-authenticate"] !== undefined).toBe(statusCode === 401);
  });

  const closed = routes.filter(({ policy }) => policy !== "open");
  const spellings: readonly ((path: string) => string)[] = [
    (path) => `/${path}`,
    (path) => `${path}/`,
    (path) => `${path}//`,
    (path) => path.toUpperCase(),
    (path) => path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    (path) => path.replace(/(.)\//, "$1%2f"),
    (path) => `/%2e${path}`,
    (path) => `/.${path}`,
    (path) => `/x/..${path}`,
    (path) => `/assets/..${path}`,
    (path) => `/assets/%2e%2e${path}`,
    (path) => `${path};x=1`,
    (path) => `${path}%00`,
    (path) => `${path}?token=push-token`,
    (path) => `${path}#x`,
    (path) => path.replaceAll("/", "\\"),
  ];

  it.for(closed)("lets no spelling of $path in without a token", async (route) => {
    const { app, pushed, asked } = shared;
    const before = [pushed.length, asked.length];

    for (const method of ["GET", "POST", "HEAD", "OPTIONS", "PUT"] as const) {
      for (const spell of spellings) {
        const request = { ...toRequest(route), url: spell(route.path), method };
        const { statusCode } = await app.inject(request);
        expect([400, 401, 404, 405, 415], `${method} ${request.url}`).toContain(statusCode);
      }
    }

    expect([pushed.length, asked.length]).toEqual(before);
  });

  it("asks a page's fetch for a Bearer token only, so that no browser shows its own dialog", async () => {
    const { app } = await createTestApp({ flags: { "auth-token": TOKENS } });

    const navigation = await app.inject({ url: "/render" });
    const fetched = await app.inject({ url: "/render", headers: { "sec-fetch-dest": "empty" } });

    expect(navigation.headers["www-authenticate"]).toEqual([
      'Bearer realm="pyroscope"',
      'Basic realm="pyroscope", charset="UTF-8"',
    ]);
    expect(fetched.headers["www-authenticate"]).toBe('Bearer realm="pyroscope"');
  });

  it.for([
    ["cross-site", 403],
    ["same-origin", 400],
    ["none", 400],
  ] as const)("answers a push of a page that is %s with %i", async ([site, status]) => {
    const { app } = await createTestApp();

    const response = await app.inject({
      method: "POST",
      url: "/ingest",
      headers: { "sec-fetch-site": site },
    });

    expect(response.statusCode).toBe(status);
  });

  it("refuses gRPC without a token in gRPC's own form", async () => {
    const { app } = await createTestApp({ flags: { "auth-token": TOKENS } });

    const response = await app.inject({
      method: "POST",
      url: "/push.v1.PusherService/Push",
      headers: { "content-type": "application/grpc" },
      payload: Buffer.alloc(5),
    });

    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({ "content-type": "application/grpc", "grpc-status": "16" });
    expect(decodeURIComponent(String(response.headers["grpc-message"]))).toContain("a token is needed");
  });
});

describe("tenants", () => {
  const pprofPush = (headers: Record<string, string>): InjectOptions => ({
    method: "POST",
    url: "/push.v1.PusherService/Push",
    headers: { "content-type": "application/json", ...headers },
    payload: JSON.stringify({ series: [{ labels: [], samples: [{ rawProfile: btoa("pprof") }] }] }),
  });

  it("is anonymous without multi-tenancy, whatever the header says", async () => {
    const { app, pushed } = await createTestApp();

    await app.inject(pprofPush({ "x-scope-orgid": "someone/else" }));

    expect(pushed.map(({ tenant }) => tenant)).toEqual(["anonymous"]);
  });

  it("is what the header says with multi-tenancy", async () => {
    const { app, pushed, asked } = await createTestApp({ flags: { "auth.multitenancy-enabled": "true" } });

    await app.inject(pprofPush({ "x-scope-orgid": "team-a" }));
    await app.inject({
      ...toRequest(routes.find(({ path }) => path.endsWith("/ProfileTypes"))!),
      headers: { "content-type": "application/json", "x-scope-orgid": "b|a" },
    });

    expect(pushed.map(({ tenant }) => tenant)).toEqual(["team-a"]);
    expect(asked).toMatchObject([{ method: "profileTypes", request: { tenants: ["a", "b"] } }]);
  });

  it.for([
    [{}, 401, "no org id"],
    [{ "x-scope-orgid": "../etc" }, 400, "tenant ID '../etc' contains unsupported character '/'"],
    [{ "x-scope-orgid": "a|b" }, 400, "multiple org IDs present"],
  ] as const)("refuses a push with %j", async ([headers, status, message]) => {
    const { app, pushed } = await createTestApp({ flags: { "auth.multitenancy-enabled": "true" } });

    const response = await app.inject(pprofPush(headers));

    expect([response.statusCode, response.json().message]).toEqual([status, message]);
    expect(pushed).toEqual([]);
  });
});
