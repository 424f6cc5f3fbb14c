import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROLL_UP_LEVELS } from "./level.ts";
import type { Store } from "./store.ts";
import type { StoreOptions } from "./store-options.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { type PlainProfile, plainAdmission } from "./testing/plain-profile.ts";
import { spanRowsByDay } from "./testing/span-rows.ts";
import { everything, foldStacks, StoreDirectory, sumAll, withSnapshot } from "./testing/store-directory.ts";

const MIDNIGHT = 1_760_054_400_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function profileAt(timeUnixMillis: number): PlainProfile {
  const trace = "0102030405060708090a0b0c0d0e0f10";
  return {
    ...{ service: "shop", timeUnixMillis },
    samples: [
      { stack: ["main", "work"], value: 3, span: "00000000000000aa", trace },
      { stack: ["main", "work"], value: 4, span: "00000000000000bb" },
      { stack: ["main", "wait"], value: 5 },
    ],
  };
}

const spanRows = (store: Store, tenant: string) => spanRowsByDay(store, tenant, MIDNIGHT);

describe("a store that keeps ids of spans for a shorter time than profiles", () => {
  let directory: StoreDirectory;
  let clock: ManualClock;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
    clock = new ManualClock(MIDNIGHT);
  });
  afterEach(() => directory.remove());

  const open = (options: Partial<StoreOptions> = {}): Promise<Store> =>
    directory.open({ clock, spanRetentionMillis: 7 * DAY, ...options });
  /** A block for each day from the first on; the clock is at the end of the last one. */
  async function fill(store: Store, dayCount: number, tenant = "a"): Promise<void> {
    for (let day = 0; day < dayCount; day++) {
      await store.append(plainAdmission(tenant, [profileAt(clock.nowUnixMillis() + HOUR)]));
      await store.flush();
      clock.advance(DAY);
    }
  }
  /** As often as it takes: what is many waits for a second sweep. */
  async function maintain(store: Store): Promise<void> {
    for (let sweep = 0; sweep < 2; sweep++) await store.applyRetention();
    expect(await store.compact(), directory.lines.join("\n")).toMatchObject({ failureCount: 0 });
  }

  it("takes them out of what is older and keeps its samples, also where that was rolled up", async () => {
    const options = { compaction: { rollUpLevels: ROLL_UP_LEVELS } };
    const store = await open(options);
    await fill(store, 10);
    await store.compact();
    expect(Object.keys(await spanRows(store, "a"))).toHaveLength(10);
    const [stacks, sums] = [await foldStacks(store, "a"), await sumAll(store, "a")];

    await maintain(store);

    expect(await spanRows(store, "a")).toEqual(
      Object.fromEntries(Array.from({ length: 7 }, (_, i) => [i + 3, 2])),
    );
    expect([await foldStacks(store, "a"), await sumAll(store, "a")]).toEqual([stacks, sums]);
    const rolledUp = { ...everything("a"), level: "1h" as const };
    expect(await withSnapshot(store, rolledUp, async ({ levels }) => levels)).toContain("1h");
    // Once is enough.
    await store.applyRetention();
    await store.applyRetention();
    expect(await store.compact()).toMatchObject({ writtenBlockCount: 0, replacedBlockCount: 0 });
    await store.close();
    const again = await open(options);
    expect([await foldStacks(again, "a"), await sumAll(again, "a")]).toEqual([stacks, sums]);
    expect(Object.keys(await spanRows(again, "a"))).toHaveLength(7);
    await maintain(again);
    expect(Object.keys(await spanRows(again, "a"))).toHaveLength(7);
  });

  it("keeps them as long as the profiles unless it is told otherwise", async () => {
    const store = await open({ spanRetentionMillis: 0 });
    await fill(store, 10);

    await maintain(store);

    expect(Object.keys(await spanRows(store, "a"))).toHaveLength(10);
  });

  it("keeps those of a tenant as long as he wants", async () => {
    const store = await open();
    await fill(store, 10, "a");
    const own = new Map([["a", { spanMillis: 2 * DAY }]]);

    for (let sweep = 0; sweep < 2; sweep++) await store.applyRetention(own);
    await store.compact();

    expect(Object.keys(await spanRows(store, "a"))).toEqual(["8", "9"]);
  });

  it("loses none by a clock that is wrong during one sweep", async () => {
    const store = await open();
    await fill(store, 5);

    clock.jump(3650 * DAY);
    await store.applyRetention();
    await store.compact();
    clock.jump(-3650 * DAY);
    await store.applyRetention();
    await store.compact();

    expect(Object.keys(await spanRows(store, "a"))).toHaveLength(5);
  });

  it("takes out what was past its time, and no more, though the clock is set back before that is done", async () => {
    const store = await open();
    await fill(store, 10);
    const sums = await sumAll(store, "a");
    const days = async (): Promise<readonly string[]> => Object.keys(await spanRows(store, "a"));
    for (let sweep = 0; sweep < 2; sweep++) await store.applyRetention();

    clock.jump(-5 * DAY);
    await store.append(plainAdmission("b", [profileAt(clock.nowUnixMillis())]));
    await store.flush();
    await store.compact();
    const confirmed = await days();
    await maintain(store);
    const setBack = await days();
    clock.jump(5 * DAY);
    await maintain(store);

    expect(confirmed).toEqual(["3", "4", "5", "6", "7", "8", "9"]);
    expect([setBack, await days()]).toEqual([confirmed, confirmed]);
    expect(await sumAll(store, "a")).toEqual(sums);
    expect(Object.keys(await spanRows(store, "b"))).toEqual(["5"]);
  });

  it("keeps those that are young by a clock that was set back before the sweep that confirms", async () => {
    const store = await open();
    await fill(store, 10);

    await store.applyRetention();
    clock.jump(-9 * DAY);
    await store.applyRetention();
    await store.compact();

    expect(Object.keys(await spanRows(store, "a"))).toHaveLength(10);
  });
});
