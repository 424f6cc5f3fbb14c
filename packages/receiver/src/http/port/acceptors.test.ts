import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createAcceptors } from "./acceptors.ts";

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

interface Listening {
  readonly server: Server;
  readonly port: number;
  close(): Promise<unknown>;
}

async function listen(port = 0): Promise<Listening> {
  const server = createServer();
  const acceptors = createAcceptors(server, {});
  const ended = new Promise((resolve) => server.once("close", resolve));
  acceptors.listen({ host: "127.0.0.1", port, backlog: 4096 });
  await once(server, "listening");
  const close = async () => {
    await new Promise((resolve) => acceptors.close(resolve));
    return ended;
  };
  cleanups.push(() => void acceptors.close());
  return { server, port: (server.address() as AddressInfo).port, close };
}

/** How many sockets listen on a port of this machine. */
function countListeners(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = readFileSync("/proc/net/tcp", "utf8").split("\n");
  return rows.filter((row) => row.split(/\s+/)[2]?.endsWith(local) && row.split(/\s+/)[4] === "0A").length;
}

function open(port: number): Socket {
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => socket.destroy());
  cleanups.push(() => socket.destroy());
  return socket;
}

describe.runIf(process.platform === "linux")("createAcceptors", () => {
  it("takes connections that wait many at a time, not one in each turn of the event loop", async () => {
    const { server, port } = await listen();
    await expect.poll(() => countListeners(port)).toBe(16);
    const count = 128;
    let turns = 0;
    let isCounting = true;
    const accepted = new Promise<void>((resolve) => {
      let left = count;
      server.on("connection", () => {
        if (--left === 0) resolve();
      });
    });
    for (let i = 0; i < count; i++) open(port);
    const countTurn = (): void => {
      turns++;
      if (isCounting) setImmediate(countTurn);
    };
    setImmediate(countTurn);
    await accepted;
    isCounting = false;

    // One of sixteen sockets has more than a third of them by chance in no run of a lifetime.
    expect(turns).toBeLessThan(64);
  });

  it("leaves the port to who has it", async () => {
    const { port } = await listen();

    await expect(listen(port)).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it.for([0, 1, 2, 3, 4])("lets one of two have a port, the second %d ticks later", async (ticks) => {
    const { port, close } = await listen();
    await close();

    const first = listen(port);
    first.catch(() => undefined);
    for (let i = 0; i < ticks; i++) await new Promise((resolve) => process.nextTick(resolve));
    const outcomes = await Promise.allSettled([first, listen(port)]);

    const failed = outcomes.filter(({ status }) => status === "rejected");
    expect(failed).toEqual([{ status: "rejected", reason: expect.objectContaining({ code: "EADDRINUSE" }) }]);
  });

  it("takes a port that was named, and gives it back when its connections have ended", async () => {
    const first = await listen();
    await first.close();
    const { server, port, close } = await listen(first.port);
    await expect.poll(() => countListeners(port)).toBe(16);
    const arrived: Promise<[Socket]> = once(server, "connection") as Promise<[Socket]>;
    const socket = open(port);
    const [connection] = await arrived;
    const closing = close();
    await expect.poll(() => countListeners(port)).toBe(0);
    let isClosed = false;
    void closing.then(() => {
      isClosed = true;
    });
    await expect(once(open(port), "connect")).rejects.toMatchObject({ code: "ECONNREFUSED" });

    expect([port, isClosed]).toEqual([first.port, false]);
    connection.destroy();
    socket.destroy();
    await closing;
  });
});
