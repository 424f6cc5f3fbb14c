import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";

const run = promisify(execFile);

/** Where Debian puts PostgreSQL's programs, the newest version; undefined: nowhere. */
const programs: string | undefined = existsSync("/usr/lib/postgresql")
  ? readdirSync("/usr/lib/postgresql")
      .sort((left, right) => Number(right) - Number(left))
      .map((version) => `/usr/lib/postgresql/${version}/bin`)
      .find((path) => existsSync(join(path, "initdb")))
  : undefined;

/** Whether this machine has a PostgreSQL server. In CI its absence is a failure of the tests that need it. */
export const hasPostgres: boolean = programs !== undefined || process.env.CI !== undefined;

/** A PostgreSQL server on loopback with an empty database. */
export interface PostgresServer {
  readonly url: string;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it again after {@link kill}. */
  start(): Promise<void>;
  /** Ends it and deletes its data. */
  stop(): Promise<void>;
}

/** Starts a PostgreSQL server: about two seconds. It does not run as root; then Debian's user `postgres` runs it. */
export async function startPostgres(): Promise<PostgresServer> {
  if (programs === undefined) throw new Error("there is no PostgreSQL server in /usr/lib/postgresql");
  const bin = programs;
  const directory = await mkdtemp(join(tmpdir(), "postgres-"));
  const data = join(directory, "data");
  const owner = userInfo().uid === 0 ? await ownerOf("postgres") : {};
  if (owner.uid !== undefined) await chown(directory, owner.uid, owner.gid ?? owner.uid);
  const port = await freePort();
  const options = { ...owner, cwd: directory };
  await run(
    join(bin, "initdb"),
    ["-D", data, "-A", "trust", "-U", "pyroscope", "-E", "UTF8", "--no-sync"],
    options,
  );
  let server: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const settings = [
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      `port=${port}`,
      "-c",
      `unix_socket_directories=${directory}`,
    ];
    server = spawn(join(bin, "postgres"), ["-D", data, ...settings], { ...options, stdio: "ignore" });
    for (let i = 0; i < 300; i++) {
      const isReady = run(join(bin, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port)]).then(
        () => true,
        () => false,
      );
      if (await isReady) return;
      await sleep(50);
    }
    throw new Error("PostgreSQL did not become ready");
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = server;
    server = undefined;
    if (ending === undefined) return;
    const ended = new Promise((resolve) => ending.once("exit", resolve));
    ending.kill(signal);
    await ended;
  };
  await start();
  return {
    url: `postgres://pyroscope@127.0.0.1:${port}/postgres`,
    // SIGQUIT: the server's own crash, which takes its children along; SIGKILL would leave them.
    kill: () => end("SIGQUIT"),
    start,
    async stop() {
      await end("SIGQUIT");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function ownerOf(user: string): Promise<{ readonly uid?: number; readonly gid?: number }> {
  const id = async (flag: string): Promise<number> => Number((await run("id", [flag, user])).stdout.trim());
  return { uid: await id("-u"), gid: await id("-g") };
}
