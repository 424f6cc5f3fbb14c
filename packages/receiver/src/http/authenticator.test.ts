import { describe, expect, it } from "vitest";
import type { AuthToken, TokenRole } from "../config/auth-tokens.ts";
import { Secret } from "../config/secret.ts";
import { createAuthenticator } from "./authenticator.ts";

function token(role: TokenRole, value: string): AuthToken {
  return { role, secret: new Secret(value) };
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

const authenticator = createAuthenticator([
  token("push", "pusher"),
  token("push", "pusher-next"),
  token("read", "reader"),
  token("push", "both"),
  token("read", "both"),
]);

describe("createAuthenticator", () => {
  it.for([
    ["push", "Bearer pusher", "allowed"],
    ["push", "Bearer pusher-next", "allowed"],
    ["push", "bearer pusher", "allowed"],
    ["push", basic("grafana", "pusher"), "allowed"],
    ["push", basic("", "pusher"), "allowed"],
    ["read", "Bearer both", "allowed"],
    ["push", "Bearer both", "allowed"],
    ["any", "Bearer reader", "allowed"],
    ["any", "Bearer pusher", "allowed"],
    ["open", undefined, "allowed"],
    ["open", "Bearer wrong", "allowed"],
    ["push", "Bearer reader", "forbidden"],
    ["read", "Bearer pusher", "forbidden"],
    ["read", basic("u", "pusher"), "forbidden"],
    ["push", undefined, "unauthenticated"],
    ["any", undefined, "unauthenticated"],
    ["push", "", "unauthenticated"],
    ["push", "Bearer", "unauthenticated"],
    ["push", "Bearer ", "unauthenticated"],
    ["push", "Bearer Pusher", "unauthenticated"],
    ["push", "Bearer pushe", "unauthenticated"],
    ["push", "Bearer pusher pusher", "unauthenticated"],
    ["push", "pusher", "unauthenticated"],
    ["push", "Token pusher", "unauthenticated"],
    ["push", basic("pusher", ""), "unauthenticated"],
    ["push", basic("u", "x:pusher"), "unauthenticated"],
    ["push", `Basic ${Buffer.from("pusher").toString("base64")}`, "unauthenticated"],
    ["push", "Basic %%%", "unauthenticated"],
  ] as const)("lets a %s route with %s be %s", ([policy, authorization, decision]) => {
    expect(authenticator.decide(policy, authorization)).toBe(decision);
  });

  it("allows everything when no tokens are set", () => {
    const open = createAuthenticator([]);

    expect(open.decide("push", undefined)).toBe("allowed");
  });

  it("refuses the role that has no token when the other one has", () => {
    const pushOnly = createAuthenticator([token("push", "pusher")]);

    expect(pushOnly.decide("read", undefined)).toBe("unauthenticated");
    expect(pushOnly.decide("read", "Bearer pusher")).toBe("forbidden");
  });
});
