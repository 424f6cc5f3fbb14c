import { type LabelSet, sortLabels } from "@pyroscope-ts/protocol";
import { hashLabels } from "../store/hash-profile.ts";
import { Refusal } from "./refusal.ts";
import { isSpanLabel } from "./span-ids.ts";
import type { FinishLabels } from "./split-samples.ts";

/**
 * Label of the series that samples go to which would have made new series beyond the limit. Clients cannot send it:
 * names with two underscores in front are dropped from what they send.
 */
const OVERFLOW_LABEL = { name: "__overflow__", value: "true" };

/**
 * Sends the samples of some series to one series of their service, which has none of the labels that came from
 * samples: their totals stay, what told them apart is gone.
 *
 * Depends on nothing but its arguments: replay folds as admission did.
 *
 * @param ownLabels - of the series that the profile was pushed for, before samples are split.
 * @param folded - hashes of the label sets, as `finishLabels` gives them, that are folded.
 */
export function foldLabels(
  finishLabels: FinishLabels,
  ownLabels: LabelSet,
  folded: BigUint64Array,
): FinishLabels {
  const own = finishOwnLabels(finishLabels, ownLabels);
  if (own instanceof Refusal) return () => own;
  const overflow = sortLabels([...own, OVERFLOW_LABEL]);
  const isFolded = new Set(folded);
  return (labels) => {
    const finished = finishLabels(labels);
    if (finished instanceof Refusal || finished === undefined) return finished;
    return isFolded.has(hashLabels(finished)) ? overflow : finished;
  };
}

/** The label set of samples that have no labels themselves; as it came where a rule drops it. */
export function finishOwnLabels(finishLabels: FinishLabels, ownLabels: LabelSet): LabelSet | Refusal {
  const own = ownLabels.filter(({ name }) => !isSpanLabel(name));
  return finishLabels(own) ?? own;
}
