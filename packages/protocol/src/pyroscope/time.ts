const NANOS_PER_SECOND = 1_000_000_000n;
const NANOS_PER_MILLI = 1_000_000n;
// Times are stored as int64 nanoseconds: 1677 to 2262. What a text says beyond that is taken for the nearest bound.
const MAX_NANOS = 2n ** 63n - 1n;
const MAX_SECONDS = Number(MAX_NANOS / NANOS_PER_SECOND);
// What a unit begins with, and its seconds. "mon" stands before "m"; "M" is a month, "m" a minute.
const UNITS: readonly (readonly [string, number])[] = [
  ["s", 1],
  ["mon", 30 * 86_400],
  ["M", 30 * 86_400],
  ["m", 60],
  ["h", 3600],
  ["d", 86_400],
  ["w", 7 * 86_400],
  ["y", 365 * 86_400],
];

/**
 * Parses a time of Pyroscope's HTTP API, in nanoseconds since the epoch.
 *
 * Blanks, `_` and `,` are ignored. Digits alone are `YYYYMMDD` (8 digits that are a date after 1900, midnight
 * UTC), milliseconds (13 digits), microseconds (16), nanoseconds (19) or else seconds. Anything else is "now" and
 * an offset, which begins at the first `+` or, without one, the first `-`: `now-1h`, `now-1w2d`, `-15m`. Its units
 * go by their beginning: s, m or min, h, d, w, M or mon (30 days), y (365 days); other units count nothing.
 *
 * No text is refused: what cannot be read is now, as on Pyroscope's servers.
 *
 * Source: Pyroscope pkg/og/util/attime.
 */
export function parseTimeNanos(text: string, nowNanos: bigint): bigint {
  const compact = text.trim().replace(/[_, ]/g, "");
  if (/^\d+$/.test(compact)) return clamp(parseDigits(compact));
  const offset = clampSeconds(parseOffsetSeconds(compact));
  return clamp(nowNanos + BigInt(offset) * NANOS_PER_SECOND);
}

/** {@link parseTimeNanos} in milliseconds since the epoch; a finer time is rounded down. */
export function parseTime(text: string, nowMs: number): number {
  const nanos = parseTimeNanos(text, BigInt(Math.trunc(nowMs)) * NANOS_PER_MILLI);
  return Number(nanos / NANOS_PER_MILLI) - (nanos % NANOS_PER_MILLI < 0n ? 1 : 0);
}

function parseDigits(digits: string): bigint {
  if (digits.length === 8) {
    const dateMs = parseDateMs(digits);
    if (dateMs !== undefined) return BigInt(dateMs) * NANOS_PER_MILLI;
  }
  const significant = digits.replace(/^0+(?=\d)/, "");
  // Longer texts are not worth the work of an exact number: they are past the bound in every unit.
  const value = significant.length > 19 ? MAX_NANOS : BigInt(significant);
  switch (digits.length) {
    case 13:
      return value * NANOS_PER_MILLI;
    case 16:
      return value * 1000n;
    case 19:
      return value;
    default:
      return value * NANOS_PER_SECOND;
  }
}

function parseDateMs(digits: string): number | undefined {
  const iso = `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`;
  const dateMs = Date.parse(`${iso}T00:00:00Z`);
  if (Number.isNaN(dateMs)) return undefined;
  const date = new Date(dateMs);
  // Date.parse takes February 30 for March 1 or 2, which is no date here.
  const isDate = date.toISOString().startsWith(iso);
  return isDate && date.getUTCFullYear() > 1900 ? dateMs : undefined;
}

function parseOffsetSeconds(text: string): number {
  const plus = text.indexOf("+");
  const start = plus >= 0 ? plus : text.indexOf("-");
  if (start < 0) return 0;
  let seconds = 0;
  for (const [, digits = "", unit = ""] of text.slice(start + 1).matchAll(/(\d*)(\D*)/g)) {
    seconds += clampSeconds(Number(digits)) * unitSeconds(unit);
  }
  return plus >= 0 ? seconds : -seconds;
}

function unitSeconds(unit: string): number {
  return UNITS.find(([beginning]) => unit.startsWith(beginning))?.[1] ?? 0;
}

function clampSeconds(seconds: number): number {
  return Math.max(-MAX_SECONDS, Math.min(MAX_SECONDS, seconds));
}

function clamp(nanos: bigint): bigint {
  if (nanos > MAX_NANOS) return MAX_NANOS;
  return nanos < -MAX_NANOS ? -MAX_NANOS : nanos;
}
