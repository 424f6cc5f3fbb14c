import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { PusherService, QuerierService } from "@pyroscope-ts/protocol/messages";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  makeDataDirectory,
  type ReceiverProcess,
  startReceiver,
  waitUntilReady,
} from "./harness/receiver-process.ts";

const READ_TOKEN = "read-token-of-this-test";
const PUSH_TOKEN = "push-token-of-this-test";
let receiver: ReceiverProcess;
let removeDirectory: () => Promise<void>;

beforeAll(async () => {
  const { path, remove } = await makeDataDirectory();
  removeDirectory = remove;
  const flags = ["--auth-token", `push=${PUSH_TOKEN},read=${READ_TOKEN}`, "--http-read-timeout", "500ms"];
  receiver = await startReceiver({ directory: path, flags });
  await waitUntilReady(receiver.address);
});

afterAll(async () => {
  await receiver.stop();
  await removeDirectory();
});

/** Sends bytes as they are and returns what comes back until the server closes. */
async function sendRaw(bytes: string): Promise<string> {
  const { port } = new URL(receiver.address);
  const socket = connect(Number(port), "127.0.0.1");
  socket.write(bytes);
  return await text(socket).catch(() => "");
}

const transports = {
  Connect: (headers: Record<string, string>) => ({
    options: { httpVersion: "1.1" as const },
    headers,
    create: createConnectTransport,
  }),
  gRPC: (headers: Record<string, string>) => ({ options: {}, headers, create: createGrpcTransport }),
  "gRPC-Web": (headers: Record<string, string>) => ({
    options: { httpVersion: "1.1" as const },
    headers,
    create: createGrpcWebTransport,
  }),
};

function connectWith(protocol: keyof typeof transports, token: string | undefined) {
  const { create, options } = transports[protocol]({});
  const transport = create({
    ...(options as { httpVersion: "1.1" }),
    baseUrl: receiver.address,
    interceptors: [
      (next) => (request) => {
        if (token !== undefined) request.header.set("authorization", `Bearer ${token}`);
        return next(request);
      },
    ],
  });
  return { pusher: createClient(PusherService, transport), querier: createClient(QuerierService, transport) };
}

describe("a receiver with tokens", () => {
  it.for(["Connect", "gRPC", "gRPC-Web"] as const)(
    "tells %s clients what their token lacks",
    async (protocol) => {
      const codeOf = (call: Promise<unknown>) =>
        call.then(
          () => "ok",
          (error: unknown) => ConnectError.from(error).message,
        );

      const none = await codeOf(connectWith(protocol, undefined).querier.profileTypes({}));
      const wrong = await codeOf(connectWith(protocol, PUSH_TOKEN).querier.profileTypes({}));
      const right = await codeOf(connectWith(protocol, READ_TOKEN).querier.profileTypes({}));
      const reader = await codeOf(connectWith(protocol, READ_TOKEN).pusher.push({}));

      expect([none, wrong, right, reader]).toEqual([
        "[unauthenticated] a token is needed: send it as Authorization: Bearer TOKEN",
        "[permission_denied] this token does not allow to read profiles",
        "ok",
        "[permission_denied] this token does not allow to push profiles",
      ]);
    },
  );

  it.for([
    ["an absolute address", "GET http://127.0.0.1/metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"],
    ["dots", "GET /assets/../metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"],
    ["a doubled slash", "GET //metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"],
    [
      "an overridden method",
      "POST /healthz HTTP/1.1\r\nhost: x\r\nx-http-method-override: GET\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    ],
    [
      "a repeated header",
      "GET /metrics HTTP/1.1\r\nhost: x\r\nauthorization: Bearer no\r\nauthorization: Bearer no\r\nconnection: close\r\n\r\n",
    ],
    [
      "a trusted-looking origin",
      "GET /metrics HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 127.0.0.1\r\nconnection: close\r\n\r\n",
    ],
    ["an asterisk", "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"],
    ["no host", "GET /metrics HTTP/1.1\r\nconnection: close\r\n\r\n"],
    [
      "two lengths",
      "POST /ingest HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\ncontent-length: 5\r\nconnection: close\r\n\r\n",
    ],
    [
      "an oversized head",
      `GET /metrics HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(20_000)}\r\nconnection: close\r\n\r\n`,
    ],
  ] as const)("lets nobody in by %s", async ([, bytes]) => {
    const answer = await sendRaw(bytes);

    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer).not.toContain("pyroscope_build_info");
  });

  it("closes clients that stall and serves others meanwhile", async () => {
    const { port } = new URL(receiver.address);
    const stalls = [
      "",
      "G",
      "GET /ready HTTP/1.1\r\n",
      "PRI * HTTP/2.0\r\n",
      `POST /ingest?name=a HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${PUSH_TOKEN}\r\ncontent-length: 9\r\n\r\nab`,
    ];
    const sockets = Array.from({ length: 100 }, (_, index) => {
      const socket = connect(Number(port), "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(stalls[index % stalls.length] ?? "");
      socket.resume();
      return socket;
    });

    const closed = Promise.all(sockets.map((socket) => once(socket, "close")));
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await fetch(`${receiver.address}/ready`)).status),
    );
    await closed;

    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});
