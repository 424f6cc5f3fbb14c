import type { AdmittedProfile } from "./admission.ts";

/** The profiles of one admission that nobody else is writing, and those that somebody is. */
export interface Claim {
  readonly mine: readonly AdmittedProfile[];
  /** Settles as the writes of the others do: a profile that came twice is acknowledged no earlier than the first. */
  readonly others: Promise<unknown>;
  /** Tells whoever waits for these profiles how their write ended. Must be called. */
  settle(error?: unknown): void;
}

/** Profiles between their arrival and their place in the head. */
export class PendingProfiles {
  readonly #writes = new Map<string, Promise<void>>();

  /** Claims the profiles of one admission; `isStored` are left out. */
  claim(
    tenant: string,
    profiles: readonly AdmittedProfile[],
    isStored: (profile: AdmittedProfile) => boolean,
  ): Claim {
    let resolve: () => void = () => undefined;
    let reject: (error: unknown) => void = () => undefined;
    const promise = new Promise<void>((onResolve, onReject) => {
      resolve = onResolve;
      reject = onReject;
    });
    // Whoever waits hears of a failure; nobody may be waiting.
    promise.catch(() => undefined);
    const mine = new Map<string, AdmittedProfile>();
    const others: Promise<void>[] = [];
    for (const profile of profiles) {
      const { hi, lo } = profile.identity;
      const key = `${hi} ${lo} ${tenant}`;
      const write = this.#writes.get(key);
      if (write !== undefined) others.push(write);
      else if (!mine.has(key) && !isStored(profile)) mine.set(key, profile);
    }
    for (const key of mine.keys()) this.#writes.set(key, promise);
    const allOthers = Promise.all(others);
    // Nobody waits for them where the own write fails first.
    allOthers.catch(() => undefined);
    return {
      mine: [...mine.values()],
      others: allOthers,
      settle: (error) => {
        for (const key of mine.keys()) this.#writes.delete(key);
        if (error === undefined) resolve();
        else reject(error);
      },
    };
  }
}
