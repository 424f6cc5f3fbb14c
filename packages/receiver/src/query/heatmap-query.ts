import type { TableName } from "../store/schema.ts";
import { selectHeatmap } from "../store/select-heatmap.ts";
import { toHeatmap } from "./heatmap.ts";
import { distinctNames } from "./label-sets.ts";
import { estimatePoints } from "./query-memory.ts";
import type { Heatmap, HeatmapQuery } from "./query-service.ts";
import type { ReadContext } from "./snapshot-reader.ts";
import { countBuckets, type LaidGrid, readSeriesLabels } from "./time-series-query.ts";

/** The heat map of nothing. */
export const EMPTY_HEATMAP: Heatmap = { cellMin: new Float64Array(), series: [] };

/** Tables that a heat map is read from: samples only where spans are its points. */
export function heatmapTables({ point }: HeatmapQuery): readonly TableName[] {
  return point === "span" ? ["samples", "totals", "series"] : ["totals", "series"];
}

/** The selected points, counted by time and value. */
export async function readHeatmap(
  context: ReadContext,
  query: HeatmapQuery,
  { grid, covered }: LaidGrid,
): Promise<Heatmap> {
  const { snapshot, filter, signal } = context;
  const groupBy = distinctNames(query.groupBy);
  const shape = { isGrouped: groupBy.length > 0, bucketCount: countBuckets(grid, covered) };
  await context.reserve(await estimatePoints(context, shape));
  const rows = await selectHeatmap(snapshot, { filter, grid, groupBy, point: query.point }, signal);
  if (rows.rowCount === 0) return EMPTY_HEATMAP;
  const labels = query.exemplars ? await readSeriesLabels(context, rows.top.series) : undefined;
  return toHeatmap(rows, groupBy, grid, query.limit ?? 0, labels);
}
