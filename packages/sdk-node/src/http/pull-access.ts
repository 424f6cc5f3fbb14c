import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Whether a request may pull profiles, and what it is told when not. */
export type PullAccess =
  | { readonly ok: true }
  | { readonly ok: false; readonly status: 401 | 403; readonly message: string };

// A proxy on this machine makes every request of the world one from the loopback; these say that there is one.
const FORWARDING_HEADERS = ["forwarded", "x-forwarded-for", "x-real-ip", "via"] as const;

/**
 * Checks who asks: with a token, whoever has it; without, this machine alone.
 *
 * Without a token the name that was asked for must be the loopback's too: a page in a browser can let its own name lead
 * there (DNS rebinding).
 */
export function checkPullAccess(request: IncomingMessage, token: string | undefined): PullAccess {
  if (token !== undefined && token !== "") {
    return hasToken(request, token)
      ? { ok: true }
      : { ok: false, status: 401, message: "profiles: expected Authorization: Bearer with the token" };
  }
  const isForwarded = FORWARDING_HEADERS.some((name) => request.headers[name] !== undefined);
  const isLocal = isLoopback(request.socket.remoteAddress ?? "") && isLoopback(hostOf(request));
  if (isLocal && !isForwarded) return { ok: true };
  return { ok: false, status: 403, message: "profiles: without a token only for requests from this machine" };
}

function hasToken(request: IncomingMessage, token: string): boolean {
  const given = /^Bearer +(.*)$/i.exec(request.headers.authorization ?? "")?.[1];
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

/** Of one length for every text, as the comparison wants it. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function hostOf(request: IncomingMessage): string {
  return (request.headers.host ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

function isLoopback(host: string): boolean {
  return /^(localhost|(::ffff:)?127(\.\d+){3}|::1)$/i.test(host);
}
