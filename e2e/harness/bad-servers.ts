import { createServer, type Server, type Socket } from "node:net";
import { type Answer, startFakeReceiver } from "./fake-receiver.ts";

/** Something that a program uploads to. */
interface OpenServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

const answers: { readonly [name: string]: Answer } = {
  "never answers": () => {},
  "answers one byte at a time": (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write("."), 50);
    response.on("close", () => clearInterval(timer));
  },
  "answers without end": (response) => {
    response.writeHead(500);
    const chunk = Buffer.alloc(65_536, ".");
    const timer = setInterval(() => response.write(chunk), 1);
    response.on("close", () => clearInterval(timer));
  },
  "answers 301": (response) => response.writeHead(301, { location: "http://127.0.0.1:1/" }).end(),
  "answers 400": (response) => response.writeHead(400).end('{"code":"invalid_argument"}'),
  "answers 401": (response) => response.writeHead(401).end(),
  "answers 403": (response) => response.writeHead(403).end(),
  "answers 404": (response) => response.writeHead(404).end("<html>not found</html>"),
  "answers 413": (response) => response.writeHead(413).end(),
  "answers 429": (response) => response.writeHead(429, { "retry-after": "1" }).end(),
  "answers 500": (response) => response.writeHead(500).end("\u001b[31m broken \n"),
  "closes the connection": (response) => void response.destroy(),
};

async function startSocketServer(onSocket: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onSocket);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

async function startResettingServer(): Promise<OpenServer> {
  const server = await startSocketServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.resetAndDestroy());
  });
  return { url: urlOf(server), close: () => closeServer(server) };
}

async function startRefusingAddress(): Promise<OpenServer> {
  const server = await startSocketServer(() => {});
  const url = urlOf(server);
  await closeServer(server);
  return { url, close: async () => {} };
}

function urlOf(server: Server): string {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

async function closeServer(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

/** One way in which a server misbehaves. */
export interface ServerFault {
  /** What a server does that has it, as the end of a sentence. */
  readonly name: string;
  readonly open: () => Promise<OpenServer>;
}

/** Each way in which servers were seen to misbehave. */
export const badServers: readonly ServerFault[] = [
  { name: "refuses connections", open: startRefusingAddress },
  { name: "resets connections", open: startResettingServer },
  {
    name: "speaks no TLS",
    open: async () => {
      const receiver = await startFakeReceiver();
      return { url: receiver.url.replace("http:", "https:"), close: receiver.close };
    },
  },
  {
    name: "has no such name",
    open: async () => ({ url: "http://pyroscope.invalid", close: async () => {} }),
  },
  ...Object.entries(answers).map(([name, answer]) => ({ name, open: () => startFakeReceiver(answer) })),
];
