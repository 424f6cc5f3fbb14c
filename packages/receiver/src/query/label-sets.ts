import { compareUtf8, type LabelSet, sortLabels } from "@pyroscope-ts/protocol";
import { ReceiverError } from "../errors.ts";
import { INTERNAL_LABELS, isTypeLabel, typeLabelValue } from "../store/select-internal-labels.ts";
import type { SeriesRows } from "../store/select-labels.ts";

// Each name is a column of the result. Series have 30 labels by default; no page or client asks for more than a few.
const MAX_LABEL_NAMES = 256;

/**
 * The label names that a query tells series apart by, each once.
 *
 * @throws {@link ReceiverError} INVALID_ARGUMENT for more than 256.
 */
export function distinctNames(names: readonly string[]): readonly string[] {
  const distinct = [...new Set(names)];
  if (distinct.length > MAX_LABEL_NAMES) {
    throw new ReceiverError(`telling series apart by ${distinct.length} labels: limit ${MAX_LABEL_NAMES}`, {
      code: "INVALID_ARGUMENT",
    });
  }
  return distinct;
}

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
