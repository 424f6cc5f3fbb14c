import uPlot from "uplot";
import { formatTicks } from "../format/format-time.ts";
import type { ChartColumns } from "../layout/chart-columns.ts";
import type { ResolvedRange } from "../state/time-range.ts";

/** One line of a timeline. */
export interface TimelineLine {
  readonly label: string;
  readonly colour: string;
}

/** How a timeline looks and what it does. */
export interface TimelinePlotOptions {
  readonly heightPx: number;
  readonly lines: readonly TimelineLine[];
  /** One series is drawn as bars, several as lines. */
  readonly isSplit: boolean;
  /** Values are bytes: the axis steps in powers of two, 64 MiB instead of 95.4. */
  readonly isBinary: boolean;
  readonly text: string;
  readonly grid: string;
  readonly formatValue: (value: number) => string;
  /** The reader dragged over a range. */
  readonly onBrush: (range: ResolvedRange) => void;
  /** The plotting area moved: its place in the host, in CSS pixels. */
  readonly onPlace: (place: PlotPlace) => void;
  /** The pointer is at a bucket, or at none. */
  readonly onHover: (index: number | undefined) => void;
}

/** Where the plotting area lies in its host. */
export interface PlotPlace {
  readonly leftPx: number;
  readonly topPx: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

// A drag shorter than this was a click.
const BRUSH_MIN_PX = 4;
const AXIS_WIDTH_PX = 58;
const BINARY_STEPS: number[] = Array.from({ length: 53 }, (_, power) => 2 ** power);

/** A chart over time in `host`; the only place that knows the chart library. */
export class TimelinePlot {
  readonly #plot: uPlot;
  readonly #resizes: ResizeObserver;
  #range: ResolvedRange;

  constructor(host: HTMLElement, range: ResolvedRange, columns: ChartColumns, options: TimelinePlotOptions) {
    this.#range = range;
    const scales: uPlot.Scales = {
      x: { time: true, range: () => [this.#range.fromMs / 1000, this.#range.untilMs / 1000] },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
    };
    this.#plot = new uPlot(
      {
        width: Math.max(120, host.clientWidth),
        height: options.heightPx,
        scales,
        legend: { show: false },
        padding: [16, 12, 0, 0],
        cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 }, y: false },
        axes: createAxes(options),
        series: [{}, ...options.lines.map((line) => createSeries(line, options.isSplit))],
        hooks: createHooks(options),
      },
      toData(columns),
      host,
    );
    this.#resizes = new ResizeObserver(() => {
      this.#plot.setSize({ width: Math.max(120, host.clientWidth), height: options.heightPx });
    });
    this.#resizes.observe(host);
  }

  /** Shows other values of the same lines. */
  update(range: ResolvedRange, columns: ChartColumns): void {
    this.#range = range;
    this.#plot.setData(toData(columns));
  }

  /** Removes the chart. */
  close(): void {
    this.#resizes.disconnect();
    this.#plot.destroy();
  }
}

function toData(columns: ChartColumns): uPlot.AlignedData {
  // uPlot's type wants mutable arrays and does not change them.
  return [columns.seconds, ...columns.values] as unknown as uPlot.AlignedData;
}

function createAxes(options: TimelinePlotOptions): uPlot.Axis[] {
  const shared = {
    stroke: options.text,
    grid: { stroke: options.grid, width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  return [
    {
      ...shared,
      size: 24,
      gap: 4,
      space: 80,
      grid: { show: false },
      values: (_plot, ticks) => formatTicks(ticks.map((seconds) => seconds * 1000)),
    },
    {
      ...shared,
      size: AXIS_WIDTH_PX,
      gap: 6,
      space: 32,
      ...(options.isBinary ? { incrs: BINARY_STEPS } : {}),
      values: (_plot, ticks) => ticks.map((tick) => options.formatValue(tick)),
    },
  ];
}

function createSeries(line: TimelineLine, isSplit: boolean): uPlot.Series {
  const shared = { label: line.label, stroke: line.colour };
  // A bucket ends at its moment: the bar stands before it.
  if (!isSplit && uPlot.paths.bars !== undefined) {
    const paths = uPlot.paths.bars({ size: [0.86, 240], align: -1 });
    return { ...shared, width: 0, fill: line.colour, points: { show: false }, paths };
  }
  return { ...shared, width: 1.5, points: { show: false } };
}

function createHooks(options: TimelinePlotOptions): uPlot.Hooks.Arrays {
  const place = (plot: uPlot): void => {
    const over = plot.over;
    options.onPlace({
      leftPx: over.offsetLeft,
      topPx: over.offsetTop,
      widthPx: over.clientWidth,
      heightPx: over.clientHeight,
    });
  };
  return {
    ready: [place],
    setSize: [place],
    setCursor: [(plot) => options.onHover(plot.cursor.idx ?? undefined)],
    setSelect: [
      (plot) => {
        const { left, width } = plot.select;
        if (width < BRUSH_MIN_PX) return;
        const fromMs = plot.posToVal(left, "x") * 1000;
        const untilMs = plot.posToVal(left + width, "x") * 1000;
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        options.onBrush({ fromMs: Math.round(fromMs), untilMs: Math.round(untilMs) });
      },
    ],
  };
}
