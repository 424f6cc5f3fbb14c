import type { VNode } from "preact";
import { useMemo } from "preact/hooks";
import type { ProfileQuery } from "../api/wire.ts";
import { chooseSeriesColour } from "../draw/series-colour.ts";
import type { TimelineLine } from "../draw/timeline-plot.ts";
import { formatSpan } from "../format/format-time.ts";
import { chooseRateUnit, describeProfileType } from "../format/profile-type.ts";
import { findArrivingFrom, toChartColumns } from "../layout/chart-columns.ts";
import { zoomRange } from "../state/brush.ts";
import { latest } from "../state/resource.ts";
import { type ResolvedRange, toTimeRange } from "../state/time-range.ts";
import { useApp, useView } from "./app-context.ts";
import { GroupByPicker } from "./group-by-picker.tsx";
import { GroupTable } from "./group-table.tsx";
import { linkTo } from "./link.ts";
import { Busy, Failure } from "./state-notice.tsx";
import { TimelineChart } from "./timeline-chart.tsx";
import type { ResourceView } from "./use-resource.ts";
import { type Timeline, useTimeline } from "./use-timeline.ts";

// Lines beyond these could not be told apart; the table below lists every group.
const MAX_LINE_COUNT = 8;
const HEIGHT_PX = 132;

interface TimelinePanelProps {
  readonly query: ProfileQuery;
  /** What the page is about: its refusal is not repeated here. */
  readonly main: ResourceView<unknown>;
}

/** The timeline of a profile's page: brush it to narrow the range, split it by a label. */
export function TimelinePanel({ query, main }: TimelinePanelProps): VNode {
  const { clock, navigation } = useApp();
  const [view, go] = useView();
  const timeline = useTimeline(query, view.groupBy);
  const shown = latest(timeline.state);
  const setRange = (range: ResolvedRange): void => {
    clock.refresh();
    go(toTimeRange(range));
  };
  return (
    <section class="panel" aria-label="Timeline">
      <div class="panel-bar">
        <GroupByPicker query={query} />
        <span class="hint">
          {shown !== undefined &&
            `${formatSpan(shown.grid.stepSeconds)} per ${shown.groupBy === "" ? "bar" : "point"} · drag to select a range`}
        </span>
        <span class="spacer-flex" />
        <button type="button" class="button" onClick={() => setRange(zoomRange(query, 2))}>
          Zoom out
        </button>
        <a class="button" {...linkTo(navigation, { page: "diff", path: "" })}>
          Compare…
        </a>
      </div>
      <Failure doing="Reading the timeline" resource={timeline} main={main} />
      <Busy isBusy={timeline.state.kind === "loading"} label="Reading the timeline">
        {shown === undefined && timeline.state.kind !== "failed" && (
          <div class="timeline-blank" style={{ height: `${HEIGHT_PX}px` }} />
        )}
        {shown !== undefined && <TimelineOf timeline={shown} query={query} onBrush={setRange} />}
      </Busy>
      {shown !== undefined && shown.groupBy !== "" && view.groupBy !== "" && (
        <GroupTable timeline={shown} type={query.type} />
      )}
    </section>
  );
}

interface TimelineOfProps {
  readonly timeline: Timeline;
  readonly query: ProfileQuery;
  readonly onBrush: (range: ResolvedRange) => void;
}

function TimelineOf({ timeline, query, onBrush }: TimelineOfProps): VNode {
  const { theme, clock } = useApp();
  const scheme = theme.scheme.value;
  const nowMs = clock.nowMs.value;
  const { grid, series, groupBy } = timeline;
  const unit = useMemo(() => chooseRateUnit(query.type), [query.type]);
  const { isInstant, title } = describeProfileType(query.type);
  const drawn = useMemo(() => series.slice(0, MAX_LINE_COUNT), [series]);
  const columns = useMemo(
    () =>
      toChartColumns(drawn, grid, {
        toPoint: unit.toPoint,
        missing: isInstant ? null : 0,
        arrivingFromMs: findArrivingFrom(nowMs, grid),
      }),
    [drawn, grid, unit, isInstant, nowMs],
  );
  const isSplit = groupBy !== "";
  const lines: readonly TimelineLine[] = drawn.map(({ labels }, index) => ({
    label: isSplit ? labels[groupBy] || "(none)" : title,
    colour: chooseSeriesColour(index, scheme),
  }));
  return (
    <TimelineChart
      label={`${title} over time`}
      range={query}
      columns={columns}
      lines={lines}
      isSplit={isSplit}
      unit={unit}
      heightPx={isSplit ? HEIGHT_PX + 40 : HEIGHT_PX}
      onBrush={onBrush}
    />
  );
}
