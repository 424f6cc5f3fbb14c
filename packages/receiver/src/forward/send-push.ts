import type { ForwardTarget } from "../config/forward-target.ts";
import type { Secret } from "../config/secret.ts";
import { FORWARDED_HEADER, type ForwardedPush } from "./forwarded-push.ts";

/** What another server said to a push. */
export type SendOutcome =
  | { readonly kind: "taken" }
  /** It will say so again. */
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "failed"; readonly message: string; readonly retryAfterMs: number | undefined };

/** Sends one push. Never rejects. */
export type SendPush = (push: ForwardedPush) => Promise<SendOutcome>;

/** What {@link createSendPush} works with. */
export interface SendPushOptions {
  readonly target: ForwardTarget;
  /** Instead of the credentials of the target. */
  readonly authorization: Secret | undefined;
  /** Whether the tenant goes along, as `X-Scope-OrgID`. */
  readonly isTenantSent: boolean;
}

// A healthy server answers a push within a second; one that hangs must not hold a place in the queue for long.
const TIMEOUT_MS = 10_000;
// What is quoted of an answer in the log.
const MAX_QUOTE_LENGTH = 200;

/** Sends over HTTP to one target. Redirects are not followed: credentials stay with who they are for. */
export function createSendPush({ target, authorization, isTenantSent }: SendPushOptions): SendPush {
  const secret = authorization ?? target.authorization;
  return async ({ tenant, path, contentType, body }) => {
    try {
      const response = await fetch(`${target.baseUrl}${path}`, {
        method: "POST",
        body,
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          [FORWARDED_HEADER]: "1",
          ...(contentType === "" ? {} : { "content-type": contentType }),
          ...(isTenantSent ? { "x-scope-orgid": tenant } : {}),
          ...(secret === undefined ? {} : { authorization: secret.reveal() }),
        },
      });
      const text = await response.text();
      if (response.ok) return { kind: "taken" };
      const message = `${response.status} ${text.slice(0, MAX_QUOTE_LENGTH)}`.trim();
      const isPassing = response.status === 408 || response.status === 429 || response.status >= 500;
      if (!isPassing) return { kind: "refused", message };
      return { kind: "failed", message, retryAfterMs: parseRetryAfter(response.headers.get("retry-after")) };
    } catch (error) {
      return { kind: "failed", message: describe(error), retryAfterMs: undefined };
    }
  };
}

/** The seconds of `Retry-After`; a date is not worth a parser here, and waits as if there were none. */
function parseRetryAfter(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}

/** fetch says "fetch failed" and keeps what happened as the cause. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
