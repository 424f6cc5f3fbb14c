import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { inflatePayload } from "./inflate-payload.ts";
import { Refusal } from "./refusal.ts";

const text = Buffer.from("a profile of some bytes");
const gzip = gzipSync(text);
const inflate = (payload: Uint8Array, maxBytes = 1000) =>
  inflatePayload(payload, maxBytes, (limit) => `above ${limit}`);
const refusal = (payload: Uint8Array, maxBytes?: number) => {
  const inflated = inflate(payload, maxBytes);
  return inflated instanceof Refusal ? `${inflated.reason}: ${inflated.message}` : inflated;
};

describe("inflatePayload", () => {
  it.for([
    ["plain bytes", text, text],
    ["gzip", gzip, text],
    ["concatenated gzip members", Buffer.concat([gzip, gzip]), Buffer.concat([text, text])],
    ["zeros after gzip", Buffer.concat([gzip, Buffer.alloc(20)]), text],
    ["no bytes", Buffer.alloc(0), Buffer.alloc(0)],
    ["one byte of gzip's two", gzip.subarray(0, 1), gzip.subarray(0, 1)],
  ] as const)("takes %s", ([, payload, expected]) => {
    expect(Buffer.from(inflate(payload) as Uint8Array)).toEqual(expected);
  });

  it.for([
    ["truncated gzip", gzip.subarray(0, -3), "unexpected end of file"],
    ["gzip magic alone", gzip.subarray(0, 2), "unexpected end of file"],
    [
      "a wrong checksum",
      Buffer.concat([gzip.subarray(0, -8), Buffer.alloc(4), gzip.subarray(-4)]),
      "incorrect data check",
    ],
    ["a wrong length", Buffer.concat([gzip.subarray(0, -4), Buffer.alloc(4)]), "incorrect length check"],
    ["garbage after gzip", Buffer.concat([gzip, Buffer.from("garbage")]), "incorrect header check"],
  ] as const)("refuses %s", ([, payload, cause]) => {
    expect(refusal(payload)).toBe(`malformed_profile: payload is not a whole gzip stream: ${cause}`);
  });

  it("refuses gzip inside gzip", () => {
    expect(refusal(gzipSync(gzip))).toBe(
      "malformed_profile: payload is gzip inside gzip: compress a profile once",
    );
  });

  it("takes a payload at the limit and refuses one byte more, gzipped or not", () => {
    expect(inflate(gzip, text.length)).toHaveLength(text.length);
    expect(inflate(text, text.length)).toHaveLength(text.length);

    expect(refusal(gzip, text.length - 1)).toBe(`profile_size_limit: above ${text.length - 1}`);
    expect(refusal(text, text.length - 1)).toBe(`profile_size_limit: above ${text.length - 1}`);
  });

  it("stops a gzip bomb at the limit, whatever it says of its size", () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));

    expect(refusal(bomb, 4 * 1024 * 1024)).toBe("profile_size_limit: above 4194304");
    expect(refusal(Buffer.concat([bomb, gzip]), 4 * 1024 * 1024)).toBe("profile_size_limit: above 4194304");
  });

  it("believes a payload that says it is too large, and inflates nothing", () => {
    const large = gzipSync(Buffer.alloc(1001));
    const broken = Buffer.concat([large.subarray(0, 10), Buffer.alloc(10), large.subarray(-8)]);

    expect(refusal(broken)).toBe("profile_size_limit: above 1000");
    expect(refusal(broken, 1001)).toContain("malformed_profile: payload is not a whole gzip stream");
  });

  it("has a limit of its own where the tenant has none", () => {
    expect(inflate(gzip, 0)).toHaveLength(text.length);
    expect(refusal({ 0: 0, 1: 0, length: 256 * 1024 * 1024 + 1 } as unknown as Uint8Array, 0)).toBe(
      "profile_size_limit: above 268435456",
    );
  });
});
