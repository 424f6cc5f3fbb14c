import type { LabelSet } from "@pyroscope-ts/protocol";
import type { TimeGrid, TotalsRows } from "../store/totals-query.ts";
import { compareLabelSets, makeLabelSet } from "./label-sets.ts";
import type { Exemplar, TimeSeries } from "./query-service.ts";

/** Labels of a series by its id; exemplars state them. */
export type SeriesLabels = ReadonlyMap<bigint, LabelSet>;

interface Group {
  readonly labels: LabelSet;
  /** Rows of the group, and their buckets. */
  readonly points: Point[];
  sum: number;
}

interface Point {
  readonly row: number;
  readonly bucket: number;
}

/**
 * Makes series of rows: points ascending, the series with the largest sum first, equal sums by their labels.
 *
 * @param limit - Keep this many series; 0 keeps all.
 */
export function toTimeSeries(
  rows: TotalsRows,
  groupBy: readonly string[],
  grid: TimeGrid,
  limit: number,
  seriesLabels: SeriesLabels,
): readonly TimeSeries[] {
  const groups = [...groupRows(rows, groupBy).values()];
  groups.sort((left, right) => right.sum - left.sum || compareLabelSets(left.labels, right.labels));
  const kept = limit > 0 ? groups.slice(0, limit) : groups;
  return kept.map((group) => toSeries(group, rows, groupBy, grid, seriesLabels));
}

function groupRows(rows: TotalsRows, groupBy: readonly string[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  const keyOf = groupKey(rows);
  for (let row = 0; row < rows.rowCount; row++) {
    const key = keyOf(row);
    let group = groups.get(key);
    if (group === undefined) {
      const values = rows.group.map((column) => column[row]!);
      group = { labels: makeLabelSet(groupBy, values), points: [], sum: 0 };
      groups.set(key, group);
    }
    group.points.push({ row, bucket: Number(rows.bucket[row]!) });
    group.sum += rows.value[row]!;
  }
  return groups;
}

/** What rows of one group have in common. */
function groupKey({ group }: TotalsRows): (row: number) => string {
  const [first, ...others] = group;
  if (first === undefined) return () => "";
  return others.length === 0
    ? (row) => first[row]!
    : (row) => JSON.stringify(group.map((column) => column[row]!));
}

function toSeries(
  group: Group,
  rows: TotalsRows,
  groupBy: readonly string[],
  grid: TimeGrid,
  seriesLabels: SeriesLabels,
): TimeSeries {
  const ordered = group.points.toSorted((left, right) => left.bucket - right.bucket);
  return {
    labels: group.labels,
    unixMillis: Float64Array.from(ordered, ({ bucket }) => grid.startUnixMillis + bucket * grid.stepMs),
    values: Float64Array.from(ordered, ({ row }) => rows.value[row]!),
    ...(rows.exemplars !== undefined && {
      exemplars: ordered.map(({ row }) => toExemplar(rows, row, groupBy, seriesLabels)),
    }),
  };
}

function toExemplar(
  rows: TotalsRows,
  row: number,
  groupBy: readonly string[],
  seriesLabels: SeriesLabels,
): Exemplar {
  const columns = rows.exemplars!;
  const labels = seriesLabels.get(columns.series[row]!) ?? [];
  return {
    unixMillis: Number(columns.unixNanos[row]! / 1_000_000n),
    profileId: columns.profile[row]!,
    value: columns.total[row]!,
    labels: labels.filter(({ name }) => !groupBy.includes(name)),
  };
}

// What is in use at one moment: the sum over time has no meaning, five minutes of one heap are still one heap.
const INSTANT_SAMPLE_TYPE = /^(inuse_|goroutine)/;

/** Whether a profile of this sample type is a state at one moment, not something that happened in a while. */
export function isInstantSampleType(sampleType: string): boolean {
  return INSTANT_SAMPLE_TYPE.test(sampleType);
}
