import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import type { InjectOptions } from "fastify";
import { describe, expect, it } from "vitest";
import { createTestApp } from "../../testing/create-test-app.ts";
import type { StorageService } from "../../worker/storage-service.ts";

describe("addConnectServices", () => {
  const push = (overrides: InjectOptions): InjectOptions => ({
    method: "POST",
    url: "/push.v1.PusherService/Push",
    headers: { "content-type": "application/json" },
    payload: "{}",
    ...overrides,
  });
  const payload = JSON.stringify({ series: [{ samples: [{ rawProfile: btoa("x".repeat(2000)) }] }] });

  it.for([
    ["an empty JSON body", push({ payload: "" }), 400],
    ["JSON of the wrong types", push({ payload: '{"series":1}' }), 400],
    ["JSON with fields that nobody knows", push({ payload: payload.replace("{", '{"later":1,') }), 200],
    [
      "gzip",
      push({
        headers: { "content-type": "application/json", "content-encoding": "gzip" },
        payload: gzipSync(payload),
      }),
      200,
    ],
    [
      "a coding that is not known",
      push({ headers: { "content-type": "application/json", "content-encoding": "xz" } }),
      501,
    ],
    ["another content type", push({ headers: { "content-type": "text/plain" } }), 415],
    ["no content type", push({ headers: {} }), 415],
    ["an impossible Host", push({ headers: { "content-type": "application/json", host: "a b" } }), 400],
  ] as const)("answers %s by the protocol", async ([, request, status]) => {
    const { app } = await createTestApp();

    expect((await app.inject(request)).statusCode).toBe(status);
  });

  it("names the content types that it takes", async () => {
    const { app } = await createTestApp();

    const response = await app.inject(push({ headers: { "content-type": "text/plain" } }));

    expect(response.headers["accept-post"]).toContain("application/proto");
  });

  it("refuses a body for which others leave no room while it arrives, until they are done", async () => {
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let arrivedCount = 0;
    let arrive = () => {};
    const bothArrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const storage: Partial<StorageService> = {
      push: async ({ items }) => {
        if (++arrivedCount === 2) arrive();
        await finished;
        return items.map(() => ({ ok: true, profiles: 1 }));
      },
    };
    // 6 KiB: room for two bodies of 2.7 kB at once.
    const { app } = await createTestApp({ flags: { "max-inflight-mb": "0.006" }, storage });

    const others = [app.inject(push({ payload })), app.inject(push({ payload }))];
    await bothArrived;
    const refused = await app.inject(push({ payload }));
    finish();
    await Promise.all(others);
    const later = await app.inject(push({ payload }));

    expect([refused.statusCode, refused.json().code]).toEqual([503, "unavailable"]);
    expect(refused.headers["retry-after"]).toBe("5");
    expect(later.statusCode).toBe(200);
  });

  it("refuses for good a message that the budget could never hold", async () => {
    const { app } = await createTestApp({ flags: { "max-inflight-mb": "0.001" } });

    const refused = await app.inject(push({ payload }));
    const later = await app.inject(push({}));

    expect([refused.statusCode, refused.json().code]).toEqual([429, "resource_exhausted"]);
    expect(later.json().message).toBe("no profiles received");
  });

  it.for([
    ["Connect", "application/proto"],
    ["gRPC-Web", "application/grpc-web"],
  ] as const)("serves what comes behind a message over %s that is too large", async ([, type]) => {
    const { app } = await createTestApp({ flags: { "ingestion-body-limit-mb": "0.001" } });
    const { port } = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
    const socket = connect({ host: "127.0.0.1", port: Number(port) });
    let seen = "";
    socket.setEncoding("latin1").on("data", (text) => {
      seen += text;
    });
    // More than Node reads ahead.
    const message = Buffer.concat([Buffer.from([0, 0, 0x20, 0, 0]), Buffer.alloc(0x20_0000)]);

    socket.write(
      `POST ${push({}).url} HTTP/1.1\r\nhost: test\r\ncontent-type: ${type}\r\ncontent-length: ${message.length}\r\n\r\n`,
    );
    // Most of it is written when the answer is there.
    socket.write(message.subarray(0, -10));
    await expect.poll(() => seen, { timeout: 10_000 }).toMatch(/larger(%20| )than(%20| )configured/);
    seen = "";
    socket.write(message.subarray(-10));
    socket.write("GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n");
    await expect.poll(() => seen, { timeout: 10_000 }).toMatch(/HTTP\/1.1 200 /);
    socket.destroy();
    await app.close();
  });

  it("refuses a message above the body limit", async () => {
    const { app } = await createTestApp({ flags: { "ingestion-body-limit-mb": "0.001" } });

    const response = await app.inject(
      push({
        headers: { "content-type": "application/json", "content-encoding": "gzip" },
        payload: gzipSync(payload),
      }),
    );

    expect([response.statusCode, response.json().code]).toEqual([429, "resource_exhausted"]);
  });
});
