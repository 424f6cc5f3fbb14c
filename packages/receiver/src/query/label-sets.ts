import { compareUtf8, type LabelSet, sortLabels } from "@pyroscope-ts/protocol";
import { INTERNAL_LABELS, isTypeLabel, typeLabelValue } from "../store/select-internal-labels.ts";
import type { SeriesRows } from "../store/select-labels.ts";

/** A label set of parallel names and values; an empty value is a label that is not there. */
export function makeLabelSet(names: readonly string[], values: readonly string[]): LabelSet {
  const labels = names.map((name, i) => ({ name, value: values[i] ?? "" }));
  return sortLabels(labels.filter(({ value }) => value !== ""));
}

/** Byte order of names, then of values, label by label; the shorter of two that begin alike comes first. */
export function compareLabelSets(left: LabelSet, right: LabelSet): number {
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    const order = compareUtf8(left[i]!.name, right[i]!.name) || compareUtf8(left[i]!.value, right[i]!.value);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Each label set once, in order. A set without labels says nothing and is left out. */
export function distinctLabelSets(sets: Iterable<LabelSet>): readonly LabelSet[] {
  const distinct = new Map<string, LabelSet>();
  for (const set of sets) {
    if (set.length > 0) distinct.set(JSON.stringify(set.map(({ name, value }) => [name, value])), set);
  }
  return [...distinct.values()].sort(compareLabelSets);
}

/** The labels of one row of series, the internal ones that Pyroscope adds included. */
export function fullLabelSet(rows: SeriesRows, row: number): LabelSet {
  const names = rows.names.slice(rows.start[row], rows.start[row + 1]);
  const values = rows.values.slice(rows.start[row], rows.start[row + 1]);
  const service = values[names.indexOf("service_name")] ?? "";
  const type = rows.type[row]!;
  const internalValues = INTERNAL_LABELS.map((name) =>
    isTypeLabel(name) ? typeLabelValue(type, name) : service,
  );
  return makeLabelSet([...names, ...INTERNAL_LABELS], [...values, ...internalValues]);
}
