import { randomUUID } from "node:crypto";

/** What a program can be asked to record for a time. */
export type CaptureKind = "cpu" | "allocations";

/** One request to record, for one process of a service. */
export interface CaptureOrder {
  /** The value of the label `capture` of the profiles that it brings. */
  readonly id: string;
  readonly kind: CaptureKind;
  readonly seconds: number;
}

/** Who is to record: a service, or one process of it. */
export interface CaptureTarget {
  readonly service: string;
  /** `__session_id__` of the process; undefined for the first that asks. */
  readonly session: string | undefined;
}

interface WaitingOrder {
  readonly tenant: string;
  readonly target: CaptureTarget;
  readonly order: CaptureOrder;
  readonly expiresUnixMs: number;
}

// Somebody waits for each: more are a mistake.
const MAX_WAITING = 100;

/** A program pushes every 15 s by default, once an hour at the least; nobody waits for that. */
export const ORDER_LIFETIME_MS: number = 10 * 60_000;

/**
 * Orders to record that no program has taken yet. In memory: they are of the moment, and a restart forgets them.
 *
 * Each is given out once: to the first push of its service, or of the one process that it names.
 */
export class CaptureOrders {
  readonly #clock: { nowUnixMillis(): number };
  #waiting: readonly WaitingOrder[] = [];

  constructor(clock: { nowUnixMillis(): number }) {
    this.#clock = clock;
  }

  /** Undefined when there is no room. */
  place(tenant: string, target: CaptureTarget, kind: CaptureKind, seconds: number): CaptureOrder | undefined {
    this.#expire();
    if (this.#waiting.length >= MAX_WAITING) return undefined;
    const order: CaptureOrder = { id: randomUUID(), kind, seconds };
    const expiresUnixMs = this.#clock.nowUnixMillis() + ORDER_LIFETIME_MS;
    this.#waiting = [...this.#waiting, { tenant, target, order, expiresUnixMs }];
    return order;
  }

  /** The oldest order for a process, which from then on is its alone. */
  take(tenant: string, service: string, session: string | undefined): CaptureOrder | undefined {
    if (this.#waiting.length === 0) return undefined;
    this.#expire();
    const found = this.#waiting.find(
      ({ tenant: own, target }) =>
        own === tenant &&
        target.service === service &&
        (target.session === undefined || target.session === session),
    );
    this.#waiting = this.#waiting.filter((waiting) => waiting !== found);
    return found?.order;
  }

  #expire(): void {
    const nowMs = this.#clock.nowUnixMillis();
    this.#waiting = this.#waiting.filter(({ expiresUnixMs }) => expiresUnixMs > nowMs);
  }
}
