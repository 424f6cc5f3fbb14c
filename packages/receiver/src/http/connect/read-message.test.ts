import { deflateSync, gzipSync } from "node:zlib";
import { PushRequestSchema } from "@pyroscope-ts/protocol/messages";
import { describe, expect, it } from "vitest";
import { createTestApp } from "../../testing/create-test-app.ts";
import { createBodyBudget } from "../body/body-budget.ts";
import { createMessageReader } from "./read-message.ts";

const url = "/push.v1.PusherService/Push";
const tooMany = Buffer.alloc(400_000).fill(Buffer.from([0x0a, 0]));
// One series of one sample, whose profile is "x".
const good = Buffer.from([0x0a, 0x05, 0x12, 0x03, 0x0a, 0x01, 0x78]);
const goodJson = '{"series":[{"samples":[{"rawProfile":"eA=="}]}]}';

function envelope(message: Uint8Array, flags = 0): Buffer {
  const head = Buffer.from([flags, 0, 0, 0, 0]);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const proto = { "content-type": "application/proto" };
const grpc = { "content-type": "application/grpc+proto" };
const web = { "content-type": "application/grpc-web+proto" };
const json = { "content-type": "application/json; charset=utf-8" };

/** How a message is sent: with a name, headers, and the body of it. */
const ways: readonly (readonly [
  way: string,
  headers: Readonly<Record<string, string>>,
  pack: (message: Buffer) => Buffer,
])[] = [
  ["Connect", proto, (message) => message],
  ["Connect with gzip", { ...proto, "content-encoding": "gzip" }, (message) => gzipSync(message)],
  ["Connect with deflate", { ...proto, "content-encoding": "deflate" }, (message) => deflateSync(message)],
  ["Connect as identity", { ...proto, "content-encoding": "identity" }, (message) => message],
  ["gRPC", grpc, (message) => envelope(message)],
  ["gRPC with gzip", { ...grpc, "grpc-encoding": "gzip" }, (message) => envelope(gzipSync(message), 1)],
  ["gRPC with gzip that is not used", { ...grpc, "grpc-encoding": "gzip" }, (message) => envelope(message)],
  ["gRPC-Web", web, (message) => envelope(message)],
  ["gRPC-Web with gzip", { ...web, "grpc-encoding": "gzip" }, (message) => envelope(gzipSync(message), 1)],
];

describe("createMessageReader", () => {
  it.for(ways)(
    "refuses a message of too many fields over %s, and takes a good one",
    async ([, headers, pack]) => {
      const { app, pushed } = await createTestApp();

      const refused = await app.inject({ method: "POST", url, headers, payload: pack(tooMany) });
      const taken = await app.inject({ method: "POST", url, headers, payload: pack(good) });

      const isGrpc = headers["content-type"]?.includes("grpc") === true;
      const { statusCode, body, trailers } = refused;
      // gRPC-Web has its trailers at the end of its body.
      const said = decodeURIComponent(
        `${statusCode} ${JSON.stringify({ ...refused.headers, ...trailers })} ${body}`,
      );
      expect(said).toContain("the message has more than 65536 fields: send it in several");
      expect(said).toMatch(isGrpc ? /^200 .*grpc-status"?: ?"?3\b/s : /^400 /);
      expect(taken.statusCode).toBe(200);
      expect(pushed.map(({ items }) => items.map(({ payload }) => Buffer.from(payload).toString()))).toEqual([
        ["x"],
      ]);
    },
  );

  it("takes JSON, and refuses it when it has too many fields", async () => {
    const { app, pushed } = await createTestApp();
    const post = (payload: string) => app.inject({ method: "POST", url, headers: json, payload });

    expect((await post(goodJson)).statusCode).toBe(200);
    expect((await post(`{"series":[${Array(100_000).fill("{}").join()}]}`)).statusCode).toBe(400);
    expect(pushed.length).toBe(1);
  });

  it.for([
    ["gRPC", grpc],
    ["gRPC-Web", web],
    ["gRPC as identity", { ...grpc, "grpc-encoding": "identity" }],
  ] as const)("does not take for plain what %s says is compressed, without how", async ([, headers]) => {
    const { app, pushed } = await createTestApp();

    const payload = envelope(good, 1);
    const { headers: head, trailers, body } = await app.inject({ method: "POST", url, headers, payload });

    expect(JSON.stringify({ ...head, ...trailers }) + body).toMatch(/grpc-status"?: ?"?13\b/);
    expect(pushed).toEqual([]);
  });

  it("hands on no more than two messages of very many", async () => {
    const read = createMessageReader({ compressions: [], maxMessageBytes: 8_000_000 });
    async function* body() {
      yield new Uint8Array(2_000_000);
    }
    const reservation = { grow: () => undefined, release: () => undefined };

    const request = { header: new Headers(grpc), body: body(), message: PushRequestSchema, reservation };
    const chunks: Uint8Array[] = [];
    for await (const chunk of read(request)) chunks.push(chunk);

    expect(Buffer.concat(chunks)).toEqual(Buffer.concat([envelope(Buffer.of()), envelope(Buffer.of())]));
  });

  it("counts a push that it refuses", async () => {
    const { app } = await createTestApp();

    await app.inject({ method: "POST", url, headers: proto, payload: tooMany });

    expect((await app.inject({ url: "/metrics" })).body).toContain(
      'pyroscope_discarded_samples_total{reason="malformed_profile",tenant="anonymous"} 1',
    );
  });

  it.for([
    ["Connect", json, (message: Buffer) => message],
    ["gRPC", grpc, (message: Buffer) => envelope(message)],
  ] as const)(
    "hands one large message over %s on in each turn of the event loop",
    async ([, headers, pack]) => {
      const read = createMessageReader({ compressions: [], maxMessageBytes: 2 ** 22 });
      let turn = 0;
      const count = (): void => {
        turn++;
        counting = setImmediate(count);
      };
      let counting = setImmediate(count);
      const turnOf = async (message: Buffer): Promise<number> => {
        const body = (async function* () {
          yield pack(message);
        })();
        const reservation = createBodyBudget(0).open();
        const parts = { header: new Headers(headers), body, message: PushRequestSchema, reservation };
        for await (const _ of read(parts));
        return turn;
      };

      const small = await Promise.all([good, good, good].map(turnOf));
      const large = await Promise.all(Array.from({ length: 3 }, () => turnOf(Buffer.alloc(2 ** 20))));
      clearImmediate(counting);

      expect(new Set(small).size).toBe(1);
      expect(new Set(large).size).toBe(3);
    },
  );
});
