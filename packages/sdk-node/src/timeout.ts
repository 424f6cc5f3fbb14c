// The longest time that a timer of Node takes.
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Milliseconds that a caller gave, as far as they are any. */
export function checkTimeout(timeoutMs: unknown): number | undefined {
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0)) return undefined;
  return Math.min(timeoutMs, MAX_TIMEOUT_MS);
}
