import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { type FastifyInstance, fastify } from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import { createOnePortServer } from "./one-port-server.ts";
import { addSlowClientGuard } from "./slow-client-guard.ts";

const TIMEOUT_MS = 50;
// More than the sockets of both ends hold between them.
const LARGE_BYTES = 64 * 1024 * 1024;
const apps: FastifyInstance[] = [];

async function listen(addRoutes: (app: FastifyInstance) => void): Promise<number> {
  const app = fastify({
    serverFactory: (handler) =>
      createOnePortServer(handler, { readTimeoutMs: 60_000, idleTimeoutMs: 60_000, maxConnections: 10 }),
  });
  apps.push(app);
  addSlowClientGuard(app, { timeoutMs: TIMEOUT_MS });
  addRoutes(app);
  await app.listen({ host: "127.0.0.1", port: 0 });
  return (app.server.address() as AddressInfo).port;
}

afterEach(async () => {
  for (const app of apps.splice(0)) {
    app.server.closeAllConnections();
    await app.close();
  }
});

describe("addSlowClientGuard", () => {
  it("ends a response that its client stops reading", async () => {
    let tell: (isFinished: boolean) => void = () => undefined;
    const isFinished = new Promise<boolean>((resolve) => {
      tell = resolve;
    });
    const port = await listen((app) => {
      app.get("/", async (_request, reply) => {
        reply.raw.once("close", () => tell(reply.raw.writableFinished));
        return reply.send(Buffer.alloc(LARGE_BYTES));
      });
    });

    const sent = request({ port });
    sent.on("error", () => undefined);
    sent.end();
    const [response] = await once(sent, "response");
    response.on("error", () => undefined);
    response.pause();

    expect(await isFinished).toBe(false);
  });

  it("lets a request be answered whose handler gave up on its body, and the next one of its connection", async () => {
    const port = await listen((app) => {
      app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
      app.post("/", async (request, reply) => {
        await once(request.raw, "readable");
        // As whoever reads a body up to a limit: Node takes the socket from a request that is given up.
        for await (const _chunk of request.raw) break;
        return reply.send("given up");
      });
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const post = async (): Promise<readonly [status: number, body: string]> => {
      const sent = request({ port, agent, method: "POST", headers: { "content-type": "text/x" } });
      sent.end("a body");
      const [response] = await once(sent, "response");
      return [response.statusCode, await text(response)];
    };

    expect([await post(), await post()]).toEqual([
      [200, "given up"],
      [200, "given up"],
    ]);
    agent.destroy();
  });

  it.for([1, 10])("ends %d responses whose client does not read but goes on to write", async (count) => {
    const port = await listen((app) => {
      app.get("/", async (_request, reply) => reply.send(Buffer.alloc(LARGE_BYTES / count)));
    });
    const socket = connect(port, "127.0.0.1");
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => socket.destroy());
    socket.pause();

    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(count));
    const blank = setInterval(() => socket.write("\r\n"), TIMEOUT_MS / 10);
    // The test's own time-out is the limit.
    await closed;
    clearInterval(blank);

    expect(socket.destroyed).toBe(true);
  });

  it("goes on to read a connection whose answer was taken", async () => {
    const port = await listen((app) => {
      app.post("/", async (request) => `${JSON.stringify(request.body)} ${"x".repeat(100_000)}`);
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const post = async (body: string): Promise<readonly [text: string, port: number | undefined]> => {
      const headers = { "content-type": "application/json" };
      const sent = request({ port, agent, method: "POST", headers });
      sent.end(body);
      const [response] = await once(sent, "response");
      const { localPort } = response.socket;
      return [await text(response), localPort];
    };

    const [first, firstPort] = await post('{"a":1}');
    const [second, secondPort] = await post('{"a":2}');
    agent.destroy();

    expect([first.slice(0, 7), second.slice(0, 7)]).toEqual(['{"a":1}', '{"a":2}']);
    expect(secondPort).toBe(firstPort);
  });

  it("lets a handler take longer than a client may", async () => {
    const port = await listen((app) => {
      app.get("/", async () => {
        await new Promise((resolve) => setTimeout(resolve, 3 * TIMEOUT_MS));
        return "late but whole";
      });
    });

    const response = await fetch(`http://127.0.0.1:${port}/`);

    expect(await response.text()).toBe("late but whole");
  });

  it("ends an HTTP/2 request whose body does not arrive", async () => {
    const port = await listen((app) => {
      app.post("/", async () => "never reached");
    });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const headers = {
      ":method": "POST",
      ":path": "/",
      "content-type": "application/json",
      "content-length": "10",
    };

    const stream = session.request(headers, { endStream: false });
    stream.on("error", () => undefined);
    stream.write("{");
    await once(stream, "close");
    session.close();

    expect(stream.rstCode).not.toBe(0);
  });

  it("lets an HTTP/2 request whose body is complete go on", async () => {
    const port = await listen((app) => {
      app.post("/", async () => {
        await new Promise((resolve) => setTimeout(resolve, 3 * TIMEOUT_MS));
        return "whole";
      });
    });
    const session = connectHttp2(`http://127.0.0.1:${port}`);

    const stream = session.request({ ":method": "POST", ":path": "/", "content-type": "application/json" });
    stream.end("{}");
    const body = await text(stream);
    session.close();

    expect(body).toBe("whole");
  });
});
