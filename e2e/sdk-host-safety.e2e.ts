import { createServer, type Server, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { type Answer, startFakeReceiver } from "./harness/fake-receiver.ts";
import { allNodes, fixturePath, runProgram } from "./harness/run-program.ts";

/** Something that a program uploads to, and how it misbehaves. */
interface BadServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

const answers: { readonly [name: string]: Answer } = {
  "never answers": () => {},
  "answers one byte at a time": (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write("."), 50);
    response.on("close", () => clearInterval(timer));
  },
  "answers without end": (response) => {
    response.writeHead(500);
    const chunk = Buffer.alloc(65_536, ".");
    const timer = setInterval(() => response.write(chunk), 1);
    response.on("close", () => clearInterval(timer));
  },
  "answers 301": (response) => response.writeHead(301, { location: "http://127.0.0.1:1/" }).end(),
  "answers 400": (response) => response.writeHead(400).end('{"code":"invalid_argument"}'),
  "answers 401": (response) => response.writeHead(401).end(),
  "answers 413": (response) => response.writeHead(413).end(),
  "answers 429": (response) => response.writeHead(429, { "retry-after": "1" }).end(),
  "answers 500": (response) => response.writeHead(500).end("\u001b[31m broken \n"),
  "closes the connection": (response) => void response.destroy(),
};

async function startSocketServer(onSocket: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onSocket);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

async function startResettingServer(): Promise<BadServer> {
  const server = await startSocketServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.resetAndDestroy());
  });
  return { url: urlOf(server), close: () => closeServer(server) };
}

async function startRefusingAddress(): Promise<BadServer> {
  const server = await startSocketServer(() => {});
  const url = urlOf(server);
  await closeServer(server);
  return { url, close: async () => {} };
}

function urlOf(server: Server): string {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

async function closeServer(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

const servers: readonly { readonly name: string; readonly open: () => Promise<BadServer> }[] = [
  { name: "refuses connections", open: startRefusingAddress },
  { name: "resets connections", open: startResettingServer },
  {
    name: "speaks no TLS",
    open: async () => {
      const receiver = await startFakeReceiver();
      return { url: receiver.url.replace("http:", "https:"), close: receiver.close };
    },
  },
  {
    name: "has no such name",
    open: async () => ({ url: "http://pyroscope.invalid", close: async () => {} }),
  },
  ...Object.entries(answers).map(([name, answer]) => ({ name, open: () => startFakeReceiver(answer) })),
];

async function runAgainst(open: () => Promise<BadServer>, node: string, scenario: string) {
  const server = await open();
  try {
    return await runProgram(node, [fixturePath("sdk-program.mjs"), scenario, server.url]).result;
  } finally {
    await server.close();
  }
}

describe.for(servers)("a server that $name", ({ open }) => {
  it("does not hold a program that has ended, and leaves its exit code", async () => {
    const result = await runAgainst(open, process.execPath, "work-and-end");

    expect(result).toMatchObject({ code: 0, signal: null });
  });

  it("does not keep stop() from resolving; each window is counted, and the trouble said once", async () => {
    const { code, signal, stdout, stderr } = await runAgainst(open, process.execPath, "work-and-stop");

    expect({ code, signal }).toEqual({ code: 0, signal: null });
    const { ok, sentCount, droppedCount, rejectedCount, waitingCount } = JSON.parse(stdout);
    expect({ sentCount, waitingCount }).toEqual({ sentCount: 0, waitingCount: 0 });
    expect(droppedCount + rejectedCount).toBeGreaterThan(0);
    // What the server does not want is settled: nothing is left to send.
    expect(ok).toBe(droppedCount === 0);
    const lines = stderr.split("\n").filter((line) => line.includes("upload to "));
    expect(lines.filter((line) => !line.includes("stopped with")).length).toBeLessThanOrEqual(1);
    expect(stderr).not.toContain("\u001b");
  });
});

describe.for(allNodes.slice(1))("host safety on Node $major", ({ path }) => {
  it.for(["refuses connections", "never answers", "answers 500"])(
    "survives a server that %s",
    async (name) => {
      const open = servers.find((server) => server.name === name)?.open ?? startRefusingAddress;

      expect(await runAgainst(open, path, "work-and-end")).toMatchObject({ code: 0, signal: null });
      expect(await runAgainst(open, path, "work-and-stop")).toMatchObject({ code: 0, signal: null });
    },
  );
});

describe("a redirect", () => {
  it("is not followed: credentials go to no other server", async () => {
    const other = await startFakeReceiver();
    const first = await startFakeReceiver((response) =>
      response.writeHead(307, { location: `${other.url}/push.v1.PusherService/Push` }).end(),
    );
    try {
      const args = [fixturePath("sdk-program.mjs"), "work-and-stop", first.url];
      const { stderr } = await runProgram(process.execPath, args, { PYROSCOPE_AUTH_TOKEN: "hunter2" }).result;

      expect(first.requests[0]?.headers.authorization).toBe("Bearer hunter2");
      expect(other.requests).toEqual([]);
      expect(stderr).toContain(`status 307 redirects to ${other.url}`);
      expect(stderr).not.toContain("hunter2");
    } finally {
      await Promise.all([first.close(), other.close()]);
    }
  });
});

describe("a slow server", () => {
  it("loses no window", async () => {
    const receiver = await startFakeReceiver(
      (response) => void setTimeout(() => response.writeHead(200).end(), 250),
    );
    try {
      const args = [fixturePath("sdk-program.mjs"), "work-slowly-and-stop", receiver.url];
      const { stdout } = await runProgram(process.execPath, args).result;

      const { ok, sentCount, droppedCount, rejectedCount } = JSON.parse(stdout);
      expect({ ok, droppedCount, rejectedCount }).toEqual({ ok: true, droppedCount: 0, rejectedCount: 0 });
      expect(sentCount).toBeGreaterThan(1);
      expect(receiver.requests).toHaveLength(sentCount);
    } finally {
      await receiver.close();
    }
  });
});
