import type { Clock } from "../../clock.ts";
import { ReceiverError } from "../../errors.ts";

/** Turns pushes away while those before them take so long that they would wait too long themselves. */
export interface PushGate {
  /**
   * Whether another push of a tenant would be answered in time. Before its body is read, and again before it is run.
   *
   * @throws {@link ReceiverError} `UNAVAILABLE` when it would not.
   */
  check(tenant: string): void;
  /** Does the work of a push, which counts as waiting until it is done. */
  run<Result>(tenant: string, profileCount: number, work: () => Promise<Result>): Promise<Result>;
}

// Few pushes at once are let in whatever they take: on a slow machine they wait longer, and nobody gains from a refusal.
const FREE_PUSHES = 32;

// Taken for measured at the start; a Go service's profile takes 3 to 4 ms.
const FIRST_MS_PER_PROFILE = 5;
const FIRST_PROFILES = 16;

// The time that the mean is over, about: a flush holds up what comes for a part of it.
const MEASURED_MS = 2000;

// Thousands a second are turned away for the same reason, and the stack of an error takes a tenth of the time of all that.
const SAME_REFUSAL_MS = 20;

/** A push that has no answer yet. */
interface Waiting {
  readonly tenant: string;
  readonly profileCount: number;
  readonly sinceMs: number;
}

/**
 * Makes a gate.
 *
 * How long a push will wait follows from the profiles that wait and from how fast answers come. A quarter of the longest
 * wait is room for them: what waits is answered in a few batches, of which a push may just miss one, and flushes take their
 * time. Of a full room each tenant has an equal share, so that one that pushes without end does not turn away the others.
 *
 * @param maxWaitMs - so long a push may take; 0: no limit.
 */
export function createPushGate(maxWaitMs: number, clock: Pick<Clock, "monotonicMillis">): PushGate {
  const waiting = new Set<Waiting>();
  const profilesOfTenant = new Map<string, number>();
  let profileCount = 0;
  let doneCount = FIRST_PROFILES;
  let busyMs = FIRST_MS_PER_PROFILE * FIRST_PROFILES;
  let lastMs = 0;
  let refusal: { readonly atMs: number; readonly error: ReceiverError } | undefined;

  const countFor = (tenant: string, more: number): void => {
    profileCount += more;
    const own = (profilesOfTenant.get(tenant) ?? 0) + more;
    if (own > 0) profilesOfTenant.set(tenant, own);
    else profilesOfTenant.delete(tenant);
  };

  /**
   * Only time in which something waited says how fast answers come. Hundreds come at once, the time that they took with the
   * first of them: what is forgotten of the time before them goes first, with its profiles.
   */
  const measure = (done: number): void => {
    const now = clock.monotonicMillis();
    if (now > lastMs && busyMs >= MEASURED_MS) {
      busyMs /= 2;
      doneCount /= 2;
    }
    busyMs += now - lastMs;
    lastMs = now;
    doneCount += done;
  };

  const refuse = (oldestMs: number): ReceiverError => {
    const now = clock.monotonicMillis();
    if (refusal !== undefined && now - refusal.atMs < SAME_REFUSAL_MS) return refusal.error;
    const error = new ReceiverError(
      `${profileCount} profiles wait to be stored, the first for ${Math.round(oldestMs)} ms, and one is stored every ` +
        `${(busyMs / doneCount).toFixed(1)} ms: another would wait too long, limit ${maxWaitMs} ms`,
      { code: "UNAVAILABLE" },
    );
    refusal = { atMs: now, error };
    return error;
  };

  return {
    check(tenant) {
      if (maxWaitMs === 0 || waiting.size < FREE_PUSHES) return;
      const [oldest] = waiting;
      const oldestMs = clock.monotonicMillis() - (oldest?.sinceMs ?? 0);
      const room = maxWaitMs / 4 / (busyMs / doneCount);
      const tenants = profilesOfTenant.size + (profilesOfTenant.has(tenant) ? 0 : 1);
      const share = room / tenants;
      const isCrowded = profileCount >= room && (profilesOfTenant.get(tenant) ?? 0) >= share;
      if (!isCrowded && oldestMs <= maxWaitMs) return;
      throw refuse(oldestMs);
    },
    async run(tenant, count, work) {
      if (waiting.size === 0) lastMs = clock.monotonicMillis();
      const place: Waiting = { tenant, profileCount: count, sinceMs: clock.monotonicMillis() };
      waiting.add(place);
      countFor(tenant, count);
      try {
        return await work();
      } finally {
        waiting.delete(place);
        countFor(tenant, -count);
        measure(count);
      }
    },
  };
}
