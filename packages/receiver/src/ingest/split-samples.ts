import {
  type Label,
  type LabelSet,
  PROFILE_NAME_LABEL,
  type Profile,
  SERVICE_NAME_LABEL,
  sortLabels,
} from "@pyroscope-ts/protocol";
import { Refusal } from "./refusal.ts";
import { SampleLabels } from "./sample-labels.ts";
import { isDroppedLabel } from "./series-labels.ts";
import { isSpanLabel } from "./span-ids.ts";

/** The samples of one profile that belong to one series. */
export interface SampleGroup {
  /** Sorted, and as `finishLabels` gave them. */
  readonly labels: LabelSet;
  /** Rows of the profile's samples, ascending; undefined for all. */
  readonly sampleRows: Uint32Array | undefined;
  /** One span id for each sample of the group; undefined if none has one. 0 for none. */
  readonly spanIds: BigUint64Array | undefined;
  /** Two lanes, high and low, for each sample of the group; undefined if none has one. 0, 0 for none. */
  readonly traceIds: BigUint64Array | undefined;
}

/**
 * Relabels and checks the labels of one final series, and rewrites their names where the tenant wants classic ones;
 * undefined where a rule of the tenant drops the series.
 */
export type FinishLabels = (labels: LabelSet) => LabelSet | Refusal | undefined;

/**
 * Splits a profile by the text labels of its samples: each distinct set of them, joined with the labels of the series,
 * is a series of its own.
 *
 * - A label of the series wins over a sample's of the same name; so does the first of two in one sample.
 * - Span and trace ids become columns, wherever they stand; on the series they hold for every sample without its own.
 * - Number labels (Go's `bytes`) are not part of a series.
 * - A sample that is zero in every value adds nothing and is left out.
 *
 * Depends on nothing but its arguments: replay splits as admission did. Every sample that is not zero is in
 * exactly one group, so that totals are conserved, unless a rule drops its series.
 *
 * @param seriesLabels - sorted.
 * @returns no group if every sample is zero; the first refusal of `finishLabels`: one bad group refuses the profile.
 *
 * Source: Pyroscope pkg/pprof/pprof.go, pkg/model/pprofsplit/pprof_split.go.
 */
export function splitSamples(
  profile: Profile,
  seriesLabels: LabelSet,
  finishLabels: FinishLabels,
): readonly SampleGroup[] | Refusal {
  const sampleLabels = new SampleLabels(profile);
  const ownLabels = seriesLabels.filter((label) => !isSpanLabel(label.name));
  const spanLabels = seriesLabels.filter((label) => isSpanLabel(label.name));
  const rowsOfSets =
    profile.labels.length === 0
      ? splitUnlabelled(profile, ownLabels, finishLabels)
      : splitLabelled(profile, sampleLabels, ownLabels, finishLabels);
  if (rowsOfSets instanceof Refusal) return rowsOfSets;
  return rowsOfSets.map(({ labels, rows }) => ({
    labels,
    sampleRows: rows.length === profile.samples.length ? undefined : rows,
    ...sampleLabels.readIds(rows, spanLabels),
  }));
}

/** A label set, and the rows of the samples that have it, ascending. */
interface RowsOfSet {
  readonly labels: LabelSet;
  readonly rows: Uint32Array;
}

/** All samples have the labels of the series. */
function splitUnlabelled(
  profile: Profile,
  ownLabels: LabelSet,
  finishLabels: FinishLabels,
): readonly RowsOfSet[] | Refusal {
  const isZero = zeroRowTest(profile);
  const rows = new Uint32Array(profile.samples.length);
  let length = 0;
  for (let row = 0; row < rows.length; row++) if (!isZero(row)) rows[length++] = row;
  if (length === 0) return [];
  const labels = finishLabels(ownLabels);
  if (labels instanceof Refusal) return labels;
  return labels === undefined ? [] : [{ labels, rows: rows.subarray(0, length) }];
}

function splitLabelled(
  profile: Profile,
  sampleLabels: SampleLabels,
  ownLabels: LabelSet,
  finishLabels: FinishLabels,
): readonly RowsOfSet[] | Refusal {
  const groups = new Map<string, { readonly labels: LabelSet; readonly rows: number[] }>();
  for (const [key, rows] of groupRows(profile, sampleLabels)) {
    const labels = finishLabels(joinLabels(ownLabels, sampleLabels.labelsOfKey(key)));
    if (labels instanceof Refusal) return labels;
    if (labels === undefined) continue;
    // Two keys can give one label set: samples order their labels as they like, and series labels hide theirs.
    const text = JSON.stringify(labels.map(({ name, value }) => [name, value]));
    const known = groups.get(text);
    if (known === undefined) groups.set(text, { labels, rows });
    else for (const row of rows) known.rows.push(row);
  }
  return Array.from(groups.values(), ({ labels, rows }) => ({
    labels,
    rows: Uint32Array.from(rows).sort(),
  }));
}

/** Rows of samples that are not zero, by the key of their labels, in order of appearance. */
function groupRows(profile: Profile, sampleLabels: SampleLabels): ReadonlyMap<string, number[]> {
  const groups = new Map<string, number[]>();
  const isZero = zeroRowTest(profile);
  for (let row = 0; row < profile.samples.length; row++) {
    if (isZero(row)) continue;
    const key = sampleLabels.keyOfSample(row);
    const rows = groups.get(key);
    if (rows === undefined) groups.set(key, [row]);
    else rows.push(row);
  }
  return groups;
}

function zeroRowTest({ samples, sampleTypes }: Profile): (row: number) => boolean {
  // Two 32-bit lanes for each value: reading a BigInt64Array makes a BigInt for every element.
  const lanes = new Int32Array(samples.values.buffer, samples.values.byteOffset, samples.values.length * 2);
  const rowLanes = sampleTypes.length * 2;
  return (row) => {
    for (let lane = row * rowLanes; lane < (row + 1) * rowLanes; lane++) {
      if (lanes[lane] !== 0) return false;
    }
    return true;
  };
}

function joinLabels(seriesLabels: LabelSet, sampleLabels: readonly Label[]): LabelSet {
  const joined: Label[] = [...seriesLabels];
  const taken = new Set([PROFILE_NAME_LABEL, SERVICE_NAME_LABEL]);
  for (const { name } of seriesLabels) taken.add(name);
  for (const label of sampleLabels) {
    if (taken.has(label.name) || isDroppedLabel(label.name)) continue;
    taken.add(label.name);
    joined.push(label);
  }
  return joined.length === seriesLabels.length ? seriesLabels : sortLabels(joined);
}
