import { Code, ConnectError } from "@connectrpc/connect";
import { RetryInfoSchema } from "@pyroscope-ts/protocol/messages";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shortenMessage, toGrpcError } from "./grpc-error.ts";

describe("toGrpcError", () => {
  it("says in gRPC's words when to come back, beside the header", () => {
    const error = new ConnectError("slow down", Code.ResourceExhausted, { "retry-after": "7" });

    const { code, rawMessage, metadata, details } = toGrpcError(error);

    expect([code, rawMessage, metadata.get("retry-after")]).toEqual([
      Code.ResourceExhausted,
      "slow down",
      "7",
    ]);
    expect(details).toEqual([{ desc: RetryInfoSchema, value: { retryDelay: { seconds: 7n, nanos: 0 } } }]);
  });

  it("has nothing beside the text where coming back does not help", () => {
    expect(toGrpcError(new ConnectError("no", Code.InvalidArgument)).details).toEqual([]);
  });
});

describe("shortenMessage", () => {
  it("leaves a text that fits, and takes out of the middle of a longer one", () => {
    expect(shortenMessage("x".repeat(4096))).toBe("x".repeat(4096));

    const shortened = shortenMessage(`begin ${"é".repeat(5000)} limit 30`);

    expect(shortened).toMatch(/^begin é+ … é+ limit 30$/);
  });

  it("never makes more than a header holds, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 3000, size: "max" }), (text) => {
        const shortened = shortenMessage(text);

        expect(encodeURIComponent(shortened).length).toBeLessThanOrEqual(4096);
        expect(shortened === text || shortened.includes(" … ")).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it("replaces half a character, which no header can hold", () => {
    expect(shortenMessage("a\ud800b")).toBe("a\ufffdb");
  });
});
