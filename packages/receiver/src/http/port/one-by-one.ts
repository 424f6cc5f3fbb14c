import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Bounds of {@link serveOneByOne}. */
export interface OneByOneOptions {
  /** Requests of one connection that may wait for the one before them. */
  readonly maxWaiting: number;
  /** Longest that a connection may be without a request, whatever else it sends. */
  readonly idleTimeoutMs: number;
}

interface Connection {
  /** A request whose client is gone has none any more. */
  readonly socket: Socket;
  isBusy: boolean;
  readonly waiting: (readonly [request: IncomingMessage, response: ServerResponse])[];
  readonly idle: NodeJS.Timeout;
}

/**
 * Bounds what Node does not bound of an HTTP/1.1 connection. Requests that are sent before the answers to those before them
 * have come (what is read at once may hold a thousand) are handed on one after the other; a connection is closed when too
 * many wait. Blank lines between requests, which count as a sign of life, do not keep a connection for ever.
 */
export function serveOneByOne(
  listener: RequestListener,
  { maxWaiting, idleTimeoutMs }: OneByOneOptions,
): RequestListener {
  const connections = new WeakMap<Socket, Connection>();

  const watch = (socket: Socket): Connection => {
    const connection: Connection = {
      socket,
      isBusy: false,
      waiting: [],
      idle: setTimeout(() => {
        if (!connection.isBusy) socket.destroy();
      }, idleTimeoutMs),
    };
    connection.idle.unref();
    socket.once("close", () => {
      clearTimeout(connection.idle);
      connection.waiting.length = 0;
    });
    connections.set(socket, connection);
    return connection;
  };

  const serve = (connection: Connection, request: IncomingMessage, response: ServerResponse): void => {
    connection.isBusy = true;
    response.once("close", () => {
      connection.isBusy = false;
      if (connection.socket.destroyed) return;
      connection.idle.refresh();
      const next = connection.waiting.shift();
      if (next !== undefined) serve(connection, ...next);
    });
    listener(request, response);
  };

  return (request, response) => {
    const { socket } = request;
    const connection = connections.get(socket) ?? watch(socket);
    if (!connection.isBusy) serve(connection, request, response);
    else if (connection.waiting.length < maxWaiting) connection.waiting.push([request, response]);
    else socket.destroy();
  };
}
