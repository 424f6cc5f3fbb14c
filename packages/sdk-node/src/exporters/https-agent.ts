import type { AgentOptions } from "node:http";
import type { Agent as HttpsAgent, AgentOptions as HttpsAgentOptions } from "node:https";
import type { Duplex } from "node:stream";
import type { HttpConnection } from "./http-connection.ts";
import { loadHttps, loadTls } from "./node-http.ts";
import { unrefSocket } from "./unref-socket.ts";

// This file is loaded where https is used.
const { Agent } = loadHttps();
const { createSecureContext, rootCertificates } = loadTls();

/** An agent for https with the certificates of `connection`. */
export function createHttpsAgent(options: AgentOptions, connection: HttpConnection): HttpsAgent {
  return new Agent({ ...options, ...createTls(connection) });
}

/** As {@link createHttpsAgent}, with connections through tunnels, which `open` opens to `host:port`. */
export function createTunnelAgent(
  options: AgentOptions,
  connection: HttpConnection,
  open: (authority: string) => Promise<Duplex>,
): HttpsAgent {
  return new TunnelAgent({ ...options, ...createTls(connection) }, open);
}

type CreateConnection = HttpsAgent["createConnection"];

class TunnelAgent extends Agent {
  readonly #open: (authority: string) => Promise<Duplex>;

  constructor(options: HttpsAgentOptions, open: (authority: string) => Promise<Duplex>) {
    super(options);
    this.#open = open;
  }

  override createConnection(
    ...[options, callback]: Parameters<CreateConnection>
  ): ReturnType<CreateConnection> {
    const { host, port } = options;
    this.#open(`${host?.includes(":") ? `[${host}]` : host}:${port}`).then(
      (socket) => {
        const secure = super.createConnection({ ...options, socket } as typeof options);
        callback?.(null, unrefSocket(secure) as Duplex);
      },
      (error: Error) => callback?.(error, undefined as never),
    );
    return undefined;
  }
}

function createTls({ tls: { ca, cert, key, rejectUnauthorized } }: HttpConnection): HttpsAgentOptions {
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
