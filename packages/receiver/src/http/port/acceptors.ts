import { once } from "node:events";
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { platform } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Node takes one connection of a listening socket in each turn of its event loop. A turn in which two hundred requests are answered takes
 * 50 ms: connections would wait for minutes, those of health checks too. With sixteen sockets as many are taken in a turn,
 * which takes 2 ms of it.
 */
const ACCEPTOR_COUNT = 16;

/** Another program has a port's claim for the moment in which it looks and begins to listen. */
const CLAIM_TRIES = 250;
const CLAIM_PAUSE_MS = 20;

/** Where the kernel shares connections out between sockets of one port; elsewhere there is one. */
const canShare = platform === "linux";

/** Listens with several sockets on one port, as if it was one. */
export interface Acceptors {
  listen: Server["listen"];
  /** Stops all of them; `done` is called when the last connection has ended. */
  close(done?: (error?: Error) => void): Server;
}

/** Gives a server that does not listen yet further sockets, whose connections it gets as its own. */
export function createAcceptors(
  server: Server,
  options: { readonly keepAlive?: boolean; readonly noDelay?: boolean },
): Acceptors {
  const listenAlone = server.listen.bind(server);
  const closeAlone = server.close.bind(server);
  const others: Server[] = [];
  let isClosed = false;

  async function open(where: ListenOptions): Promise<void> {
    const claim = await claimPort(where.port);
    const giveBack = (): void => void claim?.close();
    try {
      await checkFree(where);
    } catch (error) {
      giveBack();
      throw error;
    }
    if (isClosed) return giveBack();
    for (const event of ["listening", "error", "close"]) server.once(event, giveBack);
    server.once("listening", () => void openOthers(where).catch(() => undefined));
    listenAlone({ ...where, reusePort: true });
  }

  /** Where no further one can be had, those that there are accept. */
  async function openOthers({ host, backlog }: ListenOptions): Promise<void> {
    const { port } = server.address() as AddressInfo;
    while (!isClosed && others.length + 1 < ACCEPTOR_COUNT) {
      const other = createServer(options, (socket: Socket) => server.emit("connection", socket));
      await listenOn(other, { host, port, backlog, reusePort: true });
      if (isClosed) other.close();
      else others.push(other);
    }
  }

  return {
    listen: ((...where: readonly unknown[]): Server => {
      const [first] = where;
      if (!canShare || typeof first !== "object") return listenAlone(...(where as [ListenOptions]));
      open(first as ListenOptions).catch((error: unknown) => server.emit("error", error));
      return server;
    }) as Server["listen"],
    close(done) {
      isClosed = true;
      const ends = others.splice(0).map((other) => once(other.close(), "close"));
      return closeAlone((error) => void Promise.all(ends).then(() => done?.(error)));
    },
  };
}

/**
 * Two receivers that start in one moment would both find a port free, and share it. A name that only one can have, and that
 * ends with its process, lets them look one after the other.
 *
 * @returns what is to be closed when it is known who has the port; undefined where nobody can have such a name.
 */
async function claimPort(port: number | undefined): Promise<Server | undefined> {
  if (port === undefined || port === 0) return undefined;
  for (let triesLeft = CLAIM_TRIES; ; triesLeft--) {
    const claim = createServer().unref();
    try {
      await listenOn(claim, { path: `\0pyroscope-port-${port}` });
      return claim;
    } catch (error) {
      if (!isTaken(error)) return undefined;
      if (triesLeft === 0) throw error;
      await sleep(CLAIM_PAUSE_MS);
    }
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

/** Sockets that share a port would share it with another program's as well. */
async function checkFree(where: ListenOptions): Promise<void> {
  if (where.port === 0) return;
  const probe = createServer();
  await listenOn(probe, where);
  await once(probe.close(), "close");
}

async function listenOn(server: Server, where: ListenOptions): Promise<void> {
  server.listen(where);
  await once(server, "listening");
}
