import type { RetryAdvice } from "./exporter.ts";

// First wait and factor 2 as in AWS's "exponential backoff and jitter"; the longest wait is the caller's.
const FIRST_DELAY_MS = 500;

// A server that asks for more than this does not know when it will be back.
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * Milliseconds to wait before the attempt after `failures` failures in a row (1 or more): half of it fixed, half
 * of it random, doubling up to `maxDelayMs`. `retryAfterMs` of the server wins when it is longer.
 */
export function retryDelayMs(
  failures: number,
  retryAfterMs: number | undefined,
  maxDelayMs: number,
  random: () => number,
): number {
  const base = Math.min(FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 30), maxDelayMs);
  const jittered = base * (0.5 + random() / 2);
  return Math.max(jittered, Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}

/** What to do after an HTTP status that is no success. */
export function adviceForStatus(
  status: number,
  retryAfter: string | undefined,
  nowUnixMs: number,
): RetryAdvice {
  const afterMs = parseRetryAfter(retryAfter, nowUnixMs);
  // 502 to 504 come from a proxy whose server is away; 408 and 429 ask for a later try.
  if ([408, 429, 502, 503, 504].includes(status)) return { kind: "patient", afterMs };
  return status >= 500 ? { kind: "limited", afterMs } : { kind: "never", afterMs: undefined };
}

/** Milliseconds of a `Retry-After` header: whole seconds or a date (RFC 9110 section 10.2.3). */
export function parseRetryAfter(text: string | undefined, nowUnixMs: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowUnixMs);
}
