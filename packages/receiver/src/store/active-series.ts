import type { Clock } from "../clock.ts";

// A series that sent nothing for this long does not count against the limit of series any more.
const ACTIVE_MILLIS = 3_600_000;

/** Series of each tenant that had a profile lately. */
export class ActiveSeries {
  readonly #clock: Clock;
  /** By tenant and series: the monotonic time of the last profile. */
  readonly #lastSeen = new Map<string, Map<bigint, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(tenant: string, series: bigint): void {
    const lastSeen = this.#lastSeen.get(tenant) ?? new Map<bigint, number>();
    lastSeen.set(series, this.#clock.monotonicMillis());
    this.#lastSeen.set(tenant, lastSeen);
  }

  has(tenant: string, series: bigint): boolean {
    return this.#lastSeen.get(tenant)?.has(series) ?? false;
  }

  count(tenant: string): number {
    return this.#lastSeen.get(tenant)?.size ?? 0;
  }

  /** Of all tenants. */
  get totalCount(): number {
    let count = 0;
    for (const lastSeen of this.#lastSeen.values()) count += lastSeen.size;
    return count;
  }

  /** Forgets series that are no longer active. */
  sweep(): void {
    const oldest = this.#clock.monotonicMillis() - ACTIVE_MILLIS;
    for (const [tenant, lastSeen] of this.#lastSeen) {
      for (const [series, seen] of lastSeen) if (seen < oldest) lastSeen.delete(series);
      if (lastSeen.size === 0) this.#lastSeen.delete(tenant);
    }
  }
}
