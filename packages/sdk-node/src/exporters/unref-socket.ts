import type { Agent } from "node:http";
import type { Duplex } from "node:stream";

/** An agent refs a socket while a request runs on it; those of `agent` stay unref'd. */
export function unrefSockets<A extends Agent>(agent: A): A {
  const createConnection = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => unrefSocket(createConnection(options, callback));
  return agent;
}

/** Unrefs a socket for ever. */
export function unrefSocket<S extends Duplex | null | undefined>(socket: S): S {
  if (isRefCounted(socket)) {
    socket.unref();
    socket.ref = () => socket;
  }
  return socket;
}

function isRefCounted(socket: unknown): socket is { ref: () => unknown; unref: () => unknown } {
  return typeof socket === "object" && socket !== null && "ref" in socket && "unref" in socket;
}
