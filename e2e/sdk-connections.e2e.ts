import { readFileSync } from "node:fs";
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  request,
  type Server,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { readSamples, withReceiver } from "./harness/fake-receiver.ts";
import { fixturePath, runProgram } from "./harness/run-program.ts";

const program = fixturePath("sdk-delivery.mjs");
const certificateFile = fixturePath("tls/certificate.pem");
const keyFile = fixturePath("tls/key.pem");
const cert = readFileSync(certificateFile);
const key = readFileSync(keyFile);

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

async function runWork(env: Readonly<Record<string, string>>) {
  const { code, stdout, stderr } = await runProgram(process.execPath, [program, "work"], {
    PYROSCOPE_APPLICATION_NAME: "connections",
    PYROSCOPE_PROFILE_TYPES: "cpu",
    // One window, however long the machine takes.
    PYROSCOPE_UPLOAD_RATE: "1h",
    ...env,
  }).result;
  expect(code).toBe(0);
  const { exporters } = JSON.parse(stdout);
  return { ...exporters[0], stderr };
}

/** A server with TLS that takes everything. */
async function withTlsServer(
  options: { readonly requestCert: boolean },
  use: (
    port: number,
    seen: { readonly isAuthorized: boolean; readonly headers: IncomingHttpHeaders }[],
  ) => Promise<void>,
): Promise<void> {
  const seen: { isAuthorized: boolean; headers: IncomingHttpHeaders }[] = [];
  const answer: RequestListener = (incoming, response) => {
    seen.push({ isAuthorized: (incoming.socket as TLSSocket).authorized, headers: incoming.headers });
    incoming.resume().on("end", () => response.writeHead(200).end());
  };
  const { requestCert } = options;
  const server = createHttpsServer({ cert, key, ca: cert, requestCert, rejectUnauthorized: false }, answer);
  const port = await listen(server);
  try {
    await use(port, seen);
  } finally {
    await close(server);
  }
}

describe("a server whose certificate no authority of Node has signed", () => {
  it("gets nothing, is trusted by tlsCa, and without a check only on demand", {
    timeout: 180_000,
  }, async () => {
    await withTlsServer({ requestCert: false }, async (port, seen) => {
      const address = {
        PYROSCOPE_SERVER_ADDRESS: `https://localhost:${port}`,
        PYROSCOPE_AUTH_TOKEN: "hunter2",
      };

      const refused = await runWork({ ...address, PYROSCOPE_EXIT_TIMEOUT: "0" });
      expect(refused).toMatchObject({ sentCount: 0, lastError: expect.stringContaining("self-signed") });
      expect(seen).toEqual([]);

      const text = cert.toString().replaceAll("\n", "\\n");
      const accepted = await Promise.all([
        runWork({ ...address, PYROSCOPE_TLS_CA: certificateFile }),
        runWork({ ...address, PYROSCOPE_TLS_CA: text }),
        runWork({ ...address, PYROSCOPE_TLS_REJECT_UNAUTHORIZED: "false" }),
      ]);
      expect(accepted.map(({ sentCount }) => sentCount)).toEqual([1, 1, 1]);
      expect(seen.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill("Bearer hunter2"));
      for (const { stderr } of [refused, ...accepted]) expect(stderr).not.toContain("hunter2");
    });
  });

  it("sees the certificate of the client", async () => {
    await withTlsServer({ requestCert: true }, async (port, seen) => {
      const { sentCount } = await runWork({
        PYROSCOPE_SERVER_ADDRESS: `https://localhost:${port}`,
        PYROSCOPE_TLS_CA: certificateFile,
        PYROSCOPE_TLS_CERT: certificateFile,
        PYROSCOPE_TLS_KEY: keyFile,
      });

      expect([sentCount, seen.map(({ isAuthorized }) => isAuthorized)]).toEqual([1, [true]]);
    });
  });

  it("is reached all the same where files of certificates are missing, which is said", async () => {
    await withReceiver(async (receiver) => {
      const { sentCount, stderr } = await runWork({
        PYROSCOPE_SERVER_ADDRESS: receiver.url,
        PYROSCOPE_TLS_CA: "/nowhere/ca.pem",
      });

      expect(sentCount).toBe(1);
      expect(stderr).toContain('PYROSCOPE_TLS_CA="/nowhere/ca.pem" ignored: expected PEM');
    });
  });
});

