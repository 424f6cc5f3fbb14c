import { rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../packages/receiver/src/clock.ts";
import { Querier } from "../packages/receiver/src/query/querier.ts";
import { DEFAULT_QUERY_LIMITS } from "../packages/receiver/src/query/query-service.ts";
import { Recorder } from "../packages/receiver/src/rules/recorder.ts";
import { RuleRows } from "../packages/receiver/src/rules/rule-rows.ts";
import type { Level } from "../packages/receiver/src/store/level.ts";
import { ManualClock } from "../packages/receiver/src/store/testing/manual-clock.ts";
import { PLAIN_TYPE, plainAdmission } from "../packages/receiver/src/store/testing/plain-profile.ts";
import { spanRowsByDay } from "../packages/receiver/src/store/testing/span-rows.ts";
import {
  everything,
  foldStacks,
  sumAll,
  withSnapshot,
} from "../packages/receiver/src/store/testing/store-directory.ts";
import { runStoreSql, runStoreVerify } from "../packages/receiver/src/store-commands.ts";
import { hasPostgres } from "./harness/postgres.ts";
import { NOON, profileAt, useSharedStores } from "./harness/shared-stores.ts";

const DAY = 86_400_000;

describe.skipIf(!hasPostgres)("stores that share a bucket and PostgreSQL", { timeout: 60_000 }, () => {
  const shared = useSharedStores({ beforeAll, beforeEach, afterEach, afterAll });
  const { open, append, lines } = shared;

  it("counts each profile in one process's recording rules, however often it comes", async () => {
    await open();
    const recorders = [0, 1].map(
      () =>
        new Recorder({
          book: new RuleRows(shared.admin, systemClock),
          clock: systemClock,
          log: (line) => lines.push(line),
        }),
    );
    const [first, second] = recorders as [Recorder, Recorder];
    const writers = [await open({ observer: first }), await open({ observer: second })] as const;
    const selector = `{__profile_type__="${PLAIN_TYPE}"}`;
    const request = { id: "", metricName: "profiles_recorded_x", matchers: [selector], groupBy: [] };
    const { id } = await first.upsertRule({
      tenant: "a",
      rule: { ...request, externalLabels: [], functionName: "", generation: 0 },
      maxRuleCount: 1,
    });
    expect((await second.listRules({ tenant: "a" })).map((rule) => rule.id)).toEqual([id]);

    // The same pushes to both, as after a lost answer, and each some of its own.
    const repeated = Array.from({ length: 5 }, (_, index) => profileAt(NOON + index, 2 ** index));
    for (const writer of writers) for (const profile of repeated) await append(writer, profile);
    await Promise.all(writers.map((writer) => append(writer, ...repeated)));
    await append(writers[0], profileAt(NOON + 10, 32));
    await append(writers[1], profileAt(NOON + 11, 64));

    const series = await Promise.all(recorders.map((recorder) => recorder.recorded({ tenants: ["a"] })));
    const sums = series.flatMap((recorded) => recorded.series);
    expect(sums.reduce((sum, { value }) => sum + value, 0n)).toBe(127n);
    expect(sums.reduce((sum, { profiles }) => sum + profiles, 0n)).toBe(7n);
    expect(series.map(({ failureCount }) => failureCount)).toEqual([0, 0]);

    await second.deleteRule({ tenant: "a", id });
    expect((await first.recorded({ tenants: ["a"] })).series).toEqual([]);
  });

  it("gives a kept answer again only until another process stores something", async () => {
    const [writer, reader] = [await open(), await open()];
    const queries = new Querier({ store: reader, limits: DEFAULT_QUERY_LIMITS, clock: systemClock });
    const range = { tenants: ["a"], startUnixMillis: NOON, endUnixMillis: NOON + 1000 };
    const total = async (): Promise<number> => {
      const { value } = await queries.selectTree({ ...range, profileType: PLAIN_TYPE, selector: "{}" });
      return Number(value.total[0] ?? 0);
    };
    const totals: number[] = [];
    for (const value of [1, 2]) {
      await append(writer, profileAt(NOON + value, value));
      totals.push(await total(), await total());
    }

    expect(totals).toEqual([1, 1, 3, 3]);
    expect(queries.status.cacheHitCount).toBe(2);
  });

  it("has what one acknowledged in the next answer of every other, for each tenant", async () => {
    const [writer, reader] = [await open(), await open()];

    const appended = [
      writer.append(plainAdmission("a", [profileAt(NOON)])),
      writer.append(plainAdmission("*", [profileAt(NOON, 5)])),
      writer.append(plainAdmission("nul\0%", [profileAt(NOON, 7)])),
    ];
    await Promise.all(appended);

    expect(await foldStacks(reader, "a")).toEqual(["main;work 10"]);
    expect(await foldStacks(reader, "*")).toEqual(["main;work 5"]);
    expect(await foldStacks(reader, "nul\0%")).toEqual(["main;work 7"]);
    expect(await reader.stats("a")).toEqual({
      dataIngested: true,
      oldestUnixMillis: NOON,
      newestUnixMillis: NOON,
    });
    // All tenants in one object.
    expect(await shared.blobs.list("segments/")).toHaveLength(1);
  });

  it("counts a profile once that came to two processes, before and after it is merged", async () => {
    const [left, right] = [await open(), await open()];
    for (let i = 0; i < 9; i++) {
      await Promise.all([append(left, profileAt(NOON + i)), append(right, profileAt(NOON + i))]);
    }
    const before = await sumAll(left, "a");
    expect(before).toMatchObject({ value: 90n, profiles: 9n });
    expect(await sumAll(right, "a")).toEqual(before);

    const reports = await Promise.all([left.compact(), right.compact()]);

    expect(lines).toEqual([]);
    expect(reports.reduce((sum, { failureCount }) => sum + failureCount, 0)).toBe(0);
    expect(reports.reduce((sum, { mergeCount }) => sum + mergeCount, 0)).toBeGreaterThan(0);
    expect(await sumAll(left, "a")).toEqual(before);
    expect(await sumAll(right, "a")).toEqual(before);
    // A process that knows nothing of all that.
    expect(await sumAll(await open(), "a")).toEqual(before);
  });

  it("counts a profile once that comes again after its day was rolled up", async () => {
    const clock = new ManualClock(NOON);
    const store = await open({ clock });
    const sumsAt = async (level: Level): Promise<readonly string[]> =>
      await withSnapshot(store, { ...everything("a"), level }, async ({ database, from }) => {
        const sums = await database.select(`SELECT sum(total)::VARCHAR AS sum FROM ${from("totals")}`);
        return sums.texts("sum");
      });
    await append(store, profileAt(NOON));
    clock.advance(2 * DAY);
    await store.compact();

    // Once with a profile that is new, once alone.
    await append(store, profileAt(NOON), profileAt(NOON + 1, 5));
    clock.advance(DAY);
    expect(await store.compact()).toMatchObject({ failureCount: 0 });
    await append(store, profileAt(NOON));
    clock.advance(DAY);
    expect(await store.compact()).toMatchObject({ failureCount: 0 });

    for (const level of ["raw", "5m", "1h"] as const) expect(await sumsAt(level), level).toEqual(["15"]);
    expect(lines).toEqual([]);
    expect(await store.compact()).toMatchObject({ rollUpCount: 0, mergeCount: 0 });
  });

  it("lets no merge commit whose lease somebody else has by now", async () => {
    const store = await open({ compaction: { maxFlushedBlocks: 3 } });
    for (let i = 0; i < 3; i++) await append(store, profileAt(NOON + i));
    shared.blobs.onCall = async (operation, key) => {
      if (operation !== "upload" || !key.startsWith("blocks/")) return;
      await shared.admin.query("UPDATE pyroscope_blocks SET lease_token = nextval('pyroscope_lease_tokens')");
    };

    const report = await store.compact();

    expect(report).toMatchObject({ mergeCount: 0, failureCount: 1 });
    expect(lines.join()).toContain("lease");
    expect(await sumAll(store, "a")).toMatchObject({ value: 30n, profiles: 3n });
  });

  it("takes blocks over from a compactor that died", async () => {
    const store = await open({ compaction: { maxFlushedBlocks: 3 } });
    for (let i = 0; i < 3; i++) await append(store, profileAt(NOON + i));
    await shared.admin.query(
      "UPDATE pyroscope_blocks SET lease_token = 1, lease_until = now() + interval '1 minute'",
    );
    expect((await store.compact()).mergeCount).toBe(0);

    await shared.admin.query("UPDATE pyroscope_blocks SET lease_until = now() - interval '1 second'");

    expect((await store.compact()).mergeCount).toBe(1);
  });

  it("deletes what was merged from the bucket after a while, and what was never committed", async () => {
    const store = await open({ compaction: { maxFlushedBlocks: 3 } });
    for (let i = 0; i < 3; i++) await append(store, profileAt(NOON + i));
    await store.compact();
    const path = join(shared.directory, "stray");
    await writeFile(path, "a writer died before its commit");
    // A ULID of 2016.
    await shared.blobs.upload(path, "segments/01ARZ3NDEKTSV4RRFFQ69G5FAV");
    // Written now, by one whose clock is a year ahead.
    await shared.blobs.upload(path, "segments/0ZZZZZZZZZTSV4RRFFQ69G5FAV");
    expect(await shared.blobs.list("segments/")).toHaveLength(5);

    // Whatever the clocks of writers and of this process say: the database's clock counts from when they were seen.
    const years = new ManualClock(Date.now() + 3 * 365 * DAY);
    const later = await open({ clock: years });
    await later.applyRetention();
    await later.applyRetention();
    expect(await shared.blobs.list("segments/")).toHaveLength(5);
    await shared.admin.query("UPDATE pyroscope_strays SET seen_at = now() - interval '7 hours'");
    await store.applyRetention();
    expect(await shared.blobs.list("segments/")).toHaveLength(3);
    expect(await shared.admin.query("SELECT key FROM pyroscope_strays")).toEqual([]);
    await shared.admin.query(
      "UPDATE pyroscope_blocks SET deleted_at = now() - interval '1 hour' WHERE deleted_at IS NOT NULL",
    );
    await store.applyRetention();

    expect(await shared.blobs.list("segments/")).toEqual([]);
    expect(await shared.blobs.list("blocks/")).toHaveLength(6);
    expect(await sumAll(store, "a")).toMatchObject({ value: 30n, profiles: 3n });
  });

  it("applies the retention in one process of all", async () => {
    const [left, right] = [await open({ retentionMillis: 1000 }), await open({ retentionMillis: 1000 })];
    await append(left, profileAt(NOON));

    await left.applyRetention();
    await left.applyRetention();

    expect(await sumAll(right, "a")).toMatchObject({ profiles: 0n });
  });

  it("takes the ids of spans out of what is past their time, in one process of all, and keeps its samples", {
    timeout: 240_000,
  }, async () => {
    const clock = new ManualClock(NOON);
    const options = { clock, spanRetentionMillis: DAY };
    const [left, right] = [await open(options), await open(options)];
    const samples = [{ stack: ["main", "work"], value: 3, span: "00000000000000aa", trace: "0a".repeat(16) }];
    for (let day = 0; day < 3; day++) {
      const profile = { service: "shop", timeUnixMillis: NOON + day * DAY, samples };
      await Promise.all([append(left, profile), left.append(plainAdmission("b", [profile]))]);
    }
    clock.advance(3 * DAY - 1);
    const own = new Map([["b", { spanMillis: 0 }]]);
    const maintain = async () => {
      // What is many waits for a second sweep of its process.
      for (const store of [left, right, left, right]) await store.applyRetention(own);
      const reports = await Promise.all([left.compact(), right.compact()]);
      return reports.reduce((sum, { replacedBlockCount }) => sum + replacedBlockCount, 0);
    };

    expect(await maintain(), lines.join("\n")).toBe(2);

    for (const store of [left, right]) {
      expect(await spanRowsByDay(store, "a", NOON)).toEqual({ 2: 1 });
      expect(Object.keys(await spanRowsByDay(store, "b", NOON))).toHaveLength(3);
      expect(await foldStacks(store, "a")).toEqual(["main;work 9"]);
      expect(await sumAll(store, "a")).toMatchObject({ profiles: 3n });
    }
    // Once is enough.
    expect(await maintain()).toBe(0);
    expect(lines).toEqual([]);
  });

  it("acknowledges nothing that bucket or catalog did not take, and goes on when they do again", async () => {
    const store = await open();
    shared.blobs.isDown = true;
    await expect(append(store, profileAt(NOON))).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    expect(store.status().takesWrites).toBe(false);
    shared.blobs.isDown = false;
    await append(store, profileAt(NOON));
    expect(store.status().takesWrites).toBe(true);

    await shared.server.kill();
    await expect(append(store, profileAt(NOON + 1))).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    await expect(sumAll(store, "a")).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    await shared.server.start();

    await vi.waitFor(() => append(store, profileAt(NOON + 1)), { timeout: 20_000, interval: 200 });
    expect(await sumAll(store, "a")).toMatchObject({ value: 20n, profiles: 2n });
  });

  it("leaves out a block whose object is damaged, says so, and answers with the others", async () => {
    const writer = await open();
    await append(writer, profileAt(NOON));
    await append(writer, profileAt(NOON + 1));
    const [segment = ""] = await shared.blobs.list("segments/");
    await writeFile(join(shared.directory, "bucket", segment), "not what was written".repeat(1000));
    const reader = await open();

    expect(await sumAll(reader, "a")).toMatchObject({ value: 10n, profiles: 1n });

    const missing = await withSnapshot(reader, everything("a"), async ({ missingBlocks }) => missingBlocks);
    expect(missing).toHaveLength(1);
  });

  it("deletes what is damaged when it is past its time, and not because of a clock that jumped once", async () => {
    const clock = new ManualClock(NOON);
    const store = await open({ clock, retentionMillis: DAY });
    await append(store, profileAt(NOON));
    await shared.admin.query("UPDATE pyroscope_blocks SET damage = 'for the test'");
    await store.applyRetention();
    clock.jump(2 * DAY);
    await store.applyRetention();
    clock.jump(-2 * DAY);
    await store.applyRetention();
    const alive = "SELECT id FROM pyroscope_blocks WHERE deleted_at IS NULL";
    expect(await shared.admin.query(alive)).toHaveLength(1);

    clock.advance(2 * DAY);
    await store.applyRetention();
    await store.applyRetention();

    expect(await shared.admin.query(alive)).toEqual([]);
    await shared.admin.query("UPDATE pyroscope_blocks SET deleted_at = now() - interval '1 hour'");
    await store.applyRetention();
    expect(await shared.blobs.list("")).toEqual([]);
    expect(await withSnapshot(store, everything("a"), async ({ missingBlocks }) => missingBlocks)).toEqual(
      [],
    );
  });

  it("keeps no more on its disk than it may, and reads what it evicted again", async () => {
    const store = await open({ maxLocalBytes: 0 });
    for (let i = 0; i < 3; i++) await append(store, profileAt(NOON + i));

    expect(await sumAll(store, "a")).toMatchObject({ profiles: 3n });
    expect(await sumAll(store, "a")).toMatchObject({ profiles: 3n });

    expect(shared.blobs.calls.filter((call) => call.startsWith("download")).length).toBeGreaterThan(2);
  });

  it("is asked in SQL and verified as its catalog says, each profile once", async () => {
    const [left, right] = [await open({ compaction: { maxFlushedBlocks: 2 } }), await open()];
    await append(left, profileAt(NOON));
    await append(right, profileAt(NOON), profileAt(NOON + 1));
    await left.compact();
    await append(right, profileAt(NOON + 2), { ...profileAt(NOON + 3), service: "gone" });
    await append(right, profileAt(NOON + 2));
    await right.deleteApplication({ tenant: "a", service: "gone" });
    const path = join(shared.directory, "stray");
    await writeFile(path, "a writer died before its commit");
    await shared.blobs.upload(path, "segments/01ARZ3NDEKTSV4RRFFQ69G5FAV");
    const place = {
      ...{ kind: "bucket" as const, postgresUrl: shared.server.url },
      blobs: { kind: "directory" as const, path: join(shared.directory, "bucket") },
    };
    let output = "";
    const write = (text: string): void => {
      output += text;
    };
    const sql = 'SELECT sum(total) AS sum, (SELECT sum("value") FROM samples) AS samples FROM totals';
    const query = { sql, tenant: "a", level: "raw" as const, format: "csv" as const };
    await runStoreSql(place, query, write, write);
    expect(output).toBe("sum,samples\n30,30\n");
    expect(await runStoreVerify(place, () => undefined)).toBe(true);

    // The stray one first, then those that were merged.
    const [, , , segment = "", last = ""] = (await shared.blobs.list("segments/")).toSorted();
    // A range of it is beyond its end.
    await truncate(join(shared.directory, "bucket", segment), 10);
    const merged = (await shared.blobs.list("blocks/")).find((key) => key.endsWith("stacks.parquet")) ?? "";
    await rm(join(shared.directory, "bucket", merged));
    output = "";

    expect(await runStoreVerify(place, write)).toBe(false);

    const lines = output.split("\n");
    expect(lines.slice(0, 2).map((line) => line.slice(0, line.indexOf(": ")))).toEqual([merged, segment]);
    expect(lines[2]).toBe("3 blocks, 2 objects damaged");
    // Without the catalog segments speak for themselves, also those that nobody committed.
    output = "";
    expect(await runStoreVerify({ ...place, postgresUrl: undefined }, write)).toBe(false);
    expect(output).toContain("segments/01ARZ3NDEKTSV4RRFFQ69G5FAV: its end is not there");
    expect(output).toContain(`${segment}: its end is not there`);
    expect(output).not.toContain(last);
  });

  it("opens no catalog of a newer version", async () => {
    await open();
    await shared.admin.query("INSERT INTO pyroscope_schema VALUES (99)");

    await expect(open()).rejects.toMatchObject({ code: "STORAGE_FORMAT" });
  });
});
