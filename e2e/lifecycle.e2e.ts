import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { encodePprof } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeLines } from "./harness/processes.ts";
import {
  makeDataDirectory,
  type ReceiverProcess,
  runReceiver,
  startReceiver,
  waitUntilReady,
} from "./harness/receiver-process.ts";

let directory: string;
let removeDirectory: () => Promise<void>;
const receivers: ReceiverProcess[] = [];

beforeEach(async () => {
  const made = await makeDataDirectory();
  directory = made.path;
  removeDirectory = made.remove;
});

afterEach(async () => {
  await Promise.all(receivers.splice(0).map((receiver) => receiver.stop("SIGKILL")));
  await removeDirectory();
});

async function start(...flags: readonly string[]): Promise<ReceiverProcess> {
  const receiver = await startReceiver({ directory, flags });
  receivers.push(receiver);
  await waitUntilReady(receiver.address);
  return receiver;
}

/** A push whose body is only begun: the server has it in flight. */
async function beginPush(
  address: string,
): Promise<{ readonly push: ClientRequest; finish(): Promise<number> }> {
  const now = Math.floor(Date.now() / 1000);
  const payload = encodePprof(
    profileFromText("main\nhot", { timeUnixNanos: BigInt(Date.now()) * 1_000_000n }),
  );
  const url = `${address}/ingest?name=drained&format=pprof&from=${now}&until=${now}`;
  const push = request(url, { method: "POST", headers: { expect: "100-continue" } });
  push.on("error", () => undefined);
  push.flushHeaders();
  // The server has seen the head of the request when it asks for the body.
  await once(push, "continue");
  push.write(payload.subarray(0, 5));
  return {
    push,
    async finish() {
      push.end(payload.subarray(5));
      const [response] = (await once(push, "response")) as [IncomingMessage];
      await text(response);
      return response.statusCode ?? 0;
    },
  };
}

async function readServices(address: string): Promise<unknown> {
  const response = await fetch(`${address}/label-values?label=service_name&from=now-1h&until=now`);
  return await response.json();
}

