import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request as requestHttp1 } from "node:https";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { QuerierService } from "@pyroscope-ts/protocol/messages";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeDataDirectory, type ReceiverProcess, startReceiver } from "./harness/receiver-process.ts";
import { fixturePath } from "./harness/run-program.ts";

const certificateFile = fixturePath("tls/certificate.pem");
const ca = readFileSync(certificateFile);
let receiver: ReceiverProcess;
let removeDirectory: () => Promise<void>;

beforeAll(async () => {
  const { path, remove } = await makeDataDirectory();
  removeDirectory = remove;
  const flags = ["--tls-certificate-file", certificateFile, "--tls-key-file", fixturePath("tls/key.pem")];
  receiver = await startReceiver({ directory: path, flags });
});

afterAll(async () => {
  await receiver.stop();
  await removeDirectory();
});

async function getHttp1(path: string): Promise<IncomingMessage> {
  const sent = requestHttp1(`${receiver.address}${path}`, { ca, agent: false });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return response;
}

describe("pyroscope server with TLS", () => {
  it("says that its address is https and answers HTTP/1.1 there", async () => {
    const response = await getHttp1("/healthz");

    expect(receiver.address).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect([response.httpVersion, await text(response)]).toEqual(["1.1", "ok\n"]);
    expect(response.headers["strict-transport-security"]).toBe("max-age=31536000");
  });

  it("answers HTTP/2 by ALPN on the same port", async () => {
    const session = connectHttp2(receiver.address, { ca });

    const body = await text(session.request({ ":path": "/healthz" }));
    session.close();

    expect([session.alpnProtocol, body]).toEqual(["h2", "ok\n"]);
  });

  it("answers gRPC", async () => {
    while ((await getHttp1("/ready")).statusCode !== 200);
    const client = createClient(
      QuerierService,
      createGrpcTransport({ baseUrl: receiver.address, nodeOptions: { ca } }),
    );

    expect((await client.profileTypes({})).profileTypes).toEqual([]);
  });

  it("refuses TLS 1.1 and cleartext", async () => {
    const port = Number(new URL(receiver.address).port);
    const old = connectTls({
      port,
      host: "127.0.0.1",
      ca,
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1.1",
      ciphers: "ALL:@SECLEVEL=0",
    });

    await expect(once(old, "secureConnect")).rejects.toThrow();
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
    expect((await getHttp1("/healthz")).statusCode).toBe(200);
  });
});
