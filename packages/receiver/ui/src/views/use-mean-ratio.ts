import type { ProfileQuery } from "../api/wire.ts";
import { describeProfileType } from "../format/profile-type.ts";
import { latest } from "../state/resource.ts";
import { useApp } from "./app-context.ts";
import { useResource } from "./use-resource.ts";

/** What values of a merged profile are multiplied by before they are shown, and what to say about it. */
export interface MeanRatio {
  readonly ratio: number;
  readonly note: string;
}

/**
 * Merged profiles are sums. For a state, as the live heap, the sum over ten profiles is ten heaps: the page shows the mean,
 * which the receiver's series of the whole range as one bucket gives.
 */
export function useMeanRatio(query: ProfileQuery, sum: number): MeanRatio {
  const { client } = useApp();
  const { isInstant } = describeProfileType(query.type);
  const series = useResource(isInstant ? JSON.stringify(query) : undefined, (signal) => {
    const stepSeconds = (query.untilMs - query.fromMs) / 1000;
    const grid = { fromMs: query.fromMs, untilMs: query.untilMs, stepSeconds };
    return client.selectSeries(query, grid, { groupBy: [], limit: 0 }, signal);
  });
  if (!isInstant) return { ratio: 1, note: "" };
  // The first bucket lies before the range; the last is the range.
  const points = latest(series.state)?.[0]?.points ?? [];
  const mean = points.find(({ timeMs }) => timeMs === query.untilMs)?.value ?? 0;
  if (mean <= 0 || sum <= 0) return { ratio: 1, note: ", summed over all profiles" };
  return { ratio: mean / sum, note: `, the mean of ${Math.max(1, Math.round(sum / mean))} profiles` };
}
