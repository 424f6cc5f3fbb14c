import type { Clock } from "../clock.ts";
import { hashLabels } from "../store/hash-profile.ts";
import { type AdmittedItem, foldItem } from "./admit-item.ts";
import { labelChecker } from "./final-labels.ts";
import { finishOwnLabels } from "./fold-series.ts";
import { OwnLabelSets } from "./own-label-sets.ts";
import type { PushBatch, PushItemRefused } from "./push-service.ts";
import { Refusal, toRefused } from "./refusal.ts";
import { SeriesBudget, type SeriesIndex, type SeriesReservation } from "./series-budget.ts";

/** What became of an item at the limit of series. */
interface SeriesDecision {
  readonly item: AdmittedItem | PushItemRefused;
  /** To be released when the item is stored or given up; undefined where nothing was reserved. */
  readonly reservation: SeriesReservation | undefined;
}

/**
 * Makes room for the series of a profile. Where there is none, labels that came from samples give way: their new series
 * become one. Only a service that is new itself, when not even that one series fits, is turned away.
 */
export class SeriesAdmission {
  readonly #index: SeriesIndex;
  readonly #budget: SeriesBudget;
  readonly #own: OwnLabelSets;

  constructor(index: SeriesIndex, clock: Pick<Clock, "monotonicMillis">) {
    this.#index = index;
    this.#budget = new SeriesBudget(index);
    this.#own = new OwnLabelSets(() => clock.monotonicMillis());
  }

  reserve(batch: PushBatch, item: AdmittedItem): SeriesDecision {
    if (item.profiles.length === 0) return { item, reservation: undefined };
    const { tenant, limits } = batch;
    const own = finishOwnLabels(labelChecker(limits), item.record.labels);
    if (own instanceof Refusal) return refuse(own, item);
    const ownHash = hashLabels(own);
    const reservation = this.#reserveAll(tenant, item, limits.maxSeries);
    if (!(reservation instanceof Refusal)) {
      this.#own.add(tenant, ownHash);
      return { item, reservation };
    }
    const isKnown = this.#isKnown(tenant, ownHash);
    const folded = foldItem(batch, item, this.#newSeries(tenant, item, ownHash));
    if (!folded.ok) return { item: folded, reservation: undefined };
    // Beyond the limit by one for each service that is known: no client can add more. A new one must fit.
    const foldedReservation = this.#reserveAll(tenant, folded, isKnown ? 0 : limits.maxSeries);
    if (foldedReservation instanceof Refusal) return refuse(isKnown ? foldedReservation : reservation, item);
    this.#own.add(tenant, ownHash);
    return { item: folded, reservation: foldedReservation };
  }

  #reserveAll(tenant: string, { profiles }: AdmittedItem, maxSeries: number): SeriesReservation | Refusal {
    const labelSets = profiles.map(({ labels }) => labels);
    return this.#budget.reserve(tenant, labelSets, maxSeries);
  }

  #isKnown(tenant: string, ownHash: bigint): boolean {
    return this.#own.has(tenant, ownHash) || this.#index.hasSeries(tenant, ownHash);
  }

  /** Series that only labels of samples make, and that the store does not know. */
  #newSeries(tenant: string, { profiles }: AdmittedItem, ownHash: bigint): BigUint64Array {
    const series = profiles.map(({ labels }) => hashLabels(labels));
    return BigUint64Array.from(series.filter((id) => id !== ownHash && !this.#index.hasSeries(tenant, id)));
  }
}

function refuse(refusal: Refusal, { bytes }: AdmittedItem): SeriesDecision {
  return { item: toRefused(refusal, { bytes }), reservation: undefined };
}
