import { connect, type Socket } from "node:net";

/** How many connections of each kind {@link openSlowClients} opens. */
export interface SlowClientCounts {
  /** The head of the request never ends. */
  readonly headers: number;
  /** The body never ends. */
  readonly bodies: number;
  /** The answers are never read. */
  readonly neverReading: number;
}

/** Connections that hold up a server for as long as it lets them. */
export interface SlowClients {
  /** The server has closed each of them. */
  readonly closed: Promise<void>;
  readonly openCount: number;
}

const DRIP_MS = 100;
// Of the page's script: more than both sockets hold between them, for next to no work of the server's.
const PIPELINED = 40;

const REQUEST = "POST /ingest?name=slow HTTP/1.1\r\nHost: slow\r\n";
const kinds: Readonly<Record<keyof SlowClientCounts, (socket: Socket, script: string) => void>> = {
  headers: (socket) => {
    socket.write(`${REQUEST}X-Slow: `);
    drip(socket);
  },
  bodies: (socket) => {
    socket.write(`${REQUEST}Content-Length: 1000000\r\n\r\n`);
    drip(socket);
  },
  neverReading: (socket, script) => {
    socket.write(`GET ${script} HTTP/1.1\r\nHost: slow\r\n\r\n`.repeat(PIPELINED));
    // Whoever never reads sees no end either: only an error when it writes. Blank lines mean nothing to a server.
    drip(socket, "\r\n");
  },
};

/** Opens connections to a receiver that listens on loopback and has its web page. */
export async function openSlowClients(address: string, counts: SlowClientCounts): Promise<SlowClients> {
  const { port } = new URL(address);
  const script = await findScript(address);
  const open = new Set<Socket>();
  const opened: Promise<unknown>[] = [];
  const closed: Promise<void>[] = [];
  for (const kind of Object.keys(kinds) as (keyof SlowClientCounts)[]) {
    for (let i = 0; i < counts[kind]; i++) {
      const socket = connect({ host: "127.0.0.1", port: Number(port) });
      open.add(socket);
      if (kind === "neverReading") socket.pause();
      else socket.resume();
      socket.on("error", () => socket.destroy());
      opened.push(new Promise((resolve) => socket.once("connect", resolve)));
      closed.push(
        new Promise((resolve) => {
          socket.once("close", () => {
            open.delete(socket);
            resolve();
          });
        }),
      );
      socket.once("connect", () => kinds[kind](socket, script));
    }
  }
  await Promise.all(opened);
  return {
    closed: Promise.all(closed).then(() => undefined),
    get openCount() {
      return open.size;
    },
  };
}

async function findScript(address: string): Promise<string> {
  const page = await (await fetch(address)).text();
  const script = /src="\.?(\/[^"]+\.js)"/.exec(page)?.[1];
  if (script === undefined) throw new Error(`${address} has no page with a script: ${page.slice(0, 500)}`);
  return script;
}

function drip(socket: Socket, text = "0"): void {
  const timer = setInterval(() => socket.write(text), DRIP_MS);
  socket.once("close", () => clearInterval(timer));
}
