const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const RELATIVE = /^now(?:([+-])(\d{1,9})([smhdw]))?$/;
// Ten digits of seconds reach the year 2286; anything longer is milliseconds.
const EPOCH = /^\d{9,14}$/;
const LAST_EPOCH_SECONDS = 9_999_999_999;

/** A range of time as the reader typed it: `now-1h`, epoch milliseconds, or a date. */
export interface TimeRange {
  readonly from: string;
  readonly until: string;
}

/** A range of time in milliseconds since the epoch, both ends included. */
export interface ResolvedRange {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Ranges that one click chooses, shortest first. */
export const RANGE_PRESETS: readonly { readonly label: string; readonly from: string }[] = [
  { label: "5 minutes", from: "now-5m" },
  { label: "15 minutes", from: "now-15m" },
  { label: "30 minutes", from: "now-30m" },
  { label: "1 hour", from: "now-1h" },
  { label: "3 hours", from: "now-3h" },
  { label: "6 hours", from: "now-6h" },
  { label: "12 hours", from: "now-12h" },
  { label: "24 hours", from: "now-24h" },
  { label: "2 days", from: "now-2d" },
  { label: "7 days", from: "now-7d" },
  { label: "30 days", from: "now-30d" },
];

/** Whether `text` moves with the clock. */
export function isRelative(text: string): boolean {
  return RELATIVE.test(text.trim());
}

/**
 * The moment that `text` names.
 *
 * Understands `now`, `now-15m` (s, m, h, d, w), epoch seconds, epoch milliseconds, and whatever date the browser parses
 * (`2026-03-01 14:00`, in the reader's time zone).
 *
 * @returns milliseconds since the epoch, or undefined when `text` is none of these.
 */
export function resolveTime(text: string, nowMs: number): number | undefined {
  const trimmed = text.trim();
  const relative = RELATIVE.exec(trimmed);
  if (relative !== null) {
    const [, sign, amount, unit] = relative;
    if (amount === undefined || unit === undefined) return nowMs;
    return nowMs + (sign === "-" ? -1 : 1) * Number(amount) * (UNIT_MS[unit] ?? 0);
  }
  if (EPOCH.test(trimmed)) {
    const epoch = Number(trimmed);
    return epoch <= LAST_EPOCH_SECONDS ? epoch * 1000 : epoch;
  }
  const date = Date.parse(trimmed);
  return Number.isNaN(date) ? undefined : date;
}

/** Both ends resolved against one clock reading, or undefined when one is not a time or the range is empty. */
export function resolveRange(range: TimeRange, nowMs: number): ResolvedRange | undefined {
  const fromMs = resolveTime(range.from, nowMs);
  const untilMs = resolveTime(range.until, nowMs);
  if (fromMs === undefined || untilMs === undefined || fromMs >= untilMs) return undefined;
  return { fromMs: Math.round(fromMs), untilMs: Math.round(untilMs) };
}

/** Whether both ends of a range are times, the later one first (or both the same). */
export function isBackwards(range: TimeRange, nowMs: number): boolean {
  const fromMs = resolveTime(range.from, nowMs);
  const untilMs = resolveTime(range.until, nowMs);
  return fromMs !== undefined && untilMs !== undefined && fromMs >= untilMs;
}

/** `range` with both ends as epoch milliseconds, so that a link to it shows the same data tomorrow. */
export function pinRange(range: TimeRange, nowMs: number): TimeRange {
  const resolved = resolveRange(range, nowMs);
  return resolved === undefined ? range : toTimeRange(resolved);
}

/** A resolved range as texts. */
export function toTimeRange(range: ResolvedRange): TimeRange {
  return { from: String(Math.round(range.fromMs)), until: String(Math.round(range.untilMs)) };
}

/** A duration as `now-…` writes it: the largest unit that divides it. */
export function formatOffset(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  for (const unit of ["w", "d", "h", "m"]) {
    const unitSeconds = (UNIT_MS[unit] ?? 0) / 1000;
    if (seconds !== 0 && seconds % unitSeconds === 0) return `${seconds / unitSeconds}${unit}`;
  }
  return `${seconds}s`;
}

/** `text` moved by `offsetMs`; what is relative to now stays relative. */
export function shiftTime(text: string, offsetMs: number, nowMs: number): string {
  const resolved = resolveTime(text, nowMs);
  if (resolved === undefined) return text;
  const shifted = resolved + offsetMs;
  if (!isRelative(text)) return String(Math.round(shifted));
  const distanceMs = nowMs - shifted;
  if (Math.round(distanceMs / 1000) === 0) return "now";
  return `now${distanceMs > 0 ? "-" : "+"}${formatOffset(Math.abs(distanceMs))}`;
}

/** Both ends moved by `offsetMs`. */
export function shiftRange(range: TimeRange, offsetMs: number, nowMs: number): TimeRange {
  return { from: shiftTime(range.from, offsetMs, nowMs), until: shiftTime(range.until, offsetMs, nowMs) };
}

/** The part of a range between two fractions of its length: `sliceRange(r, 0, 0.5)` is its first half. */
export function sliceRange(range: ResolvedRange, fromRatio: number, untilRatio: number): ResolvedRange {
  const lengthMs = range.untilMs - range.fromMs;
  return { fromMs: range.fromMs + lengthMs * fromRatio, untilMs: range.fromMs + lengthMs * untilRatio };
}

// Widths of a timeline's buckets, in seconds. The shortest is the SDK's default upload interval: below it,
// buckets without an upload would draw gaps where the program was busy.
const STEP_SECONDS: readonly number[] = [
  15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800,
];
const MAX_BUCKET_COUNT = 240;

/** The buckets of a timeline: `fromMs` and `untilMs` lie on multiples of the step, around `range`. */
export interface TimelineGrid extends ResolvedRange {
  readonly stepSeconds: number;
}

/** The finest grid over `range` that stays readable. Aligned, so that buckets do not change as time goes on. */
export function chooseGrid(range: ResolvedRange): TimelineGrid {
  const seconds = (range.untilMs - range.fromMs) / 1000;
  const stepSeconds =
    STEP_SECONDS.find((step) => seconds / step <= MAX_BUCKET_COUNT) ?? Math.ceil(seconds / MAX_BUCKET_COUNT);
  const stepMs = stepSeconds * 1000;
  return {
    fromMs: Math.floor(range.fromMs / stepMs) * stepMs,
    untilMs: Math.ceil(range.untilMs / stepMs) * stepMs,
    stepSeconds,
  };
}
