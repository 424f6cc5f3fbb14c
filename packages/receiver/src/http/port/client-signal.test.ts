import { connect, constants } from "node:http2";
import { fastify } from "fastify";
import { describe, expect, it } from "vitest";
import { createTestApp } from "../../testing/create-test-app.ts";
import { clientSignal } from "./client-signal.ts";
import { createOnePortServer } from "./one-port-server.ts";

/** A query that begins when it is asked and ends when its signal fires. */
function hangingQuery() {
  let begin = (): void => undefined;
  let abort = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
  });
  const query = (_query: unknown, options?: { readonly signal?: AbortSignal }): Promise<never> => {
    begin();
    return new Promise((_resolve, reject) => {
      options?.signal?.addEventListener("abort", () => {
        abort();
        reject(options.signal?.reason);
      });
    });
  };
  return { query, begun, aborted };
}

const RANGE = { start: "1", end: "2" };
const TYPE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";

describe("clientSignal", () => {
  it("stays quiet when the client has its answer", async () => {
    const app = fastify();
    const signals: AbortSignal[] = [];
    app.get("/", async (_request, reply) => {
      signals.push(clientSignal(reply));
      return "answer";
    });
    const address = await app.listen({ host: "127.0.0.1", port: 0 });

    await (await fetch(address)).text();
    await app.close();

    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });

  it("stops the query of a REST request whose client goes away", async () => {
    const { query, begun, aborted } = hangingQuery();
    const { app } = await createTestApp({ storage: { exportStacks: query } });
    const address = await app.listen({ host: "127.0.0.1", port: 0 });
    const controller = new AbortController();
    const response = fetch(`${address}/render?from=1&until=2&format=pprof&query=${TYPE}{}`, controller);

    await begun;
    controller.abort();

    await expect(response).rejects.toThrow();
    await aborted;
    await app.close();
  });

  it("stops the query of a Connect request whose client goes away", async () => {
    const { query, begun, aborted } = hangingQuery();
    const { app } = await createTestApp({ storage: { selectTree: query } });
    const address = await app.listen({ host: "127.0.0.1", port: 0 });
    const controller = new AbortController();
    const response = fetch(`${address}/querier.v1.QuerierService/SelectMergeStacktraces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...RANGE, profileTypeID: TYPE, labelSelector: "{}" }),
      signal: controller.signal,
    });

    await begun;
    controller.abort();

    await expect(response).rejects.toThrow();
    await aborted;
    await app.close();
  });

  it.for(["ends its call", "closes its connection"])(
    "stops the query of a gRPC client that %s",
    async (way) => {
      const { query, begun, aborted } = hangingQuery();
      const limits = { readTimeoutMs: 60_000, idleTimeoutMs: 60_000, maxConnections: 10 };
      const { app } = await createTestApp({
        storage: { selectTree: query },
        serverFactory: (handler) => createOnePortServer(handler, limits),
      });
      const session = connect(await app.listen({ host: "127.0.0.1", port: 0 }));
      session.on("error", () => undefined);
      const stream = session.request({
        ":method": "POST",
        ":path": "/querier.v1.QuerierService/SelectMergeStacktraces",
        "content-type": "application/grpc+json",
        te: "trailers",
      });
      stream.on("error", () => undefined);
      const message = Buffer.from(JSON.stringify({ ...RANGE, profileTypeID: TYPE, labelSelector: "{}" }));
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      stream.end(Buffer.concat([head, message]));

      await begun;
      if (way === "ends its call") stream.close(constants.NGHTTP2_CANCEL);
      else session.destroy();

      await aborted;
      session.destroy();
      await app.close();
    },
  );
});
