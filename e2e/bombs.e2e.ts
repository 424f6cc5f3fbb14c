import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pushRequestBytes, stacksPprof } from "./harness/push-bytes.ts";
import { makeDataDirectory, type ReceiverProcess, startReadyReceiver } from "./harness/receiver-process.ts";

const MEBIBYTE = 1024 * 1024;
/** What the bombs of a row may cost together. */
const MAX_EXTRA_MIB = 64;
/** Enough to pass the limit many times over if each took what it stands for. */
const AT_ONCE = 20;

const PUSH = "/push.v1.PusherService/Push";
const INGEST = "/ingest?name=shop&format=pprof";
const QUERY = "/querier.v1.QuerierService/SelectMergeStacktraces";
const UPLOAD = "/adhocprofiles.v1.AdHocProfileService/Upload";
const PROTO = { "content-type": "application/proto" };
const FORM = { "content-type": "multipart/form-data; boundary=b" };
const OTLP = { "content-type": "application/x-protobuf" };

const good = Buffer.from(
  stacksPprof({
    types: [["cpu", "nanoseconds"]],
    periodType: ["cpu", "nanoseconds"],
    timeUnixNanos: BigInt(Date.now()) * 1_000_000n,
    stacks: { "main;serve": [10] },
  }),
);
const push = (pprof: Uint8Array) =>
  pushRequestBytes([{ labels: { __name__: "process_cpu", service_name: "shop" }, pprof }]);

const adHoc = (file: Buffer) => JSON.stringify({ name: "a.pprof", profile: file.toString("base64") });

const zeros = Buffer.alloc(64 * MEBIBYTE);
const gzipBomb = gzipSync(zeros);
const deflateBomb = deflateSync(zeros);
const zstdBomb = zstdCompressSync(zeros);
const brotliBomb = brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
const manySamples = gzipSync(Buffer.concat([good, Buffer.alloc(4_000_000).fill(Buffer.of(0x12, 0))]));
const part = '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n';

/** What is sent, how, how often at once, and the status of each answer. */
const bombs: readonly (readonly [
  what: string,
  request: readonly [
    path: string,
    headers: Readonly<Record<string, string>>,
    body: () => Uint8Array | string | ReadableStream,
  ],
  count: number,
  status: number,
])[] = [
  ["a gzip bomb as the profile of a push", [PUSH, PROTO, () => push(gzipBomb)], AT_ONCE, 400],
  ["a gzip bomb as a body of /ingest", [INGEST, {}, () => gzipBomb], AT_ONCE, 422],
  // The size that a gzip stream states is that of its last member.
  [
    "a gzip bomb that says it is small",
    [INGEST, {}, () => Buffer.concat([gzipBomb, gzipSync(good)])],
    AT_ONCE / 4,
    422,
  ],
  ["gzip in gzip", [INGEST, {}, () => gzipSync(gzipBomb)], AT_ONCE, 422],
  [
    "gzip in gzip, one as encoding",
    [INGEST, { "content-encoding": "gzip" }, () => gzipSync(gzipBomb)],
    AT_ONCE,
    422,
  ],
  ["a gzip bomb as encoding", [INGEST, { "content-encoding": "gzip" }, () => gzipBomb], AT_ONCE, 400],
  [
    "a deflate bomb as encoding",
    [INGEST, { "content-encoding": "deflate" }, () => deflateBomb],
    AT_ONCE,
    400,
  ],
  ["a zstd bomb as encoding", [INGEST, { "content-encoding": "zstd" }, () => zstdBomb], AT_ONCE, 400],
  [
    "a gzip bomb as the encoding of a push",
    [PUSH, { ...PROTO, "content-encoding": "gzip" }, () => gzipBomb],
    AT_ONCE,
    400,
  ],
  [
    "a zstd bomb as the encoding of a push",
    [PUSH, { ...PROTO, "content-encoding": "zstd" }, () => zstdBomb],
    AT_ONCE,
    400,
  ],
  [
    "a brotli bomb as the encoding of a push",
    [PUSH, { ...PROTO, "content-encoding": "br" }, () => brotliBomb],
    AT_ONCE,
    400,
  ],
  [
    "a gzip bomb as a file that someone wants to look at",
    [UPLOAD, { "content-type": "application/json" }, () => adHoc(gzipBomb)],
    AT_ONCE,
    400,
  ],
  [
    "a deflate bomb as the encoding of a query",
    [QUERY, { ...PROTO, "content-encoding": "deflate" }, () => deflateBomb],
    AT_ONCE,
    400,
  ],
  [
    "a gzip bomb as OTLP",
    ["/v1development/profiles", { ...OTLP, "content-encoding": "gzip" }, () => gzipBomb],
    AT_ONCE,
    400,
  ],
  [
    "zstd that states a size of 2^62 bytes",
    [INGEST, { "content-encoding": "zstd" }, () => lyingZstd()],
    AT_ONCE,
    400,
  ],
  [
    "400,000 messages in a request of gRPC-Web",
    [PUSH, { "content-type": "application/grpc-web" }, () => new Uint8Array(2_000_000)],
    AT_ONCE / 4,
    200,
  ],
  // Node says of these that they are wrong when it has said that they have ended.
  [
    "zstd with other bytes behind it",
    [INGEST, { "content-encoding": "zstd" }, () => withGarbage()],
    AT_ONCE,
    400,
  ],
  [
    "zstd with other bytes behind it, as the encoding of a push",
    [PUSH, { ...PROTO, "content-encoding": "zstd" }, () => withGarbage()],
    AT_ONCE,
    400,
  ],
  ["a form of 100,000 parts", ["/ingest?name=shop", FORM, () => `${part.repeat(100_000)}--b--\r\n`], 1, 422],
  ["2 million samples in 4 kB", [INGEST, {}, () => manySamples], AT_ONCE / 4, 422],
  [
    "a profile with a megabyte of garbage behind it",
    [INGEST, {}, () => Buffer.concat([gzipSync(good), Buffer.alloc(MEBIBYTE, 7)])],
    AT_ONCE / 4,
    422,
  ],
  ["a body without an end", [INGEST, {}, endless], 1, 413],
];

