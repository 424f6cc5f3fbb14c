import { EventEmitter, once } from "node:events";
import { Agent, get, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { createOnePortServer, type OnePortServerOptions } from "./one-port-server.ts";

const options: OnePortServerOptions = { readTimeoutMs: 30_000, idleTimeoutMs: 30_000, maxConnections: 10 };
const servers: Server[] = [];

const arrivals = new EventEmitter();

function answer(incoming: IncomingMessage, response: ServerResponse): void {
  arrivals.emit(incoming.url ?? "");
  text(incoming).then(
    (body) => response.end(`${incoming.httpVersion} ${incoming.url} ${body}`),
    () => response.destroy(),
  );
}

async function listen(overrides: Partial<OnePortServerOptions> = {}): Promise<number> {
  const server = createOnePortServer(answer, { ...options, ...overrides });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** What the server sends before it closes the connection. */
async function readUntilClosed(socket: Socket): Promise<string> {
  return await text(socket).catch(() => "");
}

async function getHttp2(port: number, path: string): Promise<string> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  try {
    return await text(session.request({ ":path": path }));
  } finally {
    session.close();
  }
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

describe("createOnePortServer", () => {
  it("answers HTTP/1.1 and cleartext HTTP/2 on one port", async () => {
    const port = await listen();

    const [incoming] = (await once(get({ port, path: "/a" }), "response")) as [IncomingMessage];

    expect(await text(incoming)).toBe("1.1 /a ");
    expect(await getHttp2(port, "/b")).toBe("2.0 /b ");
  });

  it("keeps the bytes of a request that arrives in pieces, whatever they look like at first", async () => {
    const port = await listen();
    const socket = await openSocket(port);
    socket.setNoDelay(true);

    // "P" and "PR" could be the preface of HTTP/2 or a method of HTTP/1.1.
    for (const piece of ["P", "R", "OPFIND /pieces HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"]) {
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect(await readUntilClosed(socket)).toContain("1.1 /pieces ");
  });

  it.for([
    ["says nothing", ""],
    ["stops in the preface of HTTP/2", "PRI * HT"],
    ["stops after the preface of HTTP/2", "PRI * HTTP/2.0\r\n"],
    ["stops in the head of a request", "GET / HTTP/1.1\r\nhost: x\r\n"],
    ["stops in a body", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab"],
  ] as const)("closes a connection that %s", async ([, bytes]) => {
    const port = await listen({ readTimeoutMs: 50 });
    const socket = await openSocket(port);

    socket.write(bytes);

    expect(await readUntilClosed(socket)).not.toMatch(/^HTTP\/1\.1 2/);
  });

  it.for([
    ["sends no request", { readTimeoutMs: 50 }, false],
    ["sends no further request", { idleTimeoutMs: 50 }, true],
  ] as const)("closes an HTTP/2 connection that %s for too long", async ([, limits, hasRequest]) => {
    const port = await listen(limits);
    const session = connectHttp2(`http://127.0.0.1:${port}`);

    if (hasRequest) await text(session.request({ ":path": "/first" }));
    await once(session, "close");

    expect(session.closed).toBe(true);
  });

  it("refuses a request whose length could be read in two ways", async () => {
    const port = await listen();
    const socket = await openSocket(port);

    socket.write(
      "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    );

    expect(await readUntilClosed(socket)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("closes connections above the limit and serves again when one is free", async () => {
    const port = await listen({ maxConnections: 1 });
    const first = await openSocket(port);

    const second = await openSocket(port);
    expect(await readUntilClosed(second)).toBe("");
    first.end("GET /first HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");

    expect(await readUntilClosed(first)).toContain("/first");
  });

  it("closes with connections open: idle ones at once, a request in flight after its answer", async () => {
    const port = await listen();
    const server = servers[0]!;
    const agent = new Agent({ keepAlive: true });
    const busyAgent = new Agent({ keepAlive: true });
    const [idle] = (await once(get({ port, agent }), "response")) as [IncomingMessage];
    await text(idle);
    const silent = await openSocket(port);
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on("error", () => undefined);
    await once(session, "connect");
    const inFlight = request({ port, method: "POST", path: "/late", agent: busyAgent });
    const arrived = once(arrivals, "/late");
    inFlight.write("some");
    await arrived;

    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    inFlight.end(" body");
    const [late] = (await once(inFlight, "response")) as [IncomingMessage];

    expect(await text(late)).toBe("1.1 /late some body");
    await closed;
    expect(await readUntilClosed(silent)).toBe("");
    agent.destroy();
    busyAgent.destroy();
  });
});

describe("a connection that sends requests without waiting for answers", () => {
  const request = "GET /held HTTP/1.1\r\nHost: x\r\n\r\n";

  /** A server that answers when it is told to. */
  async function listenHeld(): Promise<{ readonly port: number; readonly held: ServerResponse[] }> {
    const held: ServerResponse[] = [];
    const server = createOnePortServer((_request, response) => void held.push(response), options);
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { port: (server.address() as AddressInfo).port, held };
  }

  it("has one of them served at a time, and a hundred in all", async () => {
    const { port, held } = await listenHeld();
    const socket = await openSocket(port);
    socket.resume();

    socket.write(request.repeat(100));
    for (let count = 1; count <= 100; count++) {
      await expect.poll(() => held.length, { interval: 1 }).toBe(count);
      held[count - 1]?.end("taken");
    }

    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });

  it("is closed when more wait", async () => {
    const { port, held } = await listenHeld();
    const socket = await openSocket(port);

    socket.write(request.repeat(101));
    await readUntilClosed(socket);

    expect(held.length).toBe(1);
  });
});

describe("a connection that sends blank lines alone", () => {
  it("is closed once it had no request for long", async () => {
    const port = await listen({ idleTimeoutMs: 50, readTimeoutMs: 1000 });
    const socket = await openSocket(port);
    let answered = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      answered += chunk;
    });

    socket.write("GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
    const blank = setInterval(() => socket.write("\r\n"), 5);
    // The test's own time-out is the limit. What is written last may be answered with a reset.
    await new Promise((resolve) => socket.once("close", resolve));
    clearInterval(blank);

    expect(answered).toContain("1.1 /first");
  });
});
