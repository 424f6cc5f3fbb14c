import type { ResolvedRange } from "./time-range.ts";

// Narrower ranges hold no profile of an SDK that uploads every 15 seconds, and could not be grabbed.
const MIN_LENGTH_MS = 1000;

/** `range` moved by `offsetMs`, kept within `bounds`, its length kept. */
export function moveRange(range: ResolvedRange, offsetMs: number, bounds: ResolvedRange): ResolvedRange {
  const least = bounds.fromMs - range.fromMs;
  const most = bounds.untilMs - range.untilMs;
  const offset = Math.round(Math.min(Math.max(offsetMs, least), Math.max(most, least)));
  return { fromMs: range.fromMs + offset, untilMs: range.untilMs + offset };
}

/** `range` with one end moved to `timeMs`; the ends do not pass each other or `bounds`. */
export function moveEnd(
  range: ResolvedRange,
  end: "from" | "until",
  timeMs: number,
  bounds: ResolvedRange,
): ResolvedRange {
  const time = Math.round(Math.min(Math.max(timeMs, bounds.fromMs), bounds.untilMs));
  return end === "from"
    ? { fromMs: Math.min(time, range.untilMs - MIN_LENGTH_MS), untilMs: range.untilMs }
    : { fromMs: range.fromMs, untilMs: Math.max(time, range.fromMs + MIN_LENGTH_MS) };
}

/** `range` made `factor` times as long around its middle. */
export function zoomRange(range: ResolvedRange, factor: number): ResolvedRange {
  const middle = (range.fromMs + range.untilMs) / 2;
  const half = Math.max(MIN_LENGTH_MS, (range.untilMs - range.fromMs) * factor) / 2;
  return { fromMs: Math.round(middle - half), untilMs: Math.round(middle + half) };
}

/** What a key does to a range on a timeline: arrows move it by a quarter, `+` and `-` zoom. */
export function applyRangeKey(key: string, range: ResolvedRange): ResolvedRange | undefined {
  const quarter = (range.untilMs - range.fromMs) / 4;
  const moved = (offsetMs: number): ResolvedRange => ({
    fromMs: Math.round(range.fromMs + offsetMs),
    untilMs: Math.round(range.untilMs + offsetMs),
  });
  switch (key) {
    case "ArrowLeft":
      return moved(-quarter);
    case "ArrowRight":
      return moved(quarter);
    case "+":
      return zoomRange(range, 0.5);
    case "-":
      return zoomRange(range, 2);
    default:
      return undefined;
  }
}
