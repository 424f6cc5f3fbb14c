import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { encodePprof } from "@pyroscope-ts/protocol";
import { profileFromText } from "@pyroscope-ts/protocol/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createReceiverClient,
  type ReceiverClient,
  type TransportName,
  transports,
} from "./harness/client.ts";
import { type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

let directory: string;
let receiver: ReceiverProcess;
let client: ReceiverClient;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pyroscope-e2e-"));
  const flags = ["--log-level", "error", "--max-global-series-per-tenant", "2"];
  receiver = await startReadyReceiver({ directory, flags });
  client = createReceiverClient(receiver.address);
});

afterAll(async () => {
  await receiver.stop();
  await rm(directory, { recursive: true });
});

const timeUnixNanos = BigInt(Date.now()) * 1_000_000n;
const good = encodePprof(profileFromText("main", { timeUnixNanos }));
const dashed = encodePprof(
  profileFromText("main", { timeUnixNanos, sampleTypes: [{ type: "inuse-space", unit: "bytes" }] }),
);
const old = encodePprof(profileFromText("main", { timeUnixNanos: timeUnixNanos - 3_700_000_000_000n }));

// A fixed sequence: what is refused today is refused tomorrow.
let state = 1;
const random = new Uint8Array(2 * 1024 * 1024).map(() => {
  state = Math.imul(state, 1_664_525) + 1_013_904_223;
  return state >>> 24;
});

const bad: readonly (readonly [what: string, payload: Uint8Array, reason: string, message: RegExp])[] = [
  ["2 MiB of random bytes", random, "malformed_profile", /./],
  ["a gzip bomb", gzipSync(new Uint8Array(200_000_000)), "profile_size_limit", /size/],
  [
    "2 million empty samples",
    gzipSync(Buffer.concat([good, Buffer.alloc(4_000_000).fill(Buffer.of(0x12, 0))])),
    "samples_limit",
    /samples count limit/,
  ],
  ["a pprof that is cut", good.subarray(0, -3), "malformed_profile", /./],
  ["gzip that is cut", gzipSync(good).subarray(0, -3), "malformed_profile", /not a whole gzip stream/],
  ["a sample type with a dash", dashed, "malformed_profile", /sample type contains -/],
  ["a profile from more than an hour ago", old, "not_in_ingestion_window", /outside of ingestion window/],
];

function push(payload: Uint8Array, service = "shop", transport?: TransportName) {
  const labels = [
    { name: "__name__", value: "process_cpu" },
    { name: "service_name", value: service },
  ];
  return client.pusher(transport).push({ series: [{ labels, samples: [{ rawProfile: payload }] }] });
}

async function refusal(pushing: Promise<unknown>): Promise<ConnectError> {
  const error = await pushing.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

async function discarded(reason: string): Promise<number> {
  const { body } = await client.get("/metrics");
  const line = String(body)
    .split("\n")
    .find((one) => one.startsWith(`pyroscope_discarded_samples_total{reason="${reason}"`));
  return Number(line?.split(" ").at(-1) ?? 0);
}

describe("a profile that cannot be kept", () => {
  it.for(bad)(
    "%s: 400 on push, 422 on /ingest, counted by reason, and the server goes on",
    async ([, payload, reason, message]) => {
      const before = await discarded(reason);

      const pushed = await refusal(push(payload));
      const ingested = await client.ingest({ name: "shop", format: "pprof" }, payload);

      expect(pushed.code).toBe(Code.InvalidArgument);
      expect(pushed.rawMessage).toMatch(message);
      expect(ingested).toMatchObject({
        status: 422,
        body: { code: "unknown", message: expect.stringMatching(message) },
      });
      expect(await discarded(reason)).toBe(before + 2);
      await push(good);
    },
  );

  it.for(Object.keys(transports) as TransportName[])("is refused alike over %s", async (transport) => {
    const error = await refusal(push(dashed, "shop", transport));

    expect([error.code, error.rawMessage]).toEqual([Code.InvalidArgument, "sample type contains -"]);
  });

  it("does not keep the others of its request out", async () => {
    const sample = (rawProfile: Uint8Array) => ({ rawProfile });
    const labels = [
      { name: "__name__", value: "process_cpu" },
      { name: "service_name", value: "shop" },
    ];
    const another = encodePprof(profileFromText("main", { values: [41], timeUnixNanos }));

    const error = await refusal(
      client.pusher().push({ series: [{ labels, samples: [sample(dashed), sample(another)] }] }),
    );

    expect(error.rawMessage).toBe("sample type contains -");
    const total = await client.renderTotal('process_cpu:samples:count::{service_name="shop"}', {
      from: "now-1h",
      until: "now+1h",
    });
    expect(total).toBe(42n);
  });

  it("answers 429 to a new series at the limit", async () => {
    await push(good, "second");

    const error = await refusal(push(good, "third"));
    const ingested = await client.ingest({ name: "third", format: "pprof" }, good);

    expect(error.code).toBe(Code.ResourceExhausted);
    expect(ingested).toMatchObject({ status: 429, body: { code: "resource_exhausted" } });
    await push(good);
  });

  it("says that nothing was sent", async () => {
    const error = await refusal(client.pusher().push({ series: [] }));

    expect([error.code, error.rawMessage]).toEqual([Code.InvalidArgument, "no profiles received"]);
  });

  it("names what is wrong with the name of an application", async () => {
    expect(await client.ingest({ name: "bad name" }, good)).toMatchObject({
      status: 400,
      body: {
        code: "invalid_argument",
        message: "name: invalid service name: bad name: character is not allowed: ' '",
      },
    });
  });
});

describe("a push that is not a message", () => {
  const url = () => `${client.baseUrl}/push.v1.PusherService/Push`;
  const post = (contentType: string, body: Uint8Array, headers: Record<string, string> = {}) =>
    fetch(url(), { method: "POST", headers: { "content-type": contentType, ...headers }, body });

  it.for([
    ["random bytes as proto", "application/proto", random, {}],
    ["text as proto", "application/proto", Buffer.from("hello"), {}],
    ["text as JSON", "application/json", Buffer.from("hello"), {}],
    ["no bytes as JSON", "application/json", Buffer.alloc(0), {}],
    ["no bytes as proto", "application/proto", Buffer.alloc(0), {}],
    ["JSON of another shape", "application/json", Buffer.from('{"series":"x"}'), {}],
    ["gzip that is none", "application/proto", Buffer.from("hello"), { "content-encoding": "gzip" }],
  ] as const)("is the client's fault: %s", async ([, contentType, body, headers]) => {
    const response = await post(contentType, body, headers);

    expect([response.status, await response.json()]).toEqual([
      400,
      { code: "invalid_argument", message: expect.any(String) },
    ]);
  });

  it("is the client's fault in gRPC-Web too", async () => {
    const frame = Buffer.from([0, 0, 0, 0, 5, ...Buffer.from("hello")]);

    const response = await post("application/grpc-web+proto", frame);

    expect(`${response.headers.get("grpc-status")} ${await response.text()}`).toMatch(/^3 |grpc-status: 3/);
  });

  it("is answered 405 for another method and 415 for another type", async () => {
    const wrongMethod = await fetch(url());
    const wrongType = await post("text/plain", Buffer.from("x"));

    expect([wrongMethod.status, wrongMethod.headers.get("allow")]).toEqual([405, "POST"]);
    expect([wrongType.status, wrongType.headers.has("accept-post")]).toEqual([415, true]);
  });
});
