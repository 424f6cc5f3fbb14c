import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { createBodyBudget } from "../body/body-budget.ts";
import { createMeteredCompressions } from "./metered-compression.ts";

const text = Buffer.from("a message of thirty-one letters");
const cases = [
  ["gzip", gzipSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
  ["deflate", deflateSync],
] as const;

function createDecompress(name: string, maxInflightBytes = 1000) {
  const budget = createBodyBudget(maxInflightBytes);
  const compression = createMeteredCompressions(budget).find((one) => one.name === name);
  return { budget, decompress: compression!.decompress };
}

describe.for(cases)("createMeteredCompressions, %s", ([name, compress]) => {
  const isRepeated = name === "gzip" || name === "zstd";

  it("takes a message at its limit and refuses one byte more", async () => {
    const { decompress, budget } = createDecompress(name);

    expect(Buffer.from(await decompress(compress(text), text.length))).toEqual(text);
    await expect(decompress(compress(text), text.length - 1)).rejects.toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: `message is larger than configured readMaxBytes ${text.length - 1} after decompression`,
    });
    expect(budget.inflightBytes).toBe(0);
  });

  it("stops when the budget is spent, long before the limit", async () => {
    const { decompress, budget } = createDecompress(name);

    await expect(decompress(compress(Buffer.alloc(10_000_000)), 1e9)).rejects.toMatchObject({
      code: Code.Unavailable,
    });
    expect(budget.inflightBytes).toBe(0);
  });

  it("stops a bomb long before its limit", async () => {
    const { decompress } = createDecompress(name, 2 * 1024 * 1024);

    await expect(decompress(compress(Buffer.alloc(10_000_000)), 1e9)).rejects.toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: expect.stringContaining("the limit is 200 times as many above 1048576 bytes"),
    });
  });

  it("refuses bytes that are not compressed, and those that are cut", async () => {
    const { decompress } = createDecompress(name);

    await expect(decompress(text, 1000)).rejects.toMatchObject({ code: Code.InvalidArgument });
    await expect(decompress(compress(text).subarray(0, -4), 1000)).rejects.toMatchObject({
      code: Code.InvalidArgument,
    });
  });

  it.skipIf(isRepeated)("refuses what is behind the end, whatever it is", async () => {
    const { decompress, budget } = createDecompress(name);

    for (const behind of [compress(text), Buffer.alloc(100_000, 7), Buffer.of(7)]) {
      await expect(decompress(Buffer.concat([compress(text), behind]), 1000)).rejects.toMatchObject({
        code: Code.InvalidArgument,
        rawMessage: expect.stringContaining(
          `there are ${behind.length} bytes behind the end of the ${name} stream`,
        ),
      });
    }
    expect(budget.inflightBytes).toBe(0);
  });

  it.runIf(name === "zstd")("refuses what is no frame behind one", async () => {
    const { decompress, budget } = createDecompress(name);

    for (const behind of [compress(text).subarray(0, -1), Buffer.alloc(100_000, 7), Buffer.of(7)]) {
      await expect(decompress(Buffer.concat([compress(text), behind]), 1000)).rejects.toMatchObject({
        code: Code.InvalidArgument,
      });
    }
    expect(budget.inflightBytes).toBe(0);
  });

  it.runIf(isRepeated)("takes one after the other of several", async () => {
    const { decompress } = createDecompress(name);

    const twice = await decompress(Buffer.concat([compress(text), compress(text)]), 1000);

    expect(Buffer.from(twice)).toEqual(Buffer.concat([text, text]));
  });

  it("compresses answers so that they are the same again", async () => {
    const compression = createMeteredCompressions(createBodyBudget(1000)).find((one) => one.name === name);

    const compressed = await compression!.compress(text);

    expect(Buffer.from(await compression!.decompress(compressed, 1000))).toEqual(text);
  });

  it("takes no bytes for no bytes", async () => {
    expect(await createDecompress(name).decompress(new Uint8Array(0), 1)).toHaveLength(0);
  });
});
