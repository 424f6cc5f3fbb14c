import { deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Ingester } from "../../ingest/ingester.ts";
import { createTestApp } from "../../testing/create-test-app.ts";

// Every way to upload, crossed with every way in which an upload can be broken before its own format begins.
const FORMATS = ["pprof", "multipart", "jfr", "groups", "lines", "trie", "tree", "speedscope"] as const;
const UPLOADS = [...FORMATS, "otlp proto", "otlp json", "push"] as const;

type Upload = (typeof UPLOADS)[number];

const text = Buffer.from("main;work 5\n");
const whole = gzipSync(text);
const noise = Buffer.from(
  Array.from({ length: 4096 }, (_, index) => (Math.imul(index, 2_654_435_761) >>> 13) & 0xff),
);

/** Broken whatever the format is: each is refused. */
const REFUSED = {
  "truncated gzip": whole.subarray(0, -6),
  "gzip with a bad checksum": Buffer.concat([whole.subarray(0, -8), Buffer.alloc(8, 1)]),
  "gzip of gzip": gzipSync(whole),
  "the head of gzip alone": Buffer.from([0x1f, 0x8b]),
  "gzip around no deflate": Buffer.concat([whole.subarray(0, 10), Buffer.alloc(40, 0xff)]),
  "a gzip bomb": gzipSync(Buffer.alloc(20_000_000)),
} as const;

/** Refused, or of the format by chance: text is what it is. */
const SAFE = {
  noise,
  "no gzip": deflateRawSync(text),
  "the largest varints": Buffer.alloc(4096, 0xff),
  "unfinished varints": Buffer.alloc(4096, 0x80),
  "NUL bytes": Buffer.alloc(4096),
  "opening brackets": Buffer.alloc(10_000, "["),
  semicolons: Buffer.alloc(10_000, ";"),
  "names of Object.prototype": Buffer.from('{"__proto__":{"constructor":{}}}\n__proto__;constructor 1\n'),
} as const;

const defects: unknown[] = [];
// One server for every case: what one upload does to it, the next would meet.
const app = await createServer();

async function createServer() {
  const ingester = new Ingester({
    store: { append: async () => {}, hasSeries: () => false, seriesCount: () => 0 },
    log: (message, error) => defects.push(message, error),
  });
  const { app } = await createTestApp({ storage: { push: (batch) => ingester.push(batch) } });
  return app;
}

function toRequest(
  upload: Upload,
  bytes: Buffer,
): { url: string; headers: Record<string, string>; payload: Buffer } {
  if (upload === "push") {
    const series = [
      {
        labels: [
          { name: "__name__", value: "cpu" },
          { name: "service_name", value: "shop" },
        ],
        samples: [{ rawProfile: bytes.toString("base64") }],
      },
    ];
    const headers = { "content-type": "application/json" };
    return { url: "/push.v1.PusherService/Push", headers, payload: Buffer.from(JSON.stringify({ series })) };
  }
  if (upload === "otlp proto" || upload === "otlp json") {
    const type = upload === "otlp proto" ? "application/x-protobuf" : "application/json";
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    const headers = { "content-type": type, ...(isGzip && { "content-encoding": "gzip" }) };
    return { url: "/v1development/profiles", headers, payload: bytes };
  }
  const url = `/ingest?name=shop.cpu&format=${upload === "multipart" ? "" : upload}`;
  if (upload !== "multipart") return { url, headers: {}, payload: bytes };
  const head = '--X\r\nContent-Disposition: form-data; name="profile"; filename="p"\r\n\r\n';
  const payload = Buffer.concat([Buffer.from(head), bytes, Buffer.from("\r\n--X--\r\n")]);
  return { url, headers: { "content-type": "multipart/form-data; boundary=X" }, payload };
}

describe.for(UPLOADS)("an upload by %s", (upload) => {
  it.for(Object.entries(REFUSED))("that is %s is refused", async ([, bytes]) => {
    const { statusCode, body } = await app.inject({ method: "POST", ...toRequest(upload, bytes) });

    expect([400, 413, 422]).toContain(statusCode);
    expect(body.length).toBeGreaterThan(10);
    expect(defects).toEqual([]);
  });

  it.for(Object.entries(SAFE))("of %s is refused or safe", async ([, bytes]) => {
    const { statusCode } = await app.inject({ method: "POST", ...toRequest(upload, bytes) });

    expect([200, 400, 422]).toContain(statusCode);
    expect(defects).toEqual([]);
    expect(Object.hasOwn(Object.prototype, "constructor") && !Object.hasOwn({}, "constructor")).toBe(true);
  });

  it("of no bytes stores nothing, and says so where a profile was promised", async () => {
    const { statusCode } = await app.inject({ method: "POST", ...toRequest(upload, Buffer.alloc(0)) });

    expect(statusCode).toBe(upload === "push" || upload.startsWith("otlp") ? 400 : 200);
    expect(defects).toEqual([]);
  });
});
