import { describe, expect, it } from "vitest";
import { OwnLabelSets } from "./own-label-sets.ts";

const HOUR_MS = 3_600_000;

describe("OwnLabelSets", () => {
  it("knows what was added, for each tenant apart", () => {
    const sets = new OwnLabelSets(() => 0);

    sets.add("a", 1n);

    expect([sets.has("a", 1n), sets.has("a", 2n), sets.has("b", 1n)]).toEqual([true, false, false]);
  });

  it("forgets what was not pushed under for an hour, when there are many", () => {
    let now = 0;
    const sets = new OwnLabelSets(() => now);
    sets.add("a", 0n);
    now = 1;
    for (let i = 1n; i < 1024n; i++) sets.add("a", i);
    now = HOUR_MS + 1;

    sets.add("a", 5000n);

    expect([sets.has("a", 0n), sets.has("a", 1n), sets.has("a", 5000n)]).toEqual([false, true, true]);
  });
});
