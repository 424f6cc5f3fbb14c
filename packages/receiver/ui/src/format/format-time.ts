import { isRelative, type ResolvedRange, type TimeRange } from "../state/time-range.ts";

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** A moment in the reader's time zone, as a date field takes it and as it is read: `2026-03-01 14:05:00`. */
export function formatMoment(timeMs: number): string {
  const date = new Date(timeMs);
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** A range without what both ends share: `2026-03-01 14:05:00 – 15:05:00`. */
export function formatRange(range: ResolvedRange): string {
  const from = formatMoment(range.fromMs);
  const until = formatMoment(range.untilMs);
  const isSameDay = from.slice(0, 10) === until.slice(0, 10);
  return `${from} – ${isSameDay ? until.slice(11) : until}`;
}

const UNIT_NAMES: Readonly<Record<string, string>> = {
  s: "second",
  m: "minute",
  h: "hour",
  d: "day",
  w: "week",
};

// Ranges shorter than this need their seconds to be told from their neighbours.
const SHORT_RANGE_MS = 300_000;

/** A range to the minute where that says enough, for a button that has no room for more. */
function formatShortRange(range: ResolvedRange): string {
  if (range.untilMs - range.fromMs < SHORT_RANGE_MS) return formatRange(range);
  const from = formatMoment(range.fromMs).slice(0, 16);
  const until = formatMoment(range.untilMs).slice(0, 16);
  return `${from} – ${from.slice(0, 10) === until.slice(0, 10) ? until.slice(11) : until}`;
}

/** What a range is called on its button: `Last 1 hour` while it follows the clock, its dates otherwise. */
export function formatRangeLabel(range: TimeRange, resolved: ResolvedRange | undefined): string {
  const offset = /^now-(\d+)([smhdw])$/.exec(range.from.trim());
  if (range.until.trim() === "now" && offset !== null) {
    const [, amount = "", unit = ""] = offset;
    const name = UNIT_NAMES[unit] ?? unit;
    return `Last ${amount} ${name}${amount === "1" ? "" : "s"}`;
  }
  if (isRelative(range.from) && isRelative(range.until)) return `${range.from} – ${range.until}`;
  return resolved === undefined ? `${range.from} – ${range.until}` : formatShortRange(resolved);
}

const AGE_STEPS: readonly (readonly [limitMs: number, divisorMs: number, suffix: string])[] = [
  [120_000, 1000, "s"],
  [7_200_000, 60_000, "min"],
  [172_800_000, 3_600_000, "h"],
  [Number.POSITIVE_INFINITY, 86_400_000, "d"],
];

/** How long ago something was: `just now`, `12 s ago`, `3 h ago`. */
export function formatAge(ageMs: number): string {
  if (ageMs < 2000) return "just now";
  const [, divisorMs, suffix] = AGE_STEPS.find(([limitMs]) => ageMs < limitMs) ?? [0, 1000, "s"];
  return `${Math.floor(ageMs / divisorMs)} ${suffix} ago`;
}

/** A length of time in words short enough for a label: `15 s`, `5 min`, `2 h`. */
export function formatSpan(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

const DAY_MS = 86_400_000;

/** Moments along an axis, each as short as its neighbours allow: days, or hours with the day where it begins. */
export function formatTicks(timesMs: readonly number[]): string[] {
  const [first = 0, second = first] = timesMs;
  const stepMs = second - first;
  return timesMs.map((timeMs) => {
    const text = formatMoment(timeMs);
    const day = text.slice(5, 10);
    const time = stepMs > 0 && stepMs < 60_000 ? text.slice(11) : text.slice(11, 16);
    if (stepMs >= DAY_MS) return day;
    return text.endsWith("00:00:00") ? day : time;
  });
}
