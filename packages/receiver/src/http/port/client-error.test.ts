import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { createOnePortServer } from "./one-port-server.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** Sends bytes and nothing more; all that the server answers. The server answers a request when its body is there. */
async function answerTo(bytes: string, readTimeoutMs = 30_000): Promise<string> {
  const options = { readTimeoutMs, idleTimeoutMs: 30_000, maxConnections: 10 };
  const server = createOnePortServer((incoming, response) => {
    if (incoming.url === "/early") response.write("early");
    text(incoming).then(
      () => response.end(),
      () => undefined,
    );
  }, options);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect({
    port: (server.address() as AddressInfo).port,
    host: "127.0.0.1",
    allowHalfOpen: true,
  });
  socket.on("error", () => undefined);
  // A client that waits for its time-out must not end first.
  if (readTimeoutMs === 30_000) socket.end(bytes);
  else socket.write(bytes);
  return await text(socket);
}

const POST = "POST /ingest HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc";

describe("answerClientError", () => {
  it.for([
    [
      "a body that breaks off",
      POST,
      "408 Request Timeout",
      "unknown",
      "the client broke off within the request",
    ],
    [
      "bytes that are no HTTP",
      "hello\r\n\r\n",
      "400 Bad Request",
      "invalid_argument",
      "this is no request of HTTP/1.1",
    ],
    [
      "a head that is too large",
      `GET / HTTP/1.1\r\nHost: a\r\nx: ${"x".repeat(20_000)}\r\n\r\n`,
      "431 Request Header Fields Too Large",
      "invalid_argument",
      "the head of the request is too large",
    ],
  ] as const)("answers %s", async ([, bytes, status, code, message]) => {
    const [head, body] = (await answerTo(bytes)).split("\r\n\r\n");

    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status}\r\ncontent-type: application/json\r\n`));
    expect(JSON.parse(body ?? "")).toEqual({ code, message });
  });

  it("answers a body that does not come within its time", async () => {
    expect(await answerTo(POST, 100)).toMatch(
      /^HTTP\/1\.1 408 [\s\S]*\{"code":"unknown","message":"the request did not arrive in time"\}$/,
    );
  });

  it("writes nothing into an answer that has begun", async () => {
    expect(await answerTo(POST.replace("/ingest", "/early"))).not.toContain("408");
  });
});
