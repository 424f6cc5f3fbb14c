import type { Agent, AgentOptions, RequestOptions } from "node:http";
import type { Duplex } from "node:stream";
import type { HttpConnection } from "./http-connection.ts";
import { http } from "./node-http.ts";
import { unrefSockets } from "./unref-socket.ts";

/** The way to one server. */
export interface HttpRoute {
  /** With one connection at a time, apart from those of the program. */
  readonly agent: Agent;
  /** Where a request for `path` goes, and with which headers. */
  readonly createOptions: (path: string, headers: Readonly<Record<string, string>>) => RequestOptions;
}

/** Directly, or by the proxy of the connection: for https through a tunnel, whose proxy sees neither headers nor profiles. */
export async function openHttpRoute(origin: string, connection: HttpConnection): Promise<HttpRoute> {
  if (connection.proxy === undefined) return await openDirectRoute(origin, connection);
  const proxy = new URL(connection.proxy);
  const authorization = createAuthorization(proxy);
  const toProxy = await openDirectRoute(proxy.origin, connection);
  if (origin.startsWith("https:")) {
    const { createTunnelAgent } = await import("./https-agent.ts");
    const open = (authority: string): Promise<Duplex> =>
      openTunnel({
        ...toProxy.createOptions(authority, { ...authorization, host: authority }),
        agent: toProxy.agent,
        timeout: connection.timeoutMs,
      });
    return {
      agent: createTunnelAgent(createAgentOptions(connection), connection, open),
      createOptions: createOptionsFor(origin),
    };
  }
  const { host } = new URL(origin);
  return {
    agent: toProxy.agent,
    createOptions: (path, headers) =>
      toProxy.createOptions(`${origin}${path}`, { ...headers, ...authorization, host }),
  };
}

async function openDirectRoute(origin: string, connection: HttpConnection): Promise<HttpRoute> {
  const options = createAgentOptions(connection);
  // What TLS needs takes memory: it is loaded where it is used.
  const agent = origin.startsWith("https:")
    ? (await import("./https-agent.ts")).createHttpsAgent(options, connection)
    : new http.Agent(options);
  return { agent: unrefSockets(agent), createOptions: createOptionsFor(origin) };
}

/** One upload at a time: a second connection would only hide a slow server. */
function createAgentOptions({ timeoutMs }: HttpConnection): AgentOptions {
  return { keepAlive: true, maxSockets: 1, timeout: timeoutMs };
}

function createOptionsFor(origin: string): HttpRoute["createOptions"] {
  const { protocol, hostname, port } = new URL(origin);
  // The brackets of an IPv6 address are part of URLs only.
  const host = hostname.replace(/^\[|\]$/g, "");
  return (path, headers) => ({ protocol, host, ...(port === "" ? {} : { port }), path, headers });
}

function createAuthorization({ username, password }: URL): Record<string, string> {
  if (username === "" && password === "") return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
}

function openTunnel(options: RequestOptions): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const asked = http.request({ ...options, method: "CONNECT" });
    asked.on("connect", ({ statusCode }, socket) => {
      if (statusCode === 200) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(new Error(`the proxy answered ${statusCode} to CONNECT`));
    });
    asked.on("timeout", () =>
      asked.destroy(new Error(`no answer of the proxy within ${options.timeout} ms`)),
    );
    asked.on("error", reject);
    asked.end();
  });
}
