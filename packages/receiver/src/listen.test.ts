import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { fastify } from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import { listen } from "./listen.ts";

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function listenOn(host: string, port: number, isTls = false): Promise<string> {
  const app = fastify();
  cleanups.push(() => app.close());
  return await listen(app, { host, port }, isTls);
}

async function occupyPort(): Promise<number> {
  const server: Server = createServer().listen(0, "127.0.0.1");
  cleanups.push(() => server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

describe("listen", () => {
  it.for([
    ["127.0.0.1", false, /^http:\/\/127\.0\.0\.1:\d+$/],
    ["127.0.0.1", true, /^https:\/\/127\.0\.0\.1:\d+$/],
    ["", false, /^http:\/\/127\.0\.0\.1:\d+$/],
    ["0.0.0.0", false, /^http:\/\/127\.0\.0\.1:\d+$/],
    ["localhost", false, /^http:\/\/localhost:\d+$/],
  ] as const)("on %j returns an address that a client can use", async ([host, isTls, address]) => {
    expect(await listenOn(host, 0, isTls)).toMatch(address);
  });

  it("names the port that is taken and how to choose another", async () => {
    const port = await occupyPort();

    await expect(listenOn("127.0.0.1", port)).rejects.toMatchObject({
      code: "LISTEN_FAILED",
      message:
        `listening on 127.0.0.1:${port}: port ${port} is taken by another program; ` +
        `choose another with --api-bind-addr 127.0.0.1:${port + 1} (port 0: any free one)`,
    });
  });

  it("names an address that is not this machine's", async () => {
    // TEST-NET-1 of RFC 5737: nobody has it.
    await expect(listenOn("192.0.2.1", 0)).rejects.toMatchObject({
      code: "LISTEN_FAILED",
      message: expect.stringContaining("listening on 192.0.2.1:0: "),
    });
  });
});
