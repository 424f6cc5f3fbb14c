import { setImmediate as nextTurn } from "node:timers/promises";
import { getLabel, PROFILE_NAME_LABEL, SERVICE_NAME_LABEL, UNKNOWN_SERVICE } from "@pyroscope-ts/protocol";
import { type Clock, systemClock } from "../clock.ts";
import { ReceiverError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { type AdmittedItem, admitItem } from "./admit-item.ts";
import { encodePushRecord } from "./push-record.ts";
import type { PushBatch, PushItemRefused, PushItemResult, PushService } from "./push-service.ts";
import { RateLimiter } from "./rate-limiter.ts";
import { type PprofItem, readPprofs } from "./read-pprofs.ts";
import { Refusal, toRefused } from "./refusal.ts";
import { SeriesAdmission } from "./series-admission.ts";
import type { SeriesReservation } from "./series-budget.ts";
import { isUnsymbolized } from "./unsymbolized.ts";

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
  /** One for each profile, in order. */
  readonly outcomes: (AdmittedItem | PushItemRefused)[];
  readonly reservations: SeriesReservation[];
  /** Decompressed. */
  bytes: number;
  /** No profile of the batch is left. */
  isLast: boolean;
}

/** Decompresses, decodes, checks, labels and splits what clients push, and hands to the store what is kept. */
export class Ingester implements PushService {
  readonly #store: IngesterOptions["store"];
  readonly #series: SeriesAdmission;
  readonly #rates: RateLimiter;
  readonly #log: IngesterOptions["log"];

  constructor({ store, clock = systemClock, log }: IngesterOptions) {
    this.#store = store;
    this.#series = new SeriesAdmission(store, clock);
    this.#rates = new RateLimiter(clock.monotonicMillis);
    this.#log = log;
  }

  async push(batch: PushBatch): Promise<readonly PushItemResult[]> {
    const results: PushItemResult[] = [];
    const pprofs = readPprofs(batch);
    let batchBytes = 0;
    for (let isLast = false; !isLast; ) {
      const portion = await this.#admitPortion(batch, pprofs, batchBytes);
      batchBytes += portion.bytes;
      isLast = portion.isLast;
      const failure = await this.#storePortion(batch, portion);
      for (const outcome of portion.outcomes) results.push(toResult(outcome, failure));
    }
    return results;
  }

  /** Admits the next profiles until the portion is full. */
  async #admitPortion(
    batch: PushBatch,
    pprofs: Iterator<PprofItem | PushItemRefused>,
    batchBytes: number,
  ): Promise<Portion> {
    const portion: Portion = { outcomes: [], reservations: [], bytes: 0, isLast: false };
    while (portion.bytes < PORTION_BYTES) {
      const next = this.#readNext(batch, pprofs);
      if (next === undefined) {
        portion.isLast = true;
        break;
      }
      // Queries and other pushes on this thread get their turn between two profiles.
      if (portion.outcomes.length > 0) await nextTurn();
      const outcome =
        "ok" in next ? next : this.#admit(batch, next, batchBytes + portion.bytes, portion.reservations);
      portion.outcomes.push(outcome);
      portion.bytes += outcome.bytes;
    }
    return portion;
  }

  /** @returns undefined behind the last one. */
  #readNext(
    batch: PushBatch,
    pprofs: Iterator<PprofItem | PushItemRefused>,
  ): PprofItem | PushItemRefused | undefined {
    try {
      const { done = false, value } = pprofs.next();
      return done ? undefined : value;
    } catch (error) {
      return this.#refuseDefect(batch, "", 0, error);
    }
  }

  #admit(
    batch: PushBatch,
    item: PprofItem,
    batchBytes: number,
    reservations: SeriesReservation[],
  ): AdmittedItem | PushItemRefused {
    try {
      const outcome = admitItem(batch, item, batchBytes, this.#rates);
      if (!outcome.ok) return outcome;
      const { item: reserved, reservation } = this.#series.reserve(batch, outcome);
      if (reservation !== undefined) reservations.push(reservation);
      return reserved;
    } catch (error) {
      // A defect that one profile meets must not take the others of its request, or the worker, with it.
      return this.#refuseDefect(batch, item.id, item.payload.length, error);
    }
  }

  #refuseDefect(
    { tenant, client = "" }: PushBatch,
    id: string,
    bytes: number,
    error: unknown,
  ): PushItemRefused {
    this.#log(`admitting profile ${JSON.stringify(id)} of tenant ${tenant} from ${client}`, error);
    return toRefused(new Refusal("unknown", "internal error"), { bytes });
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
  const { bytes, profiles, record } = outcome;
  // An item without profiles had nothing to store, whatever became of the others.
  if (failure !== undefined && profiles.length > 0) return toRefused(failure, { bytes });
  const { foldedSeries, labels } = record;
  const [first] = profiles;
  return {
    ok: true,
    profiles: profiles.length,
    service: getLabel(labels, SERVICE_NAME_LABEL) ?? UNKNOWN_SERVICE,
    ...(first !== undefined && {
      measures: {
        profileName: getLabel(labels, PROFILE_NAME_LABEL) ?? "",
        bytes,
        sampleCount: first.profile.samples.length,
      },
    }),
    ...(first !== undefined && isUnsymbolized(first.profile) && { isUnsymbolized: true }),
    ...(outcome.droppedSeriesCount > 0 && { droppedSeriesCount: outcome.droppedSeriesCount }),
    ...(outcome.renamedLabelCount > 0 && { renamedLabelCount: outcome.renamedLabelCount }),
    ...(foldedSeries !== undefined && { foldedSeriesCount: foldedSeries.length }),
  };
}
