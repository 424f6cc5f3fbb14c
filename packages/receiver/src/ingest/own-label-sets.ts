// As long as a series counts against the limit after its last profile.
const ACTIVE_MILLIS = 3_600_000;
/** Sets of one tenant above which those that are not active are looked for. */
const SWEEP_COUNT = 1024;

interface TenantSets {
  readonly lastSeenMillis: Map<bigint, number>;
  /** How many there may be before the next sweep. */
  sweepAt: number;
}

/**
 * The label sets that services push under, without what their samples add. One is known only once a profile of it was
 * admitted within the limit of series, so that there are never more of them than there were series.
 */
export class OwnLabelSets {
  readonly #monotonicMillis: () => number;
  readonly #tenants = new Map<string, TenantSets>();

  /** @param monotonicMillis - see `Clock`. */
  constructor(monotonicMillis: () => number) {
    this.#monotonicMillis = monotonicMillis;
  }

  add(tenant: string, labelSet: bigint): void {
    const sets = this.#tenants.get(tenant) ?? { lastSeenMillis: new Map(), sweepAt: SWEEP_COUNT };
    this.#tenants.set(tenant, sets);
    sets.lastSeenMillis.set(labelSet, this.#monotonicMillis());
    if (sets.lastSeenMillis.size > sets.sweepAt) this.#sweep(sets);
  }

  has(tenant: string, labelSet: bigint): boolean {
    return this.#tenants.get(tenant)?.lastSeenMillis.has(labelSet) ?? false;
  }

  /** The next one is at twice what is left, so that sweeping costs a constant for each set that is added. */
  #sweep(sets: TenantSets): void {
    const oldest = this.#monotonicMillis() - ACTIVE_MILLIS;
    for (const [labelSet, seen] of sets.lastSeenMillis) {
      if (seen < oldest) sets.lastSeenMillis.delete(labelSet);
    }
    sets.sweepAt = Math.max(SWEEP_COUNT, 2 * sets.lastSeenMillis.size);
  }
}
