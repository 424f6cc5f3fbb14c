import { compareUtf8 } from "../utf8.ts";
import { quoteText } from "./quote.ts";

/** `name` and `value` of one label. */
export interface Label {
  readonly name: string;
  readonly value: string;
}

/**
 * Labels in byte-wise order of their names. A name stands once in what this module makes of a record or of a
 * merge; sets that came over the wire can hold one twice, and `checkLabels` refuses those.
 */
export type LabelSet = readonly Label[];

/** Makes a label set of labels in any order. Labels of one name stay, in the order given. */
export function sortLabels(labels: Iterable<Label>): LabelSet {
  return [...labels].sort((left, right) => compareUtf8(left.name, right.name));
}

/** Makes a label set of `{ name: value }`. */
export function labelSetFromRecord(record: Readonly<Record<string, string>>): LabelSet {
  return sortLabels(Object.entries(record).map(([name, value]) => ({ name, value })));
}

/** Joins two label sets; where both have a name, the value of `overrides` stands. */
export function mergeLabels(base: LabelSet, overrides: LabelSet): LabelSet {
  const values = new Map(base.map((label) => [label.name, label.value]));
  for (const { name, value } of overrides) values.set(name, value);
  return sortLabels(Array.from(values, ([name, value]) => ({ name, value })));
}

/** The value of the label `name`, or undefined where there is none. */
export function getLabel(labels: LabelSet, name: string): string | undefined {
  // Sets are small (30 labels by default), so that a walk beats a search.
  return labels.find((label) => label.name === name)?.value;
}

/** The labels whose name is not in `names`. */
export function withoutLabels(labels: LabelSet, names: ReadonlySet<string>): LabelSet {
  return labels.filter((label) => !names.has(label.name));
}

/** Whether two label sets hold the same labels. */
export function equalLabels(left: LabelSet, right: LabelSet): boolean {
  return (
    left.length === right.length &&
    left.every((label, i) => label.name === right[i]?.name && label.value === right[i]?.value)
  );
}

/** Prints a label set as Pyroscope does in its messages: `{a="b", c="d"}`, values quoted as Go quotes. */
export function formatLabels(labels: LabelSet): string {
  return `{${labels.map(({ name, value }) => `${name}=${quoteText(value)}`).join(", ")}}`;
}
