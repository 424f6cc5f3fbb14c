import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** What {@link createOpenRequests} bounds. */
export interface OpenRequestsOptions {
  /** Requests of one connection at once that have no complete answer yet. */
  readonly maxPerConnection: number;
  /** Longest that a connection may be without a request, whatever else it sends. */
  readonly idleTimeoutMs: number;
}

/** Takes a request of an HTTP/1.1 connection; false: the connection was closed instead. */
export type OpenRequests = (request: IncomingMessage, response: ServerResponse) => boolean;

interface Connection {
  openCount: number;
  readonly idle: NodeJS.Timeout;
}

/**
 * Bounds what Node does not: requests that are sent before the answers to those before them come (each chunk that is read may
 * hold a thousand), and blank lines between requests, which count as a sign of life and would keep a connection for ever.
 */
export function createOpenRequests({ maxPerConnection, idleTimeoutMs }: OpenRequestsOptions): OpenRequests {
  const connections = new WeakMap<Socket, Connection>();

  const watch = (socket: Socket): Connection => {
    const connection: Connection = {
      openCount: 0,
      idle: setTimeout(() => {
        if (connection.openCount === 0) socket.destroy();
      }, idleTimeoutMs),
    };
    connection.idle.unref();
    socket.once("close", () => clearTimeout(connection.idle));
    connections.set(socket, connection);
    return connection;
  };

  return ({ socket }, response) => {
    const connection = connections.get(socket) ?? watch(socket);
    if (connection.openCount >= maxPerConnection) {
      socket.destroy();
      return false;
    }
    connection.openCount++;
    response.once("close", () => {
      connection.openCount--;
      if (!socket.destroyed) connection.idle.refresh();
    });
    return true;
  };
}
