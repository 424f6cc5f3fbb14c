import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createBodyBudget } from "./body-budget.ts";
import { readBody } from "./read-body.ts";

type Chunk = Buffer | Error;

/** A request whose body arrives in chunks; an error stands for a connection that breaks off. */
function requestOf(chunks: readonly Chunk[], headers: Record<string, string> = {}): IncomingMessage {
  const left = [...chunks];
  const stream = new Readable({
    read() {
      const chunk = left.shift();
      if (chunk instanceof Error) this.destroy(chunk);
      else this.push(chunk ?? null);
    },
  });
  return Object.assign(stream, {
    headers,
    complete: !chunks.some((chunk) => chunk instanceof Error),
  }) as never;
}

async function read(chunks: readonly Chunk[], headers: Record<string, string> = {}, limitBytes = 10) {
  const budget = createBodyBudget(100);
  const request = requestOf(chunks, headers);
  const outcome = await readBody(request, { limitBytes, reservation: budget.open() }).then(
    (body) => Buffer.from(body).toString(),
    (error: unknown) => error,
  );
  return { outcome, request, heldBytes: budget.inflightBytes };
}

const gzip = gzipSync(Buffer.from("0123456789"));
const GZIP = { "content-encoding": "gzip" };

describe("readBody", () => {
  it("joins chunks, and counts them as they arrive", async () => {
    const { outcome, heldBytes } = await read([Buffer.from("01234"), Buffer.from("56789")]);

    expect(outcome).toBe("0123456789");
    expect(heldBytes).toBe(10);
  });

  it("owns the whole buffer of what it returns", async () => {
    const body = await readBody(requestOf([Buffer.from("0")]), {
      limitBytes: 1,
      reservation: createBodyBudget(0).open(),
    });

    expect(body.buffer.byteLength).toBe(1);
  });

  it("undoes gzip and counts what comes out", async () => {
    const { outcome, heldBytes } = await read([gzip.subarray(0, 12), gzip.subarray(12)], GZIP);

    expect(outcome).toBe("0123456789");
    expect(heldBytes).toBe(10);
  });

  it.for([
    ["deflate", deflateSync],
    ["zstd", zstdCompressSync],
  ] as const)("undoes %s, stops its bombs and refuses what is cut", async ([encoding, compress]) => {
    const headers = { "content-encoding": encoding };
    const whole = compress(Buffer.from("0123456789"));

    expect((await read([whole], headers)).outcome).toBe("0123456789");
    expect((await read([compress(Buffer.alloc(5_000_000))], headers)).outcome).toMatchObject({
      code: "BODY_TOO_LARGE",
    });
    expect((await read([whole.subarray(0, -3)], headers)).outcome).toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect((await read([Buffer.from("neither")], headers)).outcome).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(`request body is not a whole ${encoding} stream: `),
    });
  });

  it("refuses what is behind the end of deflate, whenever it comes", async () => {
    const headers = { "content-encoding": "deflate" };
    const whole = deflateSync(Buffer.from("0123456789"));

    for (const behind of [whole, Buffer.alloc(100_000, 7), Buffer.of(7)]) {
      expect((await read([Buffer.concat([whole, behind])], headers)).outcome).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(
          `there are ${behind.length} bytes behind the end of the deflate stream of ${whole.length} bytes`,
        ),
      });
    }
    const later = await read([whole, Buffer.alloc(100_000, 7)], headers);
    expect(later.outcome).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it.for([
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ] as const)("takes all members or frames of %s, wherever chunks end", async ([encoding, compress]) => {
    const headers = { "content-encoding": encoding };
    const two = Buffer.concat([compress(Buffer.from("01234")), compress(Buffer.from("56789"))]);

    for (let at = 0; at <= two.length; at++) {
      const chunks = [two.subarray(0, at), two.subarray(at)].filter(({ length }) => length > 0);
      expect((await read(chunks, headers)).outcome).toBe("0123456789");
    }
  });

  it.for([
    ["other bytes", Buffer.alloc(100_000, 7)],
    ["one byte", Buffer.of(7)],
    ["a frame that is cut", zstdCompressSync(Buffer.from("56789")).subarray(0, -3)],
  ] as const)("refuses %s behind a frame of zstd, whenever it comes", async ([, behind]) => {
    const headers = { "content-encoding": "zstd" };
    const whole = zstdCompressSync(Buffer.from("01234"));
    const refused = {
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("request body is not a whole zstd stream: "),
    };

    expect((await read([Buffer.concat([whole, behind])], headers)).outcome).toMatchObject(refused);
    expect((await read([whole, behind], headers)).outcome).toMatchObject(refused);
  });

  it("takes a thousand frames of zstd and no more", async () => {
    const headers = { "content-encoding": "zstd" };
    const empty = zstdCompressSync(Buffer.alloc(0));
    const many = (count: number) => [Buffer.concat(Array<Buffer>(count).fill(empty))];

    expect((await read(many(1000), headers)).outcome).toBe("");
    expect((await read(many(1001), headers)).outcome).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: "decompressing a request body: it has more than 1000 frames of zstd",
    });
  });

  it("stops at the limit, and lets the rest flow away so that the client sees the answer", async () => {
    const { outcome, request } = await read([Buffer.alloc(10), Buffer.alloc(1), Buffer.alloc(1)]);
    const destroyedAtOnce = request.destroyed;
    await once(request, "end");

    expect(outcome).toMatchObject({
      code: "BODY_TOO_LARGE",
      message: "request body too large: at least 11 bytes, limit 10",
    });
    expect(destroyedAtOnce).toBe(false);
  });

  it("breaks off when the rest has no end", async () => {
    const mebibyte = Buffer.alloc(1024 * 1024);
    const { request } = await read([Buffer.alloc(11), ...Array<Buffer>(80).fill(mebibyte)]);

    await once(request, "close");

    expect(request.readableEnded).toBe(false);
  });

  it("refuses by Content-Length before it reads", async () => {
    const { outcome, heldBytes } = await read([Buffer.alloc(11)], { "content-length": "11" });

    expect(outcome).toMatchObject({ code: "BODY_TOO_LARGE" });
    expect(heldBytes).toBe(0);
  });

  it("stops a gzip bomb at the limit", async () => {
    const { outcome, heldBytes } = await read([gzipSync(Buffer.alloc(50_000_000))], GZIP);

    expect(outcome).toMatchObject({ code: "BODY_TOO_LARGE" });
    expect(heldBytes).toBeLessThanOrEqual(10);
  });

  it.for([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["zstd", zstdCompressSync],
  ] as const)("stops a %s bomb long before a limit that is far away", async ([encoding, compress]) => {
    const budget = createBodyBudget(0);
    const request = requestOf([compress(Buffer.alloc(20_000_000))], { "content-encoding": encoding });

    const reading = readBody(request, { limitBytes: 0, reservation: budget.open() });

    await expect(reading).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("the limit is 200 times as many above 1048576 bytes"),
    });
    expect(budget.inflightBytes).toBeLessThan(2 * 1024 * 1024);
  });

  it("stops when the budget is spent", async () => {
    const { outcome } = await read([Buffer.alloc(60), Buffer.alloc(60)], {}, 0);

    expect(outcome).toMatchObject({ code: "UNAVAILABLE" });
  });

  it.for([
    ["is not gzip", Buffer.from("no gzip")],
    ["is cut", gzip.subarray(0, -4)],
  ] as const)("refuses a gzip body that %s", async ([, body]) => {
    expect((await read([body], GZIP)).outcome).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it.for([{}, GZIP])("says that the client broke off, with headers %j", async (headers) => {
    expect((await read([gzip.subarray(0, 5), new Error("aborted")], headers)).outcome).toMatchObject({
      code: "BODY_TIMEOUT",
    });
  });

  it("refuses other encodings", async () => {
    expect((await read([], { "content-encoding": "br" })).outcome).toMatchObject({
      code: "UNSUPPORTED_MEDIA_TYPE",
    });
  });
});
