import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** How a proxy treats a request. */
type Fault =
  | { readonly kind: "none" }
  /** The connection ends without an answer. */
  | { readonly kind: "down" }
  /** Answers with a status, and asks nobody. */
  | { readonly kind: "status"; readonly status: number }
  /** Half of the answer's body comes, then the connection ends. */
  | { readonly kind: "truncated" }
  /** The request is done, and the connection ends instead of its answer. */
  | { readonly kind: "unanswered" }
  | { readonly kind: "slow"; readonly delayMs: number };

/** A proxy on loopback whose treatment of requests a test chooses. */
export interface FaultProxy {
  readonly address: string;
  /** For all requests that come from now on. */
  fault: Fault;
  /** Requests that were passed on, such as `PUT /bucket/key`, with their status. */
  readonly requests: { readonly line: string; readonly status: number }[];
  stop(): Promise<void>;
}

/** Starts a proxy in front of an HTTP server on loopback. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const server = createServer((incoming, answer) => {
    void treat(incoming, answer).catch(() => answer.destroy());
  });
  const proxy: FaultProxy = {
    address: "",
    fault: { kind: "none" },
    requests: [],
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  const treat = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const { fault } = proxy;
    if (fault.kind === "slow") await sleep(fault.delayMs);
    if (fault.kind === "down") {
      incoming.destroy();
      return;
    }
    if (fault.kind === "status") {
      incoming.resume();
      answer.writeHead(fault.status).end();
      return;
    }
    const upstream = request({
      ...{ hostname, port, method: incoming.method, path: incoming.url },
      headers: incoming.headers,
    });
    incoming.pipe(upstream);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      upstream.once("response", resolve);
      upstream.once("error", reject);
    });
    const status = response.statusCode ?? 0;
    proxy.requests.push({ line: `${incoming.method} ${incoming.url?.split("?")[0]}`, status });
    await answerWith(fault, response, answer);
  };

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the proxy does not listen");
  return Object.assign(proxy, { address: `http://127.0.0.1:${bound.port}` });
}

async function answerWith(fault: Fault, response: IncomingMessage, answer: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  if (fault.kind === "unanswered") {
    answer.destroy();
    return;
  }
  answer.writeHead(response.statusCode ?? 502, response.headers);
  if (fault.kind === "truncated" && body.length > 1) {
    answer.write(body.subarray(0, body.length / 2), () => answer.destroy());
    return;
  }
  answer.end(body);
}
