import { describe, expect, it } from "vitest";
import { CallAccounts } from "./call-accounts.ts";
import { LabelSets } from "./label-set.ts";

const sets = new LabelSets({ maxValues: 9, maxSets: 9, maxLabels: 9 }, () => undefined);
const a = sets.merge(sets.empty, { route: "/a" });
const step = sets.merge(a, { step: "pay" });

describe("CallAccounts", () => {
  it("counts calls and their time by label set, and each once", () => {
    const accounts = new CallAccounts();
    for (const startMs of [0, 100]) {
      accounts.begin(a, startMs);
      accounts.end(a, undefined, startMs, startMs + 30);
    }

    expect(accounts.take(200)).toEqual([{ labels: a, callCount: 2, elapsedMs: 60, openMs: 0 }]);
    expect(accounts.take(300)).toEqual([]);
  });

  it("says how long calls are under way that have not ended", () => {
    const accounts = new CallAccounts();
    accounts.begin(a, 10);
    accounts.begin(a, 20);

    expect(accounts.take(50)).toEqual([{ labels: a, callCount: 0, elapsedMs: 0, openMs: 70 }]);
    accounts.end(a, undefined, 10, 60);
    expect(accounts.take(60)).toEqual([{ labels: a, callCount: 1, elapsedMs: 50, openMs: 40 }]);
  });

  it("takes the time of a call with other labels from the call around it, across windows too", () => {
    const accounts = new CallAccounts();
    accounts.begin(a, 0);
    accounts.begin(step, 10);
    accounts.end(step, a, 10, 40);

    expect(accounts.take(40)).toEqual([
      { labels: a, callCount: 0, elapsedMs: 0, openMs: 40 },
      { labels: step, callCount: 1, elapsedMs: 30, openMs: 0 },
    ]);
    accounts.end(a, undefined, 0, 50);
    expect(accounts.take(50)).toEqual([{ labels: a, callCount: 1, elapsedMs: 20, openMs: 0 }]);
  });

  it("leaves the call around alone when it has ended before", () => {
    const accounts = new CallAccounts();
    accounts.begin(a, 0);
    accounts.begin(step, 10);
    accounts.end(a, undefined, 0, 20);
    accounts.end(step, a, 10, 100);

    expect(accounts.take(100).map(({ elapsedMs }) => elapsedMs)).toEqual([20, 90]);
  });
});
