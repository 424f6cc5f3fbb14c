import { gunzipSync } from "node:zlib";
import { fastify, type LightMyRequestResponse } from "fastify";
import { describe, expect, it } from "vitest";
import { acceptsGzip, addCompressHook } from "./compress-hook.ts";

const long = "stack ".repeat(1000);

async function get(
  payload: string | Buffer,
  options: { readonly type?: string; readonly accept?: string; readonly method?: "GET" | "HEAD" } = {},
): Promise<LightMyRequestResponse> {
  const app = fastify();
  addCompressHook(app);
  app.get("/", async (_request, reply) => reply.type(options.type ?? "application/json").send(payload));
  const headers = { "accept-encoding": options.accept ?? "gzip" };
  return await app.inject({ url: "/", method: options.method ?? "GET", headers });
}

describe("addCompressHook", () => {
  it.for([
    ["a text", long],
    ["bytes of text", Buffer.from(long)],
  ] as const)("compresses %s for a client that takes gzip", async ([, payload]) => {
    const response = await get(payload);

    expect(response.headers).toMatchObject({ "content-encoding": "gzip", vary: "accept-encoding" });
    expect(gunzipSync(response.rawPayload).toString()).toBe(long);
  });

  it.for([
    ["a client that does not take gzip", long, { accept: "br" }],
    ["a small answer", "short", {}],
    ["bytes that are compressed already", long, { type: "application/octet-stream" }],
    ["HEAD", long, { method: "HEAD" }],
  ] as const)("leaves the answer as it is for %s", async ([, payload, options]) => {
    const response = await get(payload, options);

    expect(response.headers["content-encoding"]).toBeUndefined();
  });
});

describe("acceptsGzip", () => {
  it.for([
    ["gzip", true],
    ["br, gzip;q=0.5", true],
    ["*", true],
    ["GZIP", true],
    ["", false],
    ["br", false],
    ["gzip;q=0", false],
    ["gzip;q=0, *", false],
    ["*;q=0", false],
    ["x-gzip-like", false],
  ] as const)("reads %j as %s", ([header, accepts]) => {
    expect(acceptsGzip(header)).toBe(accepts);
  });
});