describe("pyroscope server", () => {
  it("says its address on the first line, and nothing else on standard output", async () => {
    const receiver = await start();

    const health = await fetch(`${receiver.address}/healthz`);
    const { code, stdout } = await receiver.stop();

    expect([health.status, code]).toEqual([200, 0]);
    expect(stdout).toBe(`pyroscope: listening on ${receiver.address}\n`);
  });

  it.for(["SIGTERM", "SIGINT"] as const)(
    "answers what is in flight after %s, keeps it, and accepts no more",
    async (signal) => {
      const receiver = await start();
      const { finish } = await beginPush(receiver.address);

      receiver.process.kill(signal);
      await expect.poll(() => fetch(`${receiver.address}/healthz`).catch(() => "refused")).toBe("refused");
      const status = await finish();
      const { code } = await receiver.result;

      const next = await start();
      expect([status, code]).toEqual([200, 0]);
      expect(await readServices(next.address)).toEqual(["drained"]);
    },
  );

  it("serves the page with its files, and Node has nothing to warn about", async () => {
    const receiver = await start();
    const page = await (await fetch(receiver.address)).text();
    const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file!);

    for (const file of files) {
      const response = await fetch(new URL(file, receiver.address));
      await response.arrayBuffer();
      expect([file, response.status]).toEqual([file, 200]);
    }
    const { stderr } = await receiver.stop();

    expect(files.length).toBeGreaterThan(1);
    expect(stderr).not.toContain("Warning:");
  });

  it("waits for a request in flight no longer than it is told to", async () => {
    const receiver = await start("--shutdown-timeout", "50ms");
    const { push } = await beginPush(receiver.address);
    const cut = new Promise<void>((resolve) => push.once("close", resolve));

    const { code } = await receiver.stop();
    await cut;

    expect(code).toBe(0);
  });

  it("ends at once on a second signal", async () => {
    const receiver = await start("--shutdown-timeout", "1h");
    await beginPush(receiver.address);

    receiver.process.kill("SIGTERM");
    await expect.poll(() => fetch(`${receiver.address}/healthz`).catch(() => "refused")).toBe("refused");
    const { signal } = await receiver.stop();

    expect(signal).toBe("SIGTERM");
  });

  it("refuses a directory that another process holds, names that process, and does not listen", async () => {
    const first = await start();

    const { code, stdout, stderr } = await runReceiver([
      "server",
      "--api-bind-addr",
      "127.0.0.1:0",
      "--storage-path",
      directory,
    ]).result;

    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(String(first.process.pid));
    expect(stderr).toContain(directory);
    expect((await fetch(`${first.address}/ready`)).status).toBe(200);
  });

  it("takes the directory of a process that was killed", async () => {
    const first = await start();
    await first.stop("SIGKILL");

    const second = await start();

    expect((await fetch(`${second.address}/ready`)).status).toBe(200);
  });

  it("names the port that is taken and how to choose another", async () => {
    const other = await makeDataDirectory();
    const first = await start();
    const port = new URL(first.address).port;

    const args = ["server", "--api-bind-addr", `127.0.0.1:${port}`, "--storage-path", other.path];
    const { code, stderr } = await runReceiver(args).result;
    await other.remove();

    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(
        `^pyroscope: listening on 127\\.0\\.0\\.1:${port}: port ${port} is taken by another program; choose`,
        "m",
      ),
    );
  });

  it.for([
    [["server", "--retention", "soon"], "pyroscope: --retention=soon: expected a duration"],
    [["server", "--api-bind-addr", ":0"], "or --insecure if that is meant"],
    [
      ["server", "--tls-key-file", "/nonexistent", "--tls-certificate-file", "/nonexistent"],
      "the file cannot be read",
    ],
    [
      ["server", "--tls-key-file", "package.json", "--tls-certificate-file", "package.json"],
      "expected a PEM certificate and its key",
    ],
    [["server", "--nonsense"], "unknown option '--nonsense'"],
    [["serve"], "unknown command 'serve'"],
  ] as const)("exits with 2 and one clear line for %j", async ([args, line]) => {
    const { code, stderr, stdout } = await runReceiver([...args, ...pathOf(args)]).result;

    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr.split("\n").filter((text) => text.includes(line))).toHaveLength(1);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("takes settings from the environment, and shows tokens nowhere", async () => {
    const env = {
      PYROSCOPE_AUTH_TOKEN: "push=marker-of-push,read=marker-of-read",
      PYROSCOPE_LOG_LEVEL: "trace",
    };
    const receiver = await startReceiver({ directory, env });
    receivers.push(receiver);

    const headers = { authorization: "Bearer marker-of-read" };
    const metrics = await fetch(`${receiver.address}/metrics`, { headers });
    const refused = await fetch(`${receiver.address}/metrics`, {
      headers: { authorization: "Bearer marker-of-x" },
    });
    const body = await metrics.text();
    const { stderr, stdout } = await receiver.stop();

    expect([metrics.status, refused.status]).toEqual([200, 401]);
    expect(`${stdout}${stderr}${body}${await refused.text()}`).not.toContain("marker-of");
    expect(stderr).toContain('"auth-token":"push=***,read=***"');
  });

  it.runIf(nodeLines.some(({ major }) => major === "20"))(
    "says in one line what it needs on Node 20",
    async () => {
      const node20 = nodeLines.find(({ major }) => major === "20");

      const { code, stdout, stderr } = await runReceiver(["server"], {}, node20?.path).result;

      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^pyroscope: needs Node 22\.19 or newer, this is 20\.\d+\.\d+\n$/);
    },
  );
});

/** The server's own data directory, where the arguments are those of the server. */
function pathOf([command]: readonly string[]): readonly string[] {
  return command === "server" ? ["--storage-path", directory] : [];
}
