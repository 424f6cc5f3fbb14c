import type { TimeSeries } from "../api/wire.ts";
import {
  type ResolvedRange,
  resolveRange,
  shiftRange,
  sliceRange,
  type TimelineGrid,
  type TimeRange,
  toTimeRange,
} from "./time-range.ts";
import type { ViewState } from "./url-state.ts";

/** The two sides of a comparison: left is A, the baseline; right is B. */
export type SideName = "left" | "right";

/** One side of a comparison. */
export interface DiffSide {
  /** Label selector in braces. */
  readonly query: string;
  /** As a link would carry it. */
  readonly range: TimeRange;
  readonly resolved: ResolvedRange;
}

/** A comparison, with the range of the timeline that both sides are shown on. */
export interface DiffSides {
  readonly left: DiffSide;
  readonly right: DiffSide;
  readonly window: ResolvedRange;
}

type SideFields = Pick<
  ViewState,
  | "query"
  | "from"
  | "until"
  | "leftQuery"
  | "leftFrom"
  | "leftUntil"
  | "rightQuery"
  | "rightFrom"
  | "rightUntil"
>;

// A band at the very edge of a timeline cannot be grabbed from outside.
const WINDOW_PADDING_RATIO = 0.03;

/** The ranges of both sides, next to each other. */
export type Halves = Readonly<Record<SideName, ResolvedRange>>;

/** Leaves both ranges open: the halves of the page's range. */
export const OPEN_SIDES: Partial<ViewState> = { leftFrom: "", leftUntil: "", rightFrom: "", rightUntil: "" };

/** Whether a view leaves both ranges open. */
export function hasOpenSides(view: SideFields): boolean {
  return (view.leftFrom === "" || view.leftUntil === "") && (view.rightFrom === "" || view.rightUntil === "");
}

/**
 * The two halves of `page`, or of the part of it that has data when one of its halves has no whole bucket of it: a program that
 * began to send minutes ago is compared with itself, not with the time before it.
 *
 * @param series - Values of the query on `grid`; a point stands at the end of its bucket.
 */
export function chooseHalves(page: ResolvedRange, grid: TimelineGrid, series: readonly TimeSeries[]): Halves {
  const left = sliceRange(page, 0, 0.5);
  const right = sliceRange(page, 0.5, 1);
  const stepMs = grid.stepSeconds * 1000;
  const ends = series.flatMap(({ points }) => points.filter(({ value }) => value > 0).map((at) => at.timeMs));
  const firstMs = ends.reduce((least, timeMs) => Math.min(least, timeMs), Number.POSITIVE_INFINITY) - stepMs;
  const lastMs = ends.reduce((most, timeMs) => Math.max(most, timeMs), Number.NEGATIVE_INFINITY);
  const bucketCount = Math.round((lastMs - firstMs) / stepMs);
  // The bucket in the middle may have its data on the other side.
  const isBothSides = firstMs + stepMs <= left.untilMs && lastMs - stepMs >= right.fromMs;
  // What lies in one bucket cannot be told apart.
  if (isBothSides || !(bucketCount > 1)) return { left, right };
  const middleMs = firstMs + Math.floor(bucketCount / 2) * stepMs;
  return {
    left: { fromMs: Math.max(page.fromMs, firstMs), untilMs: middleMs },
    right: { fromMs: middleMs, untilMs: Math.min(page.untilMs, lastMs) },
  };
}

/**
 * What a view compares. Sides without a range of their own are `halves`, by default those of the page's range; with
 * only B given, A is the period before it; with only A given, B is the page's range.
 *
 * @returns undefined when a range is none.
 */
export function resolveSides(view: SideFields, nowMs: number, halves?: Halves): DiffSides | undefined {
  const page = resolveRange(view, nowMs);
  if (page === undefined) return undefined;
  const ranges = chooseRanges(view, page, { nowMs, halves });
  const left = resolveRange(ranges.left, nowMs);
  const right = resolveRange(ranges.right, nowMs);
  if (left === undefined || right === undefined) return undefined;
  return {
    left: { query: view.leftQuery || view.query || "{}", range: ranges.left, resolved: left },
    right: { query: view.rightQuery || view.query || "{}", range: ranges.right, resolved: right },
    window: chooseWindow(page, left, right),
  };
}

function chooseRanges(
  view: SideFields,
  page: ResolvedRange,
  { nowMs, halves }: { readonly nowMs: number; readonly halves: Halves | undefined },
): { readonly left: TimeRange; readonly right: TimeRange } {
  const left = { from: view.leftFrom, until: view.leftUntil };
  const right = { from: view.rightFrom, until: view.rightUntil };
  const hasLeft = left.from !== "" && left.until !== "";
  const hasRight = right.from !== "" && right.until !== "";
  if (!hasLeft && !hasRight) {
    return {
      left: toTimeRange(halves?.left ?? sliceRange(page, 0, 0.5)),
      right: toTimeRange(halves?.right ?? sliceRange(page, 0.5, 1)),
    };
  }
  if (!hasRight) return { left, right: { from: view.from, until: view.until } };
  return { left: hasLeft ? left : shiftByLength(right, nowMs), right };
}

function shiftByLength(range: TimeRange, nowMs: number): TimeRange {
  const resolved = resolveRange(range, nowMs);
  return resolved === undefined ? range : shiftRange(range, resolved.fromMs - resolved.untilMs, nowMs);
}

function chooseWindow(page: ResolvedRange, left: ResolvedRange, right: ResolvedRange): ResolvedRange {
  const fromMs = Math.min(left.fromMs, right.fromMs);
  const untilMs = Math.max(left.untilMs, right.untilMs);
  if (fromMs >= page.fromMs && untilMs <= page.untilMs) return page;
  const padding = Math.round((untilMs - fromMs) * WINDOW_PADDING_RATIO);
  return { fromMs: fromMs - padding, untilMs: untilMs + padding };
}

/** The fields of a view that hold one side's range. */
export function toSideRange(side: SideName, range: TimeRange): Partial<ViewState> {
  return side === "left"
    ? { leftFrom: range.from, leftUntil: range.until }
    : { rightFrom: range.from, rightUntil: range.until };
}

/** Baselines that one click chooses. `offsetMs` undefined: as long before as B is long. */
export const BASELINE_PRESETS: readonly {
  readonly label: string;
  readonly title: string;
  readonly offsetMs: number | undefined;
}[] = [
  { label: "Previous period", title: "As long as B, and ending where B begins", offsetMs: undefined },
  { label: "−1 h", title: "The same range an hour before", offsetMs: 3_600_000 },
  { label: "−1 d", title: "The same range a day before", offsetMs: 86_400_000 },
  { label: "−1 w", title: "The same range a week before", offsetMs: 604_800_000 },
];

/** A view that compares B (the page's range while B has none of its own) with the same range `offsetMs` before. */
export function withBaseline(
  view: SideFields,
  offsetMs: number | undefined,
  nowMs: number,
): Partial<ViewState> {
  const hasRight = view.rightFrom !== "" && view.rightUntil !== "";
  const right = hasRight
    ? { from: view.rightFrom, until: view.rightUntil }
    : { from: view.from, until: view.until };
  const left = offsetMs === undefined ? shiftByLength(right, nowMs) : shiftRange(right, -offsetMs, nowMs);
  return { ...toSideRange("left", left), ...toSideRange("right", right) };
}
