import { compareUtf8, type LabelSet, type Matcher, parseSelector } from "@pyroscope-ts/protocol";
import { ReceiverError } from "../errors.ts";
import type { TableName } from "../store/schema.ts";
import { selectCardinality, selectSeriesCount } from "../store/select-cardinality.ts";
import { INTERNAL_LABELS } from "../store/select-internal-labels.ts";
import {
  selectLabelCombinations,
  selectLabelNames,
  selectLabelValues,
  selectProfileTypes,
  selectSeriesRows,
} from "../store/select-labels.ts";
import { distinctLabelSets, distinctNames, fullLabelSet, makeLabelSet } from "./label-sets.ts";
import { levelOfRange } from "./query-level.ts";
import type { Cardinality, LabelNamesQuery, LabelValuesQuery, SeriesQuery } from "./query-service.ts";
import type { ReadContext, ReadPlan } from "./snapshot-reader.ts";
import type { TimeRange } from "./time-range.ts";

/** What there is to count where there is no data. */
export const NO_CARDINALITY: Cardinality = { seriesCount: 0, labels: [] };

const LABEL_TABLES: readonly TableName[] = ["totals", "series"];

/** The plan of a query for labels: every selector must hold. */
export function planLabels(query: LabelNamesQuery, range: TimeRange | undefined): ReadPlan {
  const matchers: readonly Matcher[] = query.selectors.flatMap((selector) => parseSelector(selector));
  return {
    tenants: query.tenants,
    range,
    matchers,
    profileType: undefined,
    tables: LABEL_TABLES,
    level: levelOfRange(range),
  };
}

/** @throws {@link ReceiverError} INVALID_ARGUMENT for a query without the label's name. */
export function checkLabelName(query: LabelValuesQuery): void {
  if (query.name === "") throw new ReceiverError("name is required", { code: "INVALID_ARGUMENT" });
}

export async function readProfileTypes({
  snapshot,
  filter,
  signal,
}: ReadContext): Promise<readonly string[]> {
  return await selectProfileTypes(snapshot, filter, signal);
}

export async function readLabelNames({ snapshot, filter, signal }: ReadContext): Promise<readonly string[]> {
  const names = await selectLabelNames(snapshot, filter, signal);
  if (names.length === 0) return names;
  return [...new Set([...names, ...INTERNAL_LABELS])].sort(compareUtf8);
}

export async function readLabelValues(
  { snapshot, filter, signal }: ReadContext,
  name: string,
): Promise<readonly string[]> {
  return await selectLabelValues(snapshot, filter, name, signal);
}

// Labels that differ by host or version have dozens of values; from here on it is more often an id or a path.
const HIGH_VALUE_COUNT = 100;

export async function readCardinality({ snapshot, filter, signal }: ReadContext): Promise<Cardinality> {
  const rows = await selectCardinality(snapshot, filter, signal);
  return {
    seriesCount: await selectSeriesCount(snapshot, filter, signal),
    labels: rows.name.map((name, row) => {
      const valueCount = Number(rows.valueCount[row]!);
      const seriesCount = Number(rows.seriesCount[row]!);
      return { name, valueCount, seriesCount, isHigh: valueCount >= HIGH_VALUE_COUNT };
    }),
  };
}

export async function readSeries(
  { snapshot, filter, signal }: ReadContext,
  query: SeriesQuery,
): Promise<readonly LabelSet[]> {
  const names = distinctNames(query.labelNames);
  if (names.length === 0) {
    const rows = await selectSeriesRows(snapshot, filter, signal);
    return distinctLabelSets(Array.from({ length: rows.rowCount }, (_, row) => fullLabelSet(rows, row)));
  }
  const columns = await selectLabelCombinations(snapshot, filter, names, signal);
  const rowCount = columns[0]?.length ?? 0;
  const sets = Array.from({ length: rowCount }, (_, row) => {
    return makeLabelSet(
      names,
      columns.map((column) => column[row]!),
    );
  });
  return distinctLabelSets(sets);
}
