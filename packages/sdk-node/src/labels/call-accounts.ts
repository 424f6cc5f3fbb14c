import type { LabelSet } from "./label-set.ts";

/** What the calls of one label set came to. */
export interface CallTotals {
  readonly labels: LabelSet;
  /** Calls that ended. */
  readonly callCount: number;
  /** From their beginning to their end, without that of calls with other labels within them. */
  readonly elapsedMs: number;
  /** How long the calls that have not ended are under way, in all. */
  readonly openMs: number;
}

interface Account {
  callCount: number;
  elapsedMs: number;
  openCount: number;
  /** The sum of when the open ones began. */
  openStartMs: number;
}

/** Counts the calls of each label set and their time, from their beginning to the end of what they await. */
export class CallAccounts {
  readonly #accounts = new Map<LabelSet, Account>();

  begin(labels: LabelSet, nowMs: number): void {
    const account = this.#accountOf(labels);
    account.openCount++;
    account.openStartMs += nowMs;
  }

  /** @param parent - the labels of the call that this one is part of. */
  end(labels: LabelSet, parent: LabelSet | undefined, startMs: number, nowMs: number): void {
    const account = this.#accountOf(labels);
    account.openCount--;
    account.openStartMs -= startMs;
    account.callCount++;
    account.elapsedMs += nowMs - startMs;
    if (parent === undefined) return;
    const outer = this.#accounts.get(parent);
    // Only where the outer call's own time is counted too.
    if (outer !== undefined && outer.openCount > 0) outer.elapsedMs -= nowMs - startMs;
  }

  /** What ended since the last call, and what is open. */
  take(nowMs: number): readonly CallTotals[] {
    const totals: CallTotals[] = [];
    for (const [labels, account] of this.#accounts) {
      const { callCount, openCount, openStartMs } = account;
      const elapsedMs = Math.max(0, account.elapsedMs);
      totals.push({ labels, callCount, elapsedMs, openMs: Math.max(0, openCount * nowMs - openStartMs) });
      account.callCount = 0;
      // Below 0 where a part has ended and the whole has not: that will be taken from the whole.
      account.elapsedMs -= elapsedMs;
      if (openCount === 0) this.#accounts.delete(labels);
    }
    return totals;
  }

  #accountOf(labels: LabelSet): Account {
    const known = this.#accounts.get(labels);
    if (known !== undefined) return known;
    const account: Account = { callCount: 0, elapsedMs: 0, openCount: 0, openStartMs: 0 };
    this.#accounts.set(labels, account);
    return account;
  }
}
