import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { encodePprof } from "@pyroscope-ts/protocol";
import {
  create,
  ExportProfilesServiceRequestSchema,
  fromBinary,
  ProfilesService,
  toBinary,
  toJson,
  UndecodedExportRequestSchema,
} from "@pyroscope-ts/protocol/messages";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createReceiverClient, type ReceiverClient } from "./harness/client.ts";
import { type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

const RANGE = { from: "now-1h", until: "now" };
const CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";

let directory: string;
let receiver: ReceiverProcess;
let client: ReceiverClient;

async function start(): Promise<void> {
  receiver = await startReadyReceiver({ directory, flags: ["--log-level", "error"] });
  client = createReceiverClient(receiver.address);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pyroscope-formats-"));
  await start();
});

afterAll(async () => {
  await receiver.stop();
  await rm(directory, { recursive: true });
});

/** What the server serves of a service, as folded text. */
async function collapsed(type: string, service: string): Promise<string> {
  const query = `${type}{service_name="${service}"}`;
  const parameters = new URLSearchParams({ query, ...RANGE, format: "collapsed" });
  const { status, body } = await client.get(`/render?${parameters}`);
  expect(status).toBe(200);
  return String(body).trim().split("\n").sort().join("\n");
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

/** A node of a trie or a tree with names and numbers below 128. */
function node(name: string, value: number, ...children: readonly Uint8Array[]): Uint8Array {
  const head = [name.length, ...Buffer.from(name), value, children.length];
  return new Uint8Array([...head, ...children.flatMap((child) => [...child])]);
}

const speedscope = JSON.stringify({
  $schema: "https://www.speedscope.app/file-format-schema.json",
  shared: { frames: [{ name: "main" }, { name: "handle" }, { name: "idle" }] },
  profiles: [
    {
      type: "sampled",
      name: "t",
      unit: "milliseconds",
      startValue: 0,
      endValue: 70,
      samples: [
        [0, 1],
        [0, 2],
      ],
      weights: [30, 40],
    },
  ],
});

describe("each text and tree format of /ingest", () => {
  const bodies = {
    folded: bytes("main;handle 3\nmain;idle 4\n"),
    lines: bytes("main;handle\n".repeat(3) + "main;idle\n".repeat(4)),
    trie: node("main;", 0, node("handle", 3), node("idle", 4)),
    tree: node("", 0, node("main", 0, node("handle", 3), node("idle", 4))),
    speedscope: bytes(speedscope),
  } as const;
  const formats = Object.keys(bodies) as (keyof typeof bodies)[];

  it.for(formats)(
    "%s is served with its exact stacks, twice when pushed twice, after kill -9 too",
    async (format) => {
      const service = `text-${format}`;
      const query = { name: `${service}.cpu{env=e2e}`, format };

      for (let push = 0; push < 2; push++) {
        expect(await client.ingest(query, bodies[format])).toMatchObject({ status: 200, body: "" });
      }
      const expected = "main;handle 60000000\nmain;idle 80000000";
      expect(await collapsed(CPU, service)).toBe(expected);

      await receiver.stop("SIGKILL");
      await start();
      expect(await collapsed(CPU, service)).toBe(expected);
    },
  );

  it("keeps lines above 64 KiB, gzip, empty frames and the types of names", async () => {
    const name = "x".repeat(70_000);
    expect(
      await client.ingest({ name: "big.alloc_space", format: "folded" }, gzipSync(`a;${name} 7\nb 1`)),
    ).toMatchObject({
      status: 200,
    });
    expect(
      await client.ingest({ name: "big.alloc_space", format: "folded" }, bytes("a;;c 5\n 6\n")),
    ).toMatchObject({
      status: 200,
    });

    expect(await client.renderTotal('memory:alloc_space:bytes::{service_name="big"}', RANGE)).toBe(19n);
  });

  it("stores what Pyroscope answers 200 and drops: a plain form field, and a label that is not closed", async () => {
    const pprof = encodePprof(
      profileFromText("main\nhandle", {
        sampleTypes: [{ type: "cpu", unit: "nanoseconds" }],
        periodType: { type: "cpu", unit: "nanoseconds" },
        values: [7],
        timeUnixNanos: BigInt(Date.now()) * 1_000_000n,
      }),
    );
    const plain = Buffer.concat([
      Buffer.from('--X\r\nContent-Disposition: form-data; name="profile"\r\n\r\n'),
      pprof,
      Buffer.from("\r\n--X--\r\n"),
    ]);
    const response = await fetch(`${receiver.address}/ingest?name=plain-field`, {
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=X" },
      body: new Uint8Array(plain),
    });
    const open = await client.ingest({ name: "not-closed{env=prod", format: "pprof" }, pprof);

    expect([response.status, open.status]).toEqual([200, 200]);
    expect(await collapsed(CPU, "plain-field")).toBe("main;handle 7");
    expect(await client.renderTotal(`${CPU}{service_name="not-closed",env="prod"}`, RANGE)).toBe(7n);
  });

  it.for([
    ["a bad count", { name: "bad.cpu", format: "folded" }, "main x", 422],
    ["a name without a type", { name: "my.app", format: "folded" }, "main 1", 400],
    ["a time outside of the window", { name: "bad.cpu", format: "folded", from: "20200101" }, "main 1", 400],
    ["a cut tree", { name: "bad.cpu", format: "tree" }, "\u0004ma", 422],
    ["no speedscope", { name: "bad.cpu", format: "speedscope" }, "{}", 422],
  ] as const)("refuses %s", async ([, query, text, status]) => {
    expect(await client.ingest(query, bytes(text))).toMatchObject({
      status,
      body: { message: expect.stringMatching(/./) },
    });
  });
});

describe("OTLP profiles", () => {
  const request = (service: string, value: bigint) =>
    create(ExportProfilesServiceRequestSchema, {
      dictionary: {
        stringTable: ["", "samples", "count", "cpu", "nanoseconds", "main", "handle"],
        functionTable: [{}, { nameStrindex: 5 }, { nameStrindex: 6 }],
        mappingTable: [{}],
        locationTable: [{}, { lines: [{ functionIndex: 1 }] }, { lines: [{ functionIndex: 2 }] }],
        stackTable: [{}, { locationIndices: [2, 1] }],
        linkTable: [{}],
        attributeTable: [{}],
      },
      resourceProfiles: [
        {
          resource: {
            attributes: [{ key: "service.name", value: { value: { case: "stringValue", value: service } } }],
          },
          scopeProfiles: [
            {
              profiles: [
                {
                  sampleType: { typeStrindex: 1, unitStrindex: 2 },
                  periodType: { typeStrindex: 3, unitStrindex: 4 },
                  period: 50_000_000n,
                  timeUnixNano: BigInt(Date.now()) * 1_000_000n,
                  samples: [{ stackIndex: 1, values: [value] }],
                },
              ],
            },
          ],
        },
      ],
    });
  const encode = (service: string, value: bigint) =>
    toBinary(ExportProfilesServiceRequestSchema, request(service, value));

  async function post(
    path: string,
    type: string,
    body: Uint8Array | string,
    headers: Record<string, string> = {},
  ) {
    const response = await fetch(`${receiver.address}${path}`, {
      method: "POST",
      headers: { "content-type": type, ...headers },
      body,
    });
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      body: await response.text(),
    };
  }

  it("arrive over HTTP as protobuf, gzip and JSON, on both paths, and count once when sent again", async () => {
    const grpcPath = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export";
    const ok = { status: 200, type: "application/x-protobuf", body: "" };
    const first = encode("otlp-http", 1n);
    const json = JSON.stringify(toJson(ExportProfilesServiceRequestSchema, request("otlp-http", 4n)));

    expect(await post("/v1development/profiles", "application/x-protobuf", first)).toEqual(ok);
    expect(await post("/v1development/profiles", "application/x-protobuf", first)).toEqual(ok);
    expect(
      await post("/v1development/profiles", "application/protobuf", gzipSync(encode("otlp-http", 2n)), {
        "content-encoding": "gzip",
      }),
    ).toEqual(ok);
    expect(await post(grpcPath, "application/json", json)).toEqual(ok);

    expect(await collapsed(CPU, "otlp-http")).toBe("main;handle 350000000");
  });

  it("arrive over gRPC", async () => {
    const grpc = createClient(ProfilesService, createGrpcTransport({ baseUrl: receiver.address }));
    const undecoded = (message: Uint8Array) => fromBinary(UndecodedExportRequestSchema, message);

    expect(await grpc.export(undecoded(encode("otlp-grpc", 3n)))).toMatchObject({});
    expect(await collapsed(CPU, "otlp-grpc")).toBe("main;handle 150000000");

    await expect(grpc.export({})).rejects.toThrow("[invalid_argument] missing profile metadata dictionary");
    await receiver.stop("SIGKILL");
    await start();
    expect(await collapsed(CPU, "otlp-grpc")).toBe("main;handle 150000000");
  });

  it("are refused in plain text", async () => {
    const text = "text/plain; charset=utf-8";

    expect(await post("/v1development/profiles", "application/json", "{")).toMatchObject({
      status: 400,
      type: text,
    });
    expect(await post("/v1development/profiles", "application/json; charset=utf-8", "{}")).toEqual({
      status: 415,
      type: text,
      body: "Unsupported Content-Type: application/json; charset=utf-8",
    });
  });
});
