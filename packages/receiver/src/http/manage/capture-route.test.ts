import { fastify } from "fastify";
import { describe, expect, it } from "vitest";
import { setErrorHandler } from "../error-handler.ts";
import { setRequestContext } from "../request-context.ts";
import { CaptureOrders } from "../write/capture-orders.ts";
import { captureRoute } from "./capture-route.ts";

async function createServer() {
  const orders = new CaptureOrders({ nowUnixMillis: () => 0 });
  const app = fastify();
  setErrorHandler(app, { error: () => undefined } as unknown as Parameters<typeof setErrorHandler>[1]);
  app.addHook("onRequest", async (request) =>
    setRequestContext(request, { tenants: ["acme"], requestId: "r", client: "curl" }),
  );
  await app.register(captureRoute, { orders });
  const post = async (payload: object) => {
    const response = await app.inject({ method: "POST", url: "/api/v1/captures", payload });
    return { status: response.statusCode, body: response.json() };
  };
  return { orders, post };
}

const valid = { service: "shop", kind: "cpu", seconds: 10 };

describe("POST /api/v1/captures", () => {
  it("places an order for the tenant and answers with the label that finds its profiles", async () => {
    const { orders, post } = await createServer();

    const { status, body } = await post(valid);

    expect(status).toBe(202);
    expect(body).toMatchObject({ ...valid, waitsSeconds: 600 });
    expect(orders.take("acme", "shop", "1")).toEqual({ id: body.id, kind: "cpu", seconds: 10 });
  });

  it.for([
    {},
    { ...valid, service: "" },
    { ...valid, kind: "heap" },
    { ...valid, seconds: 0.9 },
    { ...valid, seconds: 60.1 },
    { ...valid, seconds: "10" },
    { ...valid, session: 1 },
  ])("refuses %o with 400 and says what was expected", async (payload) => {
    const { orders, post } = await createServer();

    const { status, body } = await post(payload);

    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain("expected");
    expect(orders.take("acme", "shop", undefined)).toBeUndefined();
  });

  it("answers 429 when too many orders wait", async () => {
    const { post } = await createServer();
    for (let i = 0; i < 100; i++) await post(valid);

    expect((await post(valid)).status).toBe(429);
  });
});
