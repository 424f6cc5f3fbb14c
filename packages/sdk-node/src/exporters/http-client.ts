import { createSecureContext, rootCertificates } from "node:tls";
import { buildConnector, type Dispatcher, Pool, ProxyAgent } from "undici";
import { describeError } from "../errors.ts";
import type { HttpConnection } from "./http-connection.ts";

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
 * A client for `origin`, apart from the process's global dispatcher and its patched `fetch`.
 *
 * Its sockets never keep the process alive: a program that has nothing left to do ends, whatever an upload
 * does. Whoever waits for an answer holds the process with a timer of their own. Redirects are answers like
 * any other: they are not followed, so credentials go to no other server.
 */
export function createHttpClient(origin: string, connection: HttpConnection): HttpClient {
  const dispatcher =
    connection.proxy === undefined ? direct(origin, connection) : proxied(origin, connection);
  return {
    async post(path, headers, body, signal) {
      try {
        const request = { origin, path, method: "POST", headers, body, signal } as const;
        const response = await dispatcher.request(request);
        const beginning = await readBeginning(response.body);
        return {
          ok: true,
          answer: {
            status: response.statusCode,
            retryAfter: firstOf(response.headers["retry-after"]),
            location: firstOf(response.headers.location),
            order: firstOf(response.headers["x-pyroscope-capture"]),
            body: beginning,
          },
        };
      } catch (error) {
        return { ok: false, reason: describeError(signal.aborted ? signal.reason : error) };
      }
    },
    async close() {
      // Not close(): that waits for a request that runs.
      await dispatcher.destroy();
    },
  };
}

// One upload at a time: a second connection would only hide a slow server.
const ONE_AT_A_TIME = { connections: 1, pipelining: 1 };

function direct(origin: string, connection: HttpConnection): Dispatcher {
  const { timeoutMs } = connection;
  return new Pool(origin, {
    ...ONE_AT_A_TIME,
    connect: createUnrefConnector({ timeout: timeoutMs, ...createTls(connection) }),
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
}

/** Through a tunnel for https, whose proxy sees neither headers nor profiles. */
function proxied(origin: string, connection: HttpConnection): Dispatcher {
  const { timeoutMs, proxy = "" } = connection;
  const tls = { timeout: timeoutMs, ...createTls(connection) };
  return new ProxyAgent({
    ...ONE_AT_A_TIME,
    uri: proxy,
    proxyTunnel: origin.startsWith("https:"),
    requestTls: tls,
    proxyTls: tls,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
}

function createTls({
  tls: { ca, cert, key, rejectUnauthorized },
}: HttpConnection): buildConnector.BuildOptions {
  if (ca === undefined && cert === undefined && key === undefined) return { rejectUnauthorized };
  const options = {
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  try {
    // Once, not for every connection: reading 150 authorities takes some 50 ms.
    return { rejectUnauthorized, secureContext: createSecureContext(options) };
  } catch {
    // A key of another certificate: each connection then fails, and says why.
    return { rejectUnauthorized, ...options };
  }
}

function firstOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" || value === undefined ? value : value[0];
}

async function readBeginning(body: AsyncIterable<Uint8Array> & { destroy(): unknown }): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.byteLength;
    if (length >= MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES);
}

/** undici refs a socket while a request runs on it; these sockets stay unref'd. */
function createUnrefConnector(options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector(options);
  return (target, callback) => {
    // undici's own connector returns the socket at once; its types leave that out.
    const socket: unknown = connect(target, callback);
    if (isRefCounted(socket)) {
      socket.unref();
      socket.ref = () => socket;
    }
  };
}

function isRefCounted(socket: unknown): socket is { ref: () => unknown; unref: () => unknown } {
  return typeof socket === "object" && socket !== null && "ref" in socket && "unref" in socket;
}
