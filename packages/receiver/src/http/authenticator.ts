import { createHash, timingSafeEqual } from "node:crypto";
import type { AuthToken, TokenRole } from "../config/auth-tokens.ts";
import type { RoutePolicy } from "./routes.ts";

/** What a credential is worth on a route. */
type AccessDecision = "allowed" | "unauthenticated" | "forbidden";

/** Decides who may use a route. */
export interface Authenticator {
  /** @param authorization - the `Authorization` header as it came. */
  decide(policy: RoutePolicy, authorization: string | undefined): AccessDecision;
}

/**
 * Checks Bearer tokens, and Basic passwords with any user name, as Grafana Cloud's clients send them.
 *
 * Tokens are compared by their SHA-256, all of them every time, so that neither the length of a token nor how much of a
 * guess was right shows in the time that the answer takes.
 */
export function createAuthenticator(tokens: readonly AuthToken[]): Authenticator {
  const known = tokens.map(({ role, secret }) => ({ role, digest: digest(secret.reveal()) }));

  const findRoles = (authorization: string | undefined): ReadonlySet<TokenRole> => {
    const presented = digest(readCredential(authorization) ?? "");
    const roles = new Set<TokenRole>();
    for (const { role, digest: expected } of known) {
      if (timingSafeEqual(presented, expected)) roles.add(role);
    }
    return roles;
  };

  return {
    decide(policy, authorization) {
      if (policy === "open" || known.length === 0) return "allowed";
      const roles = findRoles(authorization);
      if (roles.size === 0) return "unauthenticated";
      return policy === "any" || roles.has(policy) ? "allowed" : "forbidden";
    },
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The token of a Bearer header, or the password of a Basic one. */
function readCredential(authorization: string | undefined): string | undefined {
  const match = /^(bearer|basic) +(\S+)$/i.exec(authorization ?? "");
  const value = match?.[2];
  if (value === undefined || match?.[1]?.toLowerCase() === "bearer") return value;
  const userAndPassword = Buffer.from(value, "base64").toString("utf8");
  const colon = userAndPassword.indexOf(":");
  return colon < 0 ? undefined : userAndPassword.slice(colon + 1);
}
