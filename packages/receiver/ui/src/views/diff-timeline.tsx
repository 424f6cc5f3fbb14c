import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import type { ProfileQuery } from "../api/wire.ts";
import { chooseSeriesColour, SIDE_COLOURS } from "../draw/series-colour.ts";
import { chooseRateUnit, describeProfileType } from "../format/profile-type.ts";
import { findArrivingFrom, toChartColumns } from "../layout/chart-columns.ts";
import type { DiffSides, SideName } from "../state/diff-sides.ts";
import { latest } from "../state/resource.ts";
import type { ResolvedRange } from "../state/time-range.ts";
import { useApp } from "./app-context.ts";
import { RangeBand } from "./range-band.tsx";
import { Busy, Failure } from "./state-notice.tsx";
import { TimelineChart } from "./timeline-chart.tsx";
import type { ResourceView } from "./use-resource.ts";
import { useTimeline } from "./use-timeline.ts";

interface DiffTimelineProps {
  readonly type: string;
  readonly sides: DiffSides;
  /** The side that a drag over the timeline sets. */
  readonly active: SideName;
  /** What the page is about: its refusal is not repeated here. */
  readonly main: ResourceView<unknown>;
  readonly onChange: (side: SideName, range: ResolvedRange) => void;
}

const HEIGHT_PX = 150;

/** Both sides on one timeline, A in blue and B in orange. Two queries are two lines, one query is one row of bars. */
export function DiffTimeline({ type, sides, active, main, onChange }: DiffTimelineProps): VNode {
  const { theme, clock } = useApp();
  const nowMs = clock.nowMs.value;
  const scheme = theme.scheme.value;
  const { left, right, window: shownRange } = sides;
  const isSplit = left.query !== right.query;
  const toQuery = (selector: string): ProfileQuery => ({ type, selector, ...shownRange });
  const before = useTimeline(toQuery(left.query), "");
  const after = useTimeline(isSplit ? toQuery(right.query) : undefined, "");
  const unit = useMemo(() => chooseRateUnit(type), [type]);
  const { isInstant, title } = describeProfileType(type);
  const leftShown = latest(before.state);
  const rightShown = isSplit ? latest(after.state) : undefined;
  const columns = useMemo(() => {
    if (leftShown === undefined) return undefined;
    const blank = { labels: {}, points: [] };
    const series = [leftShown.series[0] ?? blank, ...(isSplit ? [rightShown?.series[0] ?? blank] : [])];
    return toChartColumns(series, leftShown.grid, {
      toPoint: unit.toPoint,
      missing: isInstant ? null : 0,
      arrivingFromMs: findArrivingFrom(nowMs, leftShown.grid),
    });
  }, [leftShown, rightShown, isSplit, unit, isInstant, nowMs]);
  const lines = isSplit
    ? [
        { label: "A", colour: SIDE_COLOURS[scheme].left },
        { label: "B", colour: SIDE_COLOURS[scheme].right },
      ]
    : [{ label: title, colour: chooseSeriesColour(7, scheme) }];
  return (
    <>
      <Failure doing="Reading the timeline" resource={before} main={main} />
      <Failure doing="Reading the timeline of B" resource={after} main={main} />
      <Busy isBusy={before.state.kind === "loading"} label="Reading the timeline">
        {columns === undefined && before.state.kind !== "failed" && (
          <div class="timeline-blank" style={{ height: `${HEIGHT_PX}px` }} />
        )}
        {columns !== undefined && (
          <TimelineChart
            label={`${title} over time, with the ranges A and B`}
            range={shownRange}
            columns={columns}
            lines={lines}
            isSplit={isSplit}
            unit={unit}
            heightPx={HEIGHT_PX}
            onBrush={(range) => onChange(active, range)}
          >
            {(["left", "right"] as const).map((side) => (
              <RangeBand
                key={side}
                side={side}
                range={sides[side].resolved}
                window={shownRange}
                onChange={(range) => onChange(side, range)}
              />
            ))}
          </TimelineChart>
        )}
      </Busy>
    </>
  );
}
