import type { ProfileQuery, TimeSeries } from "../api/wire.ts";
import { chooseGrid, type TimelineGrid } from "../state/time-range.ts";
import { useApp } from "./app-context.ts";
import { type ResourceView, useResource } from "./use-resource.ts";

// A label with more values than this is an id: the largest groups are shown.
export const GROUP_LIMIT = 40;

/** A query's values over time, split by a label when one is given. */
export function useTimeline(query: ProfileQuery | undefined, groupBy: string): ResourceView<Timeline> {
  const { client } = useApp();
  const key = query === undefined ? undefined : JSON.stringify([query, groupBy]);
  return useResource(key, async (signal) => {
    if (query === undefined) return EMPTY_TIMELINE;
    const grid = chooseGrid(query);
    const options = { groupBy: groupBy === "" ? [] : [groupBy], limit: groupBy === "" ? 0 : GROUP_LIMIT };
    return { grid, groupBy, series: await client.selectSeries(query, grid, options, signal) };
  });
}

/** Series and the grid they lie on. */
export interface Timeline {
  readonly grid: TimelineGrid;
  readonly groupBy: string;
  readonly series: readonly TimeSeries[];
}

const EMPTY_TIMELINE: Timeline = {
  grid: { fromMs: 0, untilMs: 0, stepSeconds: 1 },
  groupBy: "",
  series: [],
};
