import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type PlotPlace, type TimelineLine, TimelinePlot } from "../draw/timeline-plot.ts";
import { formatMoment, formatRange } from "../format/format-time.ts";
import type { RateUnit } from "../format/profile-type.ts";
import type { ChartColumns } from "../layout/chart-columns.ts";
import { applyRangeKey } from "../state/brush.ts";
import type { ResolvedRange } from "../state/time-range.ts";
import { useApp } from "./app-context.ts";
import { TimelineTable } from "./timeline-table.tsx";

interface TimelineChartProps {
  readonly label: string;
  readonly range: ResolvedRange;
  readonly columns: ChartColumns;
  readonly lines: readonly TimelineLine[];
  readonly isSplit: boolean;
  readonly unit: RateUnit;
  readonly heightPx: number;
  readonly onBrush: (range: ResolvedRange) => void;
  /** Laid over the plotting area, whose width stands for the range. */
  readonly children?: ComponentChildren;
}

const AXIS_COLOURS = {
  light: { text: "#57606f", grid: "#e8ebf0" },
  dark: { text: "#9aa4b5", grid: "#262c36" },
} as const;

/** A timeline that can be brushed by dragging and moved by keys. */
export function TimelineChart(props: TimelineChartProps): VNode {
  const { label, range, columns, lines, unit, heightPx, onBrush, children } = props;
  const host = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<PlotPlace>({ leftPx: 0, topPx: 0, widthPx: 0, heightPx: 0 });
  const [hover, setHover] = useState<number | undefined>(undefined);
  useTimelinePlot(host, props, setPlace, setHover);
  return (
    <div class="timeline">
      <div class="timeline-plot">
        <div ref={host} style={{ height: `${heightPx}px` }} />
        {children !== undefined && (
          <div
            class="timeline-overlay"
            style={{
              left: `${place.leftPx}px`,
              top: `${place.topPx}px`,
              width: `${place.widthPx}px`,
              height: `${place.heightPx}px`,
            }}
          >
            {children}
          </div>
        )}
        <RangeKeys label={label} range={range} onChange={onBrush} />
      </div>
      <TimelineReadout columns={columns} lines={lines} unit={unit} index={hover} />
      <TimelineTable label={label} columns={columns} names={lines.map((line) => line.label)} unit={unit} />
    </div>
  );
}

function useTimelinePlot(
  host: { readonly current: HTMLDivElement | null },
  props: TimelineChartProps,
  setPlace: (place: PlotPlace) => void,
  setHover: (index: number | undefined) => void,
): void {
  const { theme } = useApp();
  const { range, columns, lines, isSplit, unit, heightPx } = props;
  const plot = useRef<TimelinePlot | undefined>(undefined);
  const latestProps = useRef(props);
  latestProps.current = props;
  const scheme = theme.scheme.value;
  // What a chart cannot change later; values alone are updated in place, so that a refresh does not end a drag.
  const shape = JSON.stringify([lines, isSplit, unit.axis, heightPx, scheme]);
  useEffect(() => {
    if (host.current === null) return;
    const made = new TimelinePlot(host.current, range, columns, {
      heightPx,
      lines,
      isSplit,
      isBinary: unit.axis.startsWith("bytes"),
      ...AXIS_COLOURS[scheme],
      formatValue: (value) => latestProps.current.unit.formatTick(value),
      onBrush: (brushed) => latestProps.current.onBrush(brushed),
      onPlace: setPlace,
      onHover: setHover,
    });
    plot.current = made;
    return () => made.close();
  }, [shape]);
  useEffect(() => plot.current?.update(range, columns), [range, columns]);
}

interface TimelineReadoutProps {
  readonly columns: ChartColumns;
  readonly lines: readonly TimelineLine[];
  readonly unit: RateUnit;
  readonly index: number | undefined;
}

// A readout of more lines than this would cover the page.
const MAX_READOUT_COUNT = 6;

function TimelineReadout({ columns, lines, unit, index }: TimelineReadoutProps): VNode {
  const seconds = index === undefined ? undefined : columns.seconds[index];
  if (index === undefined || seconds === undefined) {
    return <div class="timeline-readout">{unit.axis}</div>;
  }
  const values = lines
    .map((line, series) => ({ line, value: columns.values[series]?.[index] ?? undefined }))
    .filter(({ value }) => value !== undefined)
    .toSorted((a, b) => (b.value ?? 0) - (a.value ?? 0))
    .slice(0, MAX_READOUT_COUNT);
  return (
    <div class="timeline-readout">
      <time>{formatMoment(seconds * 1000)}</time>
      {values.map(({ line, value }) => (
        <span key={line.label}>
          <span class="swatch" style={{ background: line.colour }} /> {line.label}{" "}
          <b>{unit.format(value ?? 0)}</b>
        </span>
      ))}
    </div>
  );
}

interface RangeKeysProps {
  readonly label: string;
  readonly range: ResolvedRange;
  readonly onChange: (range: ResolvedRange) => void;
}

/** Takes the keyboard's focus for the chart: what a pointer does by dragging, keys do here. */
function RangeKeys({ label, range, onChange }: RangeKeysProps): VNode {
  return (
    <div
      class="timeline-keys"
      role="slider"
      tabIndex={0}
      aria-label={`${label}. Left and right move the range, plus and minus zoom.`}
      aria-valuemin={0}
      aria-valuemax={range.untilMs}
      aria-valuenow={range.fromMs}
      aria-valuetext={formatRange(range)}
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const changed = applyRangeKey(event.key, range);
        if (changed === undefined) return;
        event.preventDefault();
        onChange(changed);
      }}
    />
  );
}
