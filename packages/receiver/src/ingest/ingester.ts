import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, systemClock } from "../clock.ts";
import { ReceiverError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { type AdmittedItem, admitItem } from "./admit-item.ts";
import { encodePushRecord } from "./push-record.ts";
import type { PushBatch, PushItem, PushItemRefused, PushItemResult, PushService } from "./push-service.ts";
import { RateLimiter } from "./rate-limiter.ts";
import { Refusal, toRefused } from "./refusal.ts";
import { SeriesBudget, type SeriesReservation } from "./series-budget.ts";

// Profiles of one batch are admitted and stored in portions of about this many decompressed bytes, so that a push of
// 256 MB holds the decoded columns of a few profiles at a time. A usual push is one portion: one record of the log.
const PORTION_BYTES = 16 * 1024 * 1024;

/** What an {@link Ingester} works with. */
export interface IngesterOptions {
  readonly store: Pick<Store, "append" | "hasSeries" | "seriesCount">;
  /** Default: the time of this machine. */
  readonly clock?: Pick<Clock, "monotonicMillis">;
  /** Takes what a person should look into: a defect. */
  readonly log: (message: string, error: unknown) => void;
}

/** A part of a batch, stored together. */
interface Portion {
  /** One for each item, in order. */
  readonly outcomes: (AdmittedItem | PushItemRefused)[];
  readonly reservations: SeriesReservation[];
  /** Decompressed. */
  bytes: number;
}

/** Decompresses, decodes, checks, labels and splits what clients push, and hands to the store what is kept. */
export class Ingester implements PushService {
  readonly #store: IngesterOptions["store"];
  readonly #budget: SeriesBudget;
  readonly #rates: RateLimiter;
  readonly #log: IngesterOptions["log"];

  constructor({ store, clock = systemClock, log }: IngesterOptions) {
    this.#store = store;
    this.#budget = new SeriesBudget(store);
    this.#rates = new RateLimiter(clock.monotonicMillis);
    this.#log = log;
  }

  async push(batch: PushBatch): Promise<readonly PushItemResult[]> {
    const results: PushItemResult[] = [];
    let batchBytes = 0;
    while (results.length < batch.items.length) {
      const portion = await this.#admitPortion(batch, results.length, batchBytes);
      batchBytes += portion.bytes;
      const failure = await this.#storePortion(batch, portion);
      for (const outcome of portion.outcomes) results.push(toResult(outcome, failure));
    }
    return results;
  }

  /** Admits the items from `first` on until the portion is full. */
  async #admitPortion(batch: PushBatch, first: number, batchBytes: number): Promise<Portion> {
    const portion: Portion = { outcomes: [], reservations: [], bytes: 0 };
    for (const item of batch.items.slice(first)) {
      if (portion.bytes >= PORTION_BYTES) break;
      // Queries and other pushes on this thread get their turn between two profiles.
      if (portion.outcomes.length > 0) await nextTurn();
      const outcome = this.#admit(batch, item, batchBytes + portion.bytes, portion.reservations);
      portion.outcomes.push(outcome);
      portion.bytes += outcome.bytes;
    }
    return portion;
  }

  #admit(
    batch: PushBatch,
    item: PushItem,
    batchBytes: number,
    reservations: SeriesReservation[],
  ): AdmittedItem | PushItemRefused {
    try {
      const outcome = admitItem(batch, item, batchBytes, this.#rates);
      if (!outcome.ok) return outcome;
      const labelSets = outcome.profiles.map((profile) => profile.labels);
      const reservation = this.#budget.reserve(batch.tenant, labelSets, batch.limits.maxSeries);
      if (reservation instanceof Refusal) return toRefused(reservation, { bytes: outcome.bytes });
      reservations.push(reservation);
      return outcome;
    } catch (error) {
      // A defect that one profile meets must not take the others of its request, or the worker, with it.
      const { tenant, client = "" } = batch;
      this.#log(`admitting profile ${JSON.stringify(item.id)} of tenant ${tenant} from ${client}`, error);
      return toRefused(new Refusal("unknown", "internal error"), { bytes: item.payload.length });
    }
  }

  /** @returns why nothing of the portion was stored, or undefined. */
  async #storePortion(batch: PushBatch, { outcomes, reservations }: Portion): Promise<Refusal | undefined> {
    const items = outcomes.filter((outcome) => outcome.ok).filter((item) => item.profiles.length > 0);
    if (items.length === 0) return undefined;
    const { tenant, receivedUnixMillis } = batch;
    try {
      const record = encodePushRecord({
        tenant,
        receivedUnixMillis,
        items: items.map((item) => item.record),
      });
      await this.#store.append({ tenant, record, profiles: items.flatMap((item) => item.profiles) });
      return undefined;
    } catch (error) {
      // A disk that does not take writes is a state, which the store says once, not a defect of each push.
      if (error instanceof ReceiverError && error.connectCode === "unavailable") {
        return new Refusal("storage_unavailable", error.message);
      }
      this.#log(`storing ${items.length} profiles of tenant ${tenant} from ${batch.client ?? ""}`, error);
      return new Refusal("unknown", "internal error");
    } finally {
      for (const reservation of reservations) reservation.release();
    }
  }
}

function toResult(outcome: AdmittedItem | PushItemRefused, failure: Refusal | undefined): PushItemResult {
  if (!outcome.ok) return outcome;
  const { bytes, profiles } = outcome;
  // An item without profiles had nothing to store, whatever became of the others.
  if (failure !== undefined && profiles.length > 0) return toRefused(failure, { bytes });
  return { ok: true, profiles: profiles.length };
}