/** A frame whose header states 2^62 bytes of content, and an empty last block. */
function lyingZstd(): Buffer {
  const magic = [0x28, 0xb5, 0x2f, 0xfd];
  // Single segment, and eight bytes of content size.
  const header = [0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40];
  return Buffer.from([...magic, ...header, 1, 0, 0]);
}

function withGarbage(): Buffer {
  return Buffer.concat([zstdCompressSync(good), Buffer.alloc(100_000, 7)]);
}

/** Chunks until somebody stops reading them, a gigabyte at most. */
function endless(): ReadableStream {
  const chunk = new Uint8Array(MEBIBYTE / 4);
  let left = 4096;
  return new ReadableStream({
    pull(controller) {
      if (left-- === 0) controller.close();
      else controller.enqueue(chunk);
    },
  });
}

let directory: Awaited<ReturnType<typeof makeDataDirectory>>;
let receiver: ReceiverProcess;

beforeAll(async () => {
  directory = await makeDataDirectory();
  receiver = await startReadyReceiver({ directory: directory.path, flags: ["--log-level", "error"] });
}, 60_000);

afterAll(async () => {
  await receiver.stop();
  await directory.remove();
});

async function send([path, headers, body]: (typeof bombs)[number][1]): Promise<number> {
  const init: RequestInit = { method: "POST", headers, body: body(), duplex: "half" };
  const response = await fetch(`${receiver.address}${path}`, init);
  await response.arrayBuffer();
  return response.status;
}

/** The most memory that the receiver took so far, in MiB: what a bomb adds to it is real, whatever was freed before. */
function peakMib(): number {
  const status = readFileSync(`/proc/${receiver.process.pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

describe.skipIf(process.platform !== "linux")("bombs", () => {
  it("are refused, and cost no more than 64 MiB", async () => {
    const honest = [PUSH, PROTO, () => push(gzipSync(good))] as const;
    expect(await send(honest)).toBe(200);

    const rows: (readonly [what: string, statuses: readonly number[], extraMib: number])[] = [];
    for (const [what, request, count] of bombs) {
      const before = peakMib();
      const statuses = await Promise.all(Array.from({ length: count }, () => send(request)));
      rows.push([what, [...new Set(statuses)], Math.round(peakMib() - before)]);
    }

    expect(rows.map(([what, statuses]) => [what, statuses])).toEqual(
      bombs.map(([what, , , status]) => [what, [status]]),
    );
    expect(rows.filter(([, , extraMib]) => extraMib > MAX_EXTRA_MIB)).toEqual([]);
    expect(await send(honest)).toBe(200);
  });
});
