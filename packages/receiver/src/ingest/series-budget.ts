import type { LabelSet } from "@pyroscope-ts/protocol";
import { hashLabels } from "../store/hash-profile.ts";
import type { Store } from "../store/store.ts";
import { Refusal } from "./refusal.ts";

/** What the store knows about series. */
export type SeriesIndex = Pick<Store, "hasSeries" | "seriesCount">;

/**
 * Keeps a tenant's number of series below its limit.
 *
 * The store knows a series only once a profile of it is durable. Until then it is counted here, so that many
 * pushes at once cannot pass the limit together.
 */
export class SeriesBudget {
  readonly #index: SeriesIndex;
  /** By tenant: how many pushes under way bring a series that the store does not know. */
  readonly #pending = new Map<string, Map<bigint, number>>();

  constructor(index: SeriesIndex) {
    this.#index = index;
  }

  /**
   * Makes room for all series of one profile, or for none.
   *
   * @returns what to call when their profiles are stored or given up.
   */
  reserve(tenant: string, labelSets: readonly LabelSet[], maxSeries: number): SeriesReservation | Refusal {
    const pending = this.#pending.get(tenant) ?? new Map<bigint, number>();
    const fresh = labelSets.map(hashLabels).filter((series) => !this.#index.hasSeries(tenant, series));
    const added = new Set(fresh.filter((series) => !pending.has(series))).size;
    const count = this.#index.seriesCount(tenant) + pending.size;
    if (added > 0 && maxSeries > 0 && count + added > maxSeries) {
      return new Refusal(
        "series_limit",
        `Maximum active series limit exceeded (${count + added}/${maxSeries}), reduce the number of active streams ` +
          "(reduce labels or reduce label values), or contact your administrator to see if the limit can be increased",
      );
    }
    for (const series of fresh) pending.set(series, (pending.get(series) ?? 0) + 1);
    if (pending.size > 0) this.#pending.set(tenant, pending);
    return { release: () => this.#release(tenant, pending, fresh) };
  }

  #release(tenant: string, pending: Map<bigint, number>, series: readonly bigint[]): void {
    for (const one of series) {
      const left = (pending.get(one) ?? 0) - 1;
      if (left > 0) pending.set(one, left);
      else pending.delete(one);
    }
    if (pending.size === 0 && this.#pending.get(tenant) === pending) this.#pending.delete(tenant);
  }
}

/** Room for the series of one profile. Release it once. */
export interface SeriesReservation {
  release(): void;
}
