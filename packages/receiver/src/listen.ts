import type { FastifyInstance } from "fastify";
import { type BindAddress, formatBindAddress } from "./config/bind-address.ts";
import { ReceiverError } from "./errors.ts";

/**
 * Connections that wait to be accepted; Linux takes no more than net.core.somaxconn. Beyond Node's 511 the kernel forgets them
 * when many clients come at once, and each tries again after 1, 3, 7 and 15 seconds.
 */
const BACKLOG = 4096;

/**
 * Starts to listen.
 *
 * @returns an address that a client can use, such as `http://127.0.0.1:4040`, with the port that was chosen.
 * @throws {@link ReceiverError} `LISTEN_FAILED` that names the address and what to do.
 */
export async function listen(app: FastifyInstance, bind: BindAddress, isTls: boolean): Promise<string> {
  try {
    await listenOn(app, bind);
  } catch (error) {
    throw toListenError(error, bind);
  }
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : bind.port;
  // Every interface: the one that works on this machine.
  const host = ["", "::", "0.0.0.0"].includes(bind.host) ? "127.0.0.1" : bind.host;
  return `${isTls ? "https" : "http"}://${formatBindAddress({ host, port })}`;
}

async function listenOn(app: FastifyInstance, { host, port }: BindAddress): Promise<void> {
  if (host !== "") {
    await app.listen({ host, port, backlog: BACKLOG });
    return;
  }
  try {
    await app.listen({ host: "::", port, backlog: BACKLOG });
  } catch (error) {
    // A machine without IPv6; with it, "::" takes IPv4 too.
    if (!hasCode(error, "EAFNOSUPPORT") && !hasCode(error, "EADDRNOTAVAIL")) throw error;
    await app.listen({ host: "0.0.0.0", port, backlog: BACKLOG });
  }
}

function toListenError(error: unknown, bind: BindAddress): ReceiverError {
  const where = `listening on ${formatBindAddress(bind)}`;
  const other = formatBindAddress({ host: bind.host, port: bind.port + 1 });
  const text = hasCode(error, "EADDRINUSE")
    ? `port ${bind.port} is taken by another program; choose another with --api-bind-addr ${other} (port 0: any free one)`
    : hasCode(error, "EACCES")
      ? `port ${bind.port} needs rights that this process does not have; choose one above 1023 with --api-bind-addr`
      : error instanceof Error
        ? error.message
        : String(error);
  return new ReceiverError(`${where}: ${text}`, { code: "LISTEN_FAILED", cause: error });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
