import { HEATMAP_CELL_COUNT, type HeatmapRows } from "../store/select-heatmap.ts";
import type { TimeGrid } from "../store/totals-query.ts";
import { compareLabelSets, makeLabelSet } from "./label-sets.ts";
import type { Heatmap, SpanExemplar } from "./query-service.ts";
import type { SeriesLabels } from "./time-series.ts";

/** How rows become slots. */
interface SlotContext {
  readonly rows: HeatmapRows;
  readonly groupBy: readonly string[];
  readonly grid: TimeGrid;
  /** undefined: no exemplars. */
  readonly seriesLabels: SeriesLabels | undefined;
}

/**
 * Makes a heat map of rows: slots ascending, the series with the largest sum first, equal sums by their labels.
 *
 * @param rows - at least one.
 * @param limit - Keep this many series; 0 keeps all.
 * @param seriesLabels - labels of the exemplars' series; undefined: no exemplars.
 */
export function toHeatmap(
  rows: HeatmapRows,
  groupBy: readonly string[],
  grid: TimeGrid,
  limit: number,
  seriesLabels: SeriesLabels | undefined,
): Heatmap {
  const groups = [...groupRows(rows, groupBy).values()];
  groups.sort((left, right) => right.sum - left.sum || compareLabelSets(left.labels, right.labels));
  const kept = limit > 0 ? groups.slice(0, limit) : groups;
  const context: SlotContext = { rows, groupBy, grid, seriesLabels };
  return {
    cellMin: cellMinimums(rows.low[0]!, rows.high[0]!),
    series: kept.map(({ labels, rowsOfGroup }) => ({ labels, slots: toSlots(rowsOfGroup, context) })),
  };
}

interface Group {
  readonly labels: ReturnType<typeof makeLabelSet>;
  readonly rowsOfGroup: number[];
  sum: number;
}

function groupRows(rows: HeatmapRows, groupBy: readonly string[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (let row = 0; row < rows.rowCount; row++) {
    const values = rows.group.map((column) => column[row]!);
    const key = JSON.stringify(values);
    const group = groups.get(key) ?? { labels: makeLabelSet(groupBy, values), rowsOfGroup: [], sum: 0 };
    groups.set(key, group);
    group.rowsOfGroup.push(row);
    group.sum += rows.sum[row]!;
  }
  return groups;
}

/** Values that are all equal lie in the first cell of a scale that is one unit high, as Pyroscope has it. */
function cellMinimums(low: number, high: number): Float64Array {
  const height = (high > low ? high - low : 1) / HEATMAP_CELL_COUNT;
  return Float64Array.from({ length: HEATMAP_CELL_COUNT }, (_, cell) => low + cell * height);
}

function toSlots(rowsOfGroup: readonly number[], context: SlotContext): Heatmap["series"][number]["slots"] {
  const { rows, grid, seriesLabels } = context;
  const slots = new Map<bigint, { unixMillis: number; counts: Int32Array; exemplars: SpanExemplar[] }>();
  for (const row of rowsOfGroup) {
    const bucket = rows.bucket[row]!;
    const slot = slots.get(bucket) ?? {
      unixMillis: grid.startUnixMillis + Number(bucket) * grid.stepMs,
      counts: new Int32Array(HEATMAP_CELL_COUNT),
      exemplars: [],
    };
    slots.set(bucket, slot);
    slot.counts[rows.cell[row]!] = Number(rows.count[row]!);
    if (seriesLabels !== undefined) slot.exemplars.push(toExemplar(row, seriesLabels, context));
  }
  return [...slots.values()].sort((left, right) => left.unixMillis - right.unixMillis);
}

function toExemplar(row: number, seriesLabels: SeriesLabels, { rows, groupBy }: SlotContext): SpanExemplar {
  const { top } = rows;
  const labels = seriesLabels.get(top.series[row]!) ?? [];
  const spanId = top.spanId[row]!;
  return {
    unixMillis: Number(top.unixNanos[row]! / 1_000_000n),
    profileId: top.profile[row]!,
    value: top.total[row]!,
    labels: labels.filter(({ name }) => !groupBy.includes(name)),
    spanId: spanId === 0n ? "" : spanId.toString(16).padStart(16, "0"),
    traceId: top.traceId[row]!.replaceAll("-", ""),
  };
}
