import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FlushedProfiles } from "./flushed-profiles.ts";
import { hashLabels } from "./hash-profile.ts";
import { FaultyFs, type FsOperation } from "./testing/faulty-fs.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { type PlainProfile, plainAdmission } from "./testing/plain-profile.ts";
import { everything, StoreDirectory, sumAll, withSnapshot } from "./testing/store-directory.ts";

const NOON = 1_760_000_000_000;
const DAY = 86_400_000;

function profile(index: number, timeUnixMillis: number = NOON + index): PlainProfile {
  return { service: "shop", timeUnixMillis, samples: [{ stack: ["main", `f${index}`], value: 1 }] };
}

describe("Store.append", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  it("refuses on a full disk, answers queries all the while, and takes writes again by itself", async () => {
    let isFull = false;
    const writes: readonly FsOperation[] = ["append", "writeFile", "createFile"];
    const fs = new FaultyFs(
      (operation) => (isFull && writes.includes(operation) ? "tears" : "works"),
      "ENOSPC",
    );
    const store = await directory.open({ fs });
    await store.append(plainAdmission("a", [profile(0)]));
    isFull = true;

    for (let i = 1; i < 4; i++) {
      await expect(store.append(plainAdmission("a", [profile(i)]))).rejects.toMatchObject({
        code: "STORAGE_UNAVAILABLE",
        httpStatus: 503,
      });
    }
    expect((await sumAll(store, "a")).profiles).toBe(1n);
    isFull = false;
    await store.append(plainAdmission("a", [profile(1), profile(4)]));
    expect((await sumAll(store, "a")).profiles).toBe(3n);
    await store.flush();
    expect((await sumAll(store, "a")).profiles).toBe(3n);
  });

  it("keeps the rows of a flush that the disk does not take, and flushes them later", async () => {
    let isFull = true;
    const clock = new ManualClock(NOON);
    const fs = new FaultyFs((operation) => (isFull && operation === "adopt" ? "fails" : "works"), "ENOSPC");
    const store = await directory.open({ fs, clock });
    await store.append(plainAdmission("a", [profile(0)]));

    await expect(store.flush()).rejects.toMatchObject({ code: "ENOSPC" });
    expect(store.status().failedBlockWriteCount).toBe(1);
    await store.append(plainAdmission("a", [profile(1)]));
    expect((await sumAll(store, "a")).profiles).toBe(2n);
    isFull = false;
    clock.advance(10_000);
    await store.flush();

    expect(store.status()).toMatchObject({ headProfileCount: 0, blockCount: 2, logSegmentCount: 0 });
    expect((await sumAll(store, "a")).profiles).toBe(2n);
  });

  it("refuses when the flush cannot keep up", async () => {
    const fs = new FaultyFs((operation) => (operation === "adopt" ? "fails" : "works"));
    const store = await directory.open({ fs, flush: { maxHeadBytes: 3000 } });

    const appendMany = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) await store.append(plainAdmission("a", [profile(i)]));
    };

    await expect(appendMany()).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      message: expect.stringContaining("limit 3000"),
    });
    expect(store.status().takesWrites).toBe(false);
  });

  it("flushes by itself after so many samples", async () => {
    const store = await directory.open({ flush: { maxSampleCount: 10 } });

    for (let i = 0; i < 12; i++) await store.append(plainAdmission("a", [profile(i)]));

    await expect.poll(() => store.status().blockCount).toBe(1);
    expect((await sumAll(store, "a")).profiles).toBe(12n);
  });

  it("waits for so many samples again after a flush", async () => {
    const flushed: number[] = [];
    const observer = {
      findMissed: async () => [],
      flushed: async ([part]: readonly FlushedProfiles[]) => {
        if (part === undefined) return;
        const { database, from } = part.snapshot;
        const counted = await database.select(`SELECT count(*) AS n FROM ${from("samples")}`);
        flushed.push(Number(counted.bigints("n")[0]));
      },
    };
    const store = await directory.open({ flush: { maxSampleCount: 100 }, observer });

    // Some of them come while the flush makes its new slot.
    for (let i = 0; flushed.length < 3; i++) await store.append(plainAdmission("a", [profile(i)]));

    expect(flushed.filter((count) => count < 100)).toEqual([]);
  });

  it("flushes by itself after some time", async () => {
    const clock = new ManualClock(NOON);
    const store = await directory.open({ clock });
    await store.append(plainAdmission("a", [profile(0)]));

    clock.advance(5 * 60_000);
    await store.flush();

    expect(store.status().blockCount).toBe(1);
    expect(await readdir(join(directory.path, "wal"))).toEqual([]);
  });

  it("refuses a sum that leaves int64 and stores nothing of it", async () => {
    const store = await directory.open();
    const samples = [
      { stack: ["a"], value: "9223372036854775807" },
      { stack: ["b"], value: 1 },
    ];

    await expect(
      store.append(plainAdmission("a", [{ service: "s", timeUnixMillis: NOON, samples }])),
    ).rejects.toMatchObject({ code: "OUT_OF_RANGE" });

    expect((await sumAll(store, "a")).profiles).toBe(0n);
  });

  it("keeps sums exact beyond 2^53, and below zero", async () => {
    const store = await directory.open();
    const samples = [
      { stack: ["a"], value: "9223372036854775800" },
      { stack: ["a"], value: 6 },
      { stack: ["b"], value: "-9007199254740993" },
    ];
    await store.append(plainAdmission("a", [{ service: "s", timeUnixMillis: NOON, samples }]));

    const expected = 9_223_372_036_854_775_806n - 9_007_199_254_740_993n;
    expect(await sumAll(store, "a")).toMatchObject({ value: expected, total: expected, samples: 2n });
    await store.flush();
    expect(await sumAll(store, "a")).toMatchObject({ value: expected, total: expected, samples: 2n });
  });

  it("keeps span and trace ids, and samples apart that differ in them", async () => {
    const store = await directory.open();
    const trace = "00112233445566778899aabbccddeeff";
    const samples = [
      { stack: ["a"], value: 1, span: "fedcba9876543210", trace },
      { stack: ["a"], value: 2, span: "fedcba9876543210", trace },
      { stack: ["a"], value: 4, span: "0000000000000001" },
      { stack: ["a"], value: 8 },
    ];
    await store.append(plainAdmission("a", [{ service: "s", timeUnixMillis: NOON, samples }]));
    const rows = async (): Promise<readonly string[]> =>
      await withSnapshot(store, everything("a"), async ({ database, from }) => {
        const result = await database.select(
          `SELECT "value" || ' ' || coalesce(format('{:016x}', span_id), '-') || ' ' || coalesce(trace_id::VARCHAR, '-') AS line
 FROM ${from("samples")} ORDER BY "value"`,
        );
        return result.texts("line");
      });

    const expected = [
      "3 fedcba9876543210 00112233-4455-6677-8899-aabbccddeeff",
      "4 0000000000000001 -",
      "8 - -",
    ];
    expect(await rows()).toEqual(expected);
    await store.flush();
    expect(await rows()).toEqual(expected);
  });

  it("keeps all of what has equal labels and time but other content", async () => {
    const store = await directory.open();
    for (const value of [1, 2, 4]) {
      const samples = [{ stack: ["main"], value }];
      await store.append(plainAdmission("a", [{ service: "s", timeUnixMillis: NOON, samples }]));
    }

    expect(await sumAll(store, "a")).toMatchObject({ value: 7n, profiles: 3n });
    await store.flush();
    expect(await sumAll(store, "a")).toMatchObject({ value: 7n, profiles: 3n });
  });

  it("acknowledges a repeat no earlier than the first", async () => {
    let isFailing = false;
    const fs = new FaultyFs((operation) => (isFailing && operation === "sync" ? "fails" : "works"));
    const store = await directory.open({ fs });
    isFailing = true;

    const answers = await Promise.allSettled([
      store.append(plainAdmission("a", [profile(0)])),
      store.append(plainAdmission("a", [profile(0)])),
    ]);

    expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    isFailing = false;
    await store.append(plainAdmission("a", [profile(0)]));
    expect((await sumAll(store, "a")).profiles).toBe(1n);
  });

  it("counts the series of a tenant until they are quiet for an hour", async () => {
    const clock = new ManualClock(NOON);
    const store = await directory.open({ clock });
    const { labels } = plainAdmission("a", [profile(0)]).profiles[0]!;
    await store.append(plainAdmission("a", [profile(0), profile(1)]));

    expect(store.seriesCount("a")).toBe(1);
    expect(store.hasSeries("a", hashLabels(labels))).toBe(true);
    expect(store.hasSeries("b", hashLabels(labels))).toBe(false);
    clock.advance(3_600_001);
    await store.flush();
    expect(store.seriesCount("a")).toBe(0);
  });

  it("is refused after close", async () => {
    const store = await directory.open();
    await store.close();

    await expect(store.append(plainAdmission("a", [profile(0)]))).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    await expect(store.snapshot(everything("a"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});

describe("Store.snapshot", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  it("stays as it was while rows are added and flushed", async () => {
    const store = await directory.open();
    await store.append(plainAdmission("a", [profile(0)]));
    const snapshot = await store.snapshot(everything("a"));
    const count = async (): Promise<bigint> =>
      (await snapshot.database.select(`SELECT count(*) AS n FROM ${snapshot.from("samples")}`)).bigints(
        "n",
      )[0]!;

    await store.append(plainAdmission("a", [profile(1)]));
    expect(await count()).toBe(1n);
    await store.flush();
    expect(await count()).toBe(1n);
    expect((await sumAll(store, "a")).samples).toBe(2n);

    snapshot.release();
    snapshot.release();
  });

  it("does not keep the store from closing", async () => {
    const store = await directory.open();
    await store.append(plainAdmission("a", [profile(0)]));
    const snapshot = await store.snapshot(everything("a"));

    await store.close();

    snapshot.release();
    const reopened = await directory.open();
    expect((await sumAll(reopened, "a")).samples).toBe(1n);
  });

  it("leaves out parts that have none of the wanted types, services or times", async () => {
    const store = await directory.open();
    await store.append(plainAdmission("a", [profile(0)]));
    await store.flush();
    const countIn = async (range: object): Promise<bigint> =>
      await withSnapshot(
        store,
        { ...everything("a"), ...range },
        async ({ database, from }) =>
          (await database.select(`SELECT count(*) AS n FROM ${from("samples")}`)).bigints("n")[0]!,
      );

    expect(
      await countIn({ services: ["shop"], types: ["process_cpu:cpu:nanoseconds:cpu:nanoseconds"] }),
    ).toBe(1n);
    expect(await countIn({ services: ["other"] })).toBe(0n);
    expect(await countIn({ types: ["wall:wall:nanoseconds:wall:nanoseconds"] })).toBe(0n);
    expect(await countIn({ fromUnixNanos: BigInt(NOON + 1) * 1_000_000n })).toBe(0n);
    expect(await countIn({ tenants: ["b"] })).toBe(0n);
  });
});

describe("Store.applyRetention", () => {
  let directory: StoreDirectory;
  let clock: ManualClock;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
    clock = new ManualClock(NOON + 30 * DAY);
  });
  afterEach(() => directory.remove());

  it("deletes blocks past their time, and nothing newer", async () => {
    const store = await directory.open({ clock, retentionMillis: 7 * DAY });
    for (let i = 0; i < 20; i++) {
      await store.append(plainAdmission("a", [profile(i, i === 0 ? NOON : NOON + 29 * DAY + i)]));
      await store.flush();
    }

    expect(await store.applyRetention()).toEqual({
      deletedBlockCount: 1,
      heldBlockCount: 0,
      overBudgetBlockCount: 0,
    });

    expect((await sumAll(store, "a")).profiles).toBe(19n);
    expect((await store.stats("a")).oldestUnixMillis).toBe(NOON + 29 * DAY + 1);
  });

  it("keeps the profiles of tenants for as long as is set for each", async () => {
    const store = await directory.open({ clock, retentionMillis: 7 * DAY });
    for (const tenant of ["short", "usual", "ever"]) {
      await store.append(plainAdmission(tenant, [profile(0, NOON + 25 * DAY)]));
      await store.flush();
    }
    const tenants = new Map([
      ["short", { retentionMillis: DAY }],
      ["ever", { retentionMillis: 0 }],
    ]);

    // Two sweeps: more than a tenth of the blocks.
    await store.applyRetention(tenants);
    await store.applyRetention(tenants);
    const afterDays = await Promise.all(["short", "usual", "ever"].map((tenant) => sumAll(store, tenant)));
    clock.jump(3650 * DAY);
    await store.applyRetention(tenants);
    await store.applyRetention(tenants);
    const afterYears = await Promise.all(["short", "usual", "ever"].map((tenant) => sumAll(store, tenant)));

    expect(afterDays.map(({ profiles }) => profiles)).toEqual([0n, 1n, 1n]);
    expect(afterYears.map(({ profiles }) => profiles)).toEqual([0n, 0n, 1n]);
  });

  it("holds more than a tenth of the blocks back until a second sweep agrees", async () => {
    const store = await directory.open({ clock, retentionMillis: 7 * DAY });
    for (let i = 0; i < 3; i++) {
      await store.append(plainAdmission("a", [profile(i, NOON + 29 * DAY)]));
      await store.flush();
    }
    clock.jump(3650 * DAY);
    expect(await store.applyRetention()).toEqual({
      deletedBlockCount: 0,
      heldBlockCount: 3,
      overBudgetBlockCount: 0,
    });
    clock.jump(-3650 * DAY);
    expect(await store.applyRetention()).toEqual({
      deletedBlockCount: 0,
      heldBlockCount: 0,
      overBudgetBlockCount: 0,
    });
    clock.jump(3650 * DAY);
    expect(await store.applyRetention()).toEqual({
      deletedBlockCount: 0,
      heldBlockCount: 3,
      overBudgetBlockCount: 0,
    });
    expect((await sumAll(store, "a")).profiles).toBe(3n);

    expect(await store.applyRetention()).toEqual({
      deletedBlockCount: 3,
      heldBlockCount: 0,
      overBudgetBlockCount: 0,
    });

    expect((await sumAll(store, "a")).profiles).toBe(0n);
    expect((await store.stats("a")).dataIngested).toBe(false);
  });

  it("keeps the files of a block until the last query has read them", async () => {
    const store = await directory.open({ clock, retentionMillis: 7 * DAY });
    await store.append(plainAdmission("a", [profile(0, NOON)]));
    await store.flush();
    const snapshot = await store.snapshot(everything("a"));

    await store.applyRetention();
    await store.applyRetention();

    const rows = await snapshot.database.select(`SELECT count(*) AS n FROM ${snapshot.from("samples")}`);
    expect(rows.bigints("n")[0]).toBe(1n);
    snapshot.release();
    expect((await sumAll(store, "a")).samples).toBe(0n);
  });
});
