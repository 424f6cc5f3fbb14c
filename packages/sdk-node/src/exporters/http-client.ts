import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { describeError } from "../errors.ts";
import type { HttpConnection } from "./http-connection.ts";
import { openHttpRoute } from "./http-route.ts";
import { http } from "./node-http.ts";

/** What a server answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly location: string | undefined;
  /** `x-pyroscope-capture`: what the server asks to have recorded. */
  readonly order: string | undefined;
  /** The beginning of it. */
  readonly body: Uint8Array;
}

/** An answer, or why there is none. */
type HttpOutcome =
  | { readonly ok: true; readonly answer: HttpAnswer }
  | { readonly ok: false; readonly reason: string };

/** One HTTP connection to one server. */
export interface HttpClient {
  /** Never rejects. `signal` ends the request and closes its socket. */
  post(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<HttpOutcome>;
  close(): Promise<void>;
}

// An answer is empty or an error in a line or two; what is longer is not read.
const MAX_ANSWER_BYTES = 16 * 1024;

/**
 * A client for `origin`, apart from the process's global agents and its patched `fetch`.
 *
 * Its sockets never keep the process alive: a program that has nothing left to do ends, whatever an upload
 * does. Whoever waits for an answer holds the process with a timer of their own. Redirects are answers like
 * any other: they are not followed, so credentials go to no other server.
 */
export function createHttpClient(origin: string, connection: HttpConnection): HttpClient {
  const { timeoutMs } = connection;
  // What only TLS and proxies need takes memory, so it is loaded where it is needed, while nothing is sent yet.
  const loading = openHttpRoute(origin, connection);
  loading.catch(() => {});
  const running = new Set<ClientRequest>();

  function request(options: RequestOptions, body: Uint8Array): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = http.request({ ...options, method: "POST", timeout: timeoutMs }, resolve);
      running.add(sent);
      sent.on("error", reject);
      sent.on("timeout", () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      sent.on("close", () => running.delete(sent));
      sent.end(body);
    });
  }

  return {
    async post(path, headers, body, signal) {
      try {
        const { agent, createOptions } = await loading;
        const response = await request({ ...createOptions(path, headers), agent, signal }, body);
        const beginning = await readBeginning(response);
        return {
          ok: true,
          answer: {
            status: response.statusCode ?? 0,
            retryAfter: response.headers["retry-after"],
            location: response.headers.location,
            order: firstOf(response.headers["x-pyroscope-capture"]),
            body: beginning,
          },
        };
      } catch (error) {
        return { ok: false, reason: describeError(signal.aborted ? signal.reason : error) };
      }
    },
    async close() {
      const route = await loading.catch(() => undefined);
      for (const each of running) each.destroy(new Error("the connection was closed"));
      route?.agent.destroy();
    },
  };
}

function firstOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" || value === undefined ? value : value[0];
}

async function readBeginning(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.byteLength;
    if (length >= MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES);
}