interface SeenByProxy {
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
}

/** A proxy that knows every name as this machine. */
async function withProxy(
  targetPort: number,
  use: (url: string, seen: SeenByProxy[]) => Promise<void>,
): Promise<void> {
  const seen: SeenByProxy[] = [];
  const proxy = createServer((incoming, response) => {
    seen.push({ line: `${incoming.method} ${incoming.url}`, headers: incoming.headers });
    const { pathname } = new URL(incoming.url ?? "");
    const { method, headers } = incoming;
    const onward = request(
      { host: "127.0.0.1", port: targetPort, path: pathname, method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    incoming.pipe(onward);
  });
  proxy.on("connect", (incoming, socket, head) => {
    seen.push({ line: `CONNECT ${incoming.url}`, headers: incoming.headers });
    const onward = connect(targetPort, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const each of [socket, onward]) each.on("error", () => {});
  });
  const port = await listen(proxy);
  try {
    await use(`http://user:s%40fe@127.0.0.1:${port}`, seen);
  } finally {
    await close(proxy);
  }
}

const proxyAuthorization = `Basic ${Buffer.from("user:s@fe").toString("base64")}`;

describe("a proxy", () => {
  it("forwards uploads to an http:// server, which does not see the proxy's password", async () => {
    await withReceiver(async (receiver) => {
      await withProxy(Number(new URL(receiver.url).port), async (http_proxy, seen) => {
        const url = "http://receiver.test:4040";
        const { sentCount, stderr } = await runWork({ PYROSCOPE_SERVER_ADDRESS: url, http_proxy });

        expect(sentCount).toBe(1);
        expect(seen).toMatchObject([
          {
            line: `POST ${url}/push.v1.PusherService/Push`,
            headers: { "proxy-authorization": proxyAuthorization },
          },
        ]);
        expect(receiver.profiles()).toHaveLength(1);
        expect(stderr).not.toContain("fe@");
      });
    });
  });

  it("leads a tunnel to an https:// server, and sees no header of an upload", async () => {
    await withTlsServer({ requestCert: false }, async (targetPort, seenByServer) => {
      await withProxy(targetPort, async (HTTPS_PROXY, seen) => {
        const { sentCount } = await runWork({
          PYROSCOPE_SERVER_ADDRESS: "https://receiver.test",
          PYROSCOPE_AUTH_TOKEN: "hunter2",
          PYROSCOPE_TLS_REJECT_UNAUTHORIZED: "false",
          HTTPS_PROXY,
        });

        expect(sentCount).toBe(1);
        expect(seen.map(({ line }) => line)).toEqual(["CONNECT receiver.test:443"]);
        expect(seen[0]?.headers["proxy-authorization"]).toBe(proxyAuthorization);
        expect(seen[0]?.headers.authorization).toBeUndefined();
        expect(seenByServer[0]?.headers.authorization).toBe("Bearer hunter2");
        expect(seenByServer[0]?.headers["proxy-authorization"]).toBeUndefined();
      });
    });
  });

  it("that lets no tunnel through is what the error of an upload names", async () => {
    const proxy = createServer().on("connect", (_incoming, socket) => {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    });
    const port = await listen(proxy);
    try {
      const { sentCount, lastError } = await runWork({
        PYROSCOPE_SERVER_ADDRESS: "https://receiver.test",
        PYROSCOPE_EXIT_TIMEOUT: "0",
        https_proxy: `http://127.0.0.1:${port}`,
      });

      expect({ sentCount, lastError }).toEqual({
        sentCount: 0,
        lastError: "upload to https://receiver.test: the proxy answered 407 to CONNECT",
      });
    } finally {
      await close(proxy);
    }
  });

  it("is passed by for this machine and for what NO_PROXY names", async () => {
    await withReceiver(async (receiver) => {
      await withProxy(1, async (http_proxy, seen) => {
        expect(await runWork({ PYROSCOPE_SERVER_ADDRESS: receiver.url, http_proxy })).toMatchObject({
          sentCount: 1,
        });
        const except = { http_proxy, NO_PROXY: ".invalid", PYROSCOPE_EXIT_TIMEOUT: "0" };
        const { lastError } = await runWork({
          PYROSCOPE_SERVER_ADDRESS: "http://receiver.invalid",
          ...except,
        });

        expect(lastError).toMatch(/ENOTFOUND|EAI_AGAIN/);
        expect(seen).toEqual([]);
      });
    });
  });
});

describe("a function that is frozen between calls", () => {
  it("sends each call's window before it answers, whole and alone", async () => {
    await withReceiver(async (receiver) => {
      const environment = {
        PYROSCOPE_APPLICATION_NAME: "function",
        PYROSCOPE_SERVER_ADDRESS: receiver.url,
        PYROSCOPE_PROFILE_TYPES: "wall",
        PYROSCOPE_UPLOAD_RATE: "1h",
      };
      const running = runProgram(process.execPath, [program, "invocations"], environment, "pipe");
      const { process: child } = running;
      const arrived: (readonly string[])[] = [];
      for (const call of [1, 2, 3]) {
        child.stdin?.write("work\n");
        await running.waitForOutput('"ok":true', call);
        child.kill("SIGSTOP");
        const samples = receiver.profiles().flatMap(({ profile }) => readSamples(profile));
        arrived.push([...new Set(samples.flatMap(({ labels }) => labels.invocation ?? []))]);
        await wait(200);
        child.kill("SIGCONT");
      }
      child.stdin?.end();

      const { code, stdout } = await running.result;
      expect(code).toBe(0);
      expect(arrived).toEqual([["1"], ["1", "2"], ["1", "2", "3"]]);
      const { ok, exporters } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
      const none = { droppedCount: 0, waitingCount: 0, rejectedCount: 0 };
      expect({ ok, ...exporters[0] }).toMatchObject({ ok: true, ...none });
    });
  });
});

describe("a server that is away", () => {
  it("costs a bounded queue and no more memory, and every window is counted", async () => {
    const windows = 60;
    const { stdout } = await runProgram(process.execPath, ["--expose-gc", program, "outage", `${windows}`], {
      PYROSCOPE_APPLICATION_NAME: "outage",
      PYROSCOPE_SERVER_ADDRESS: "http://127.0.0.1:1",
      PYROSCOPE_UPLOAD_QUEUE_SIZE: "64k",
      PYROSCOPE_PROFILE_TYPES: "cpu,inuse_space",
      PYROSCOPE_UPLOAD_RATE: "1h",
      PYROSCOPE_LOG_LEVEL: "off",
      PYROSCOPE_EXIT_TIMEOUT: "0",
    }).result;

    const { growthMiB, server, own } = JSON.parse(stdout);
    expect(own.sentCount).toBe(2 * windows);
    expect(own).toMatchObject({ droppedCount: 0, waitingCount: 0 });
    expect(server).toMatchObject({ sentCount: 0, rejectedCount: 0 });
    expect(server.droppedCount + server.waitingCount).toBe(own.sentCount);
    expect(server.droppedCount).toBeGreaterThan(0);
    // What is being tried is beside what waits.
    expect(server.waitingBytes).toBeLessThan(80 * 1024);
    expect(growthMiB).toBeLessThanOrEqual(16);
  });
});
