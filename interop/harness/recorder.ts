import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request of a client, and the status that it got. */
export interface Exchange {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly status: number;
}

/** Stands between a client and the receiver and keeps what passes. */
export interface Recorder {
  readonly address: string;
  readonly exchanges: readonly Exchange[];
  stop(): Promise<void>;
}

/** Starts a recorder before the receiver at `target`. HTTP/1.1 only. */
export async function startRecorder(target: string): Promise<Recorder> {
  const exchanges: Exchange[] = [];
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing, target, exchanges).catch((error: unknown) => outgoing.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, exchanges, stop: () => close(server) };
}

async function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: string,
  exchanges: Exchange[],
): Promise<void> {
  const body = await readAll(incoming);
  const { method = "", url = "", headers } = incoming;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request(`${target}${url}`, { method, headers }, resolve).once("error", reject).end(body);
  });
  const answered = await readAll(answer);
  exchanges.push({
    method,
    url,
    headers: headers as Readonly<Record<string, string>>,
    body,
    status: answer.statusCode ?? 0,
  });
  outgoing.writeHead(answer.statusCode ?? 0, answer.headers).end(answered);
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
