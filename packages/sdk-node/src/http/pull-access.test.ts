import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { checkPullAccess } from "./pull-access.ts";

/** What the check reads of a request. */
function createRequest(
  remoteAddress: string | undefined,
  headers: Readonly<Record<string, string>>,
): IncomingMessage {
  return { socket: { remoteAddress }, headers } as unknown as IncomingMessage;
}

const status = (request: IncomingMessage, token?: string): number => {
  const access = checkPullAccess(request, token);
  return access.ok ? 200 : access.status;
};

describe("checkPullAccess", () => {
  it.for([
    ["127.0.0.1", { host: "localhost:3000" }, 200],
    ["127.8.0.1", { host: "127.8.0.1" }, 200],
    ["::1", { host: "[::1]:3000" }, 200],
    ["::ffff:127.0.0.1", { host: "localhost" }, 200],
    ["10.0.0.1", { host: "localhost" }, 403],
    [undefined, { host: "localhost" }, 403],
    ["127.0.0.1", { host: "evil.example" }, 403],
    ["127.0.0.1", { host: "127.0.0.1.evil.example" }, 403],
    ["127.0.0.1", {}, 403],
    ["127.0.0.1", { host: "localhost", forwarded: "for=1.2.3.4" }, 403],
    ["127.0.0.1", { host: "localhost", "x-forwarded-for": "" }, 403],
    ["127.0.0.1", { host: "localhost", "x-real-ip": "1.2.3.4" }, 403],
    ["127.0.0.1", { host: "localhost", via: "1.1 proxy" }, 403],
  ] as const)("without a token from %s with %j is %d", ([address, headers, expected]) => {
    expect(status(createRequest(address, headers))).toBe(expected);
    expect(status(createRequest(address, headers), "")).toBe(expected);
  });

  it.for([
    ["Bearer s3cret", 200],
    ["bearer  s3cret", 200],
    ["Bearer s3cre", 401],
    ["Bearer s3crets", 401],
    ["Basic s3cret", 401],
    ["", 401],
  ] as const)("with a token and the header %s is %d, from anywhere", ([authorization, expected]) => {
    expect(status(createRequest("10.0.0.1", { authorization }), "s3cret")).toBe(expected);
  });

  it("wants the token from this machine too", () => {
    expect(status(createRequest("127.0.0.1", { host: "localhost" }), "s3cret")).toBe(401);
  });
});
