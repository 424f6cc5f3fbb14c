import { truncate } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LEVELS, type Level, ROLL_UP_LEVELS } from "./level.ts";
import { nodeFs } from "./node-fs.ts";
import { listBlockPaths } from "./quarantine.ts";
import { tables } from "./schema.ts";
import { profileCondition, sampleCondition } from "./select-filter.ts";
import type { Store } from "./store.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { type PlainProfile, plainAdmission } from "./testing/plain-profile.ts";
import { runCount } from "./testing/run-count.ts";
import { everything, StoreDirectory, withSnapshot } from "./testing/store-directory.ts";

// A whole day of UTC.
const MIDNIGHT = 1_760_054_400_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Range {
  readonly from: number;
  readonly until: number;
}

/** What a query of a range sees at a level: lines of sums, without the rows that sum up to nothing. */
async function read(store: Store, { from, until }: Range, level: Level): Promise<readonly string[]> {
  const filter = {
    fromUnixNanos: BigInt(from) * 1_000_000n,
    untilUnixNanos: BigInt(until) * 1_000_000n + 999_999n,
  };
  return await withSnapshot(store, { tenants: ["a"], ...filter, level }, async (snapshot) => {
    const { database } = snapshot;
    const totals = await database.select(
      `SELECT service || ' ' || sum(total) || ' of ' || sum(profiles) || ', ' || sum(duration) AS line
 FROM ${snapshot.from("totals")} WHERE ${profileCondition(filter).text} GROUP BY service ORDER BY line`,
    );
    const stacks = await database.select(
      `SELECT service || ' ' || string_agg("function", ';' ORDER BY place) || ' ' || any_value(sum) AS line FROM (
  SELECT service, stack, sum, unnest(frames) AS frame, generate_subscripts(frames, 1) AS place FROM (
   SELECT service, stack, sum("value") AS sum FROM ${snapshot.from("samples")}
   WHERE ${sampleCondition(filter).text} GROUP BY service, stack HAVING sum("value") <> 0
  ) JOIN ${snapshot.from("stacks")} USING (stack)
 ) JOIN ${snapshot.from("frames")} USING (frame) GROUP BY service, stack ORDER BY line`,
    );
    return [...totals.texts("line"), ...stacks.texts("line")];
  });
}

/** What {@link read} has to say of profiles, in their order. */
function sumUp(profiles: readonly PlainProfile[], { from, until }: Range): readonly string[] {
  const totals = new Map<string, { total: bigint; count: number }>();
  const stacks = new Map<string, bigint>();
  for (const { service, timeUnixMillis, samples } of profiles) {
    if (timeUnixMillis < from || timeUnixMillis > until) continue;
    const sums = totals.get(service) ?? { total: 0n, count: 0 };
    sums.count++;
    for (const { stack, value } of samples) {
      sums.total += BigInt(value);
      const key = `${service} ${stack.join(";")}`;
      stacks.set(key, (stacks.get(key) ?? 0n) + BigInt(value));
    }
    totals.set(service, sums);
  }
  const lines = [...totals].map(
    ([service, { total, count }]) => `${service} ${total} of ${count}, ${15_000_000_000n * BigInt(count)}`,
  );
  const found = [...stacks].filter(([, value]) => value !== 0n);
  return [...lines.toSorted(), ...found.map(([key, value]) => `${key} ${value}`).toSorted()];
}

describe("roll-ups", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  const sample = fc.record({
    stack: fc.array(fc.constantFrom("main", "f", "g", "h"), { minLength: 1, maxLength: 4 }),
    value: fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }).map(String),
    span: fc.constantFrom("0000000000000000", "00000000000000ab"),
  });
  // Often at the very ends of intervals.
  const time = fc
    .tuple(
      fc.integer({ min: 0, max: 3 * 24 * 12 }),
      fc.oneof(fc.constantFrom(-1, 0, 1), fc.integer({ min: 0, max: 5 * MINUTE })),
    )
    .map(([interval, millis]) => MIDNIGHT + interval * 5 * MINUTE + millis);
  const profile = fc.record({
    service: fc.constantFrom("a", "b", "ü"),
    timeUnixMillis: time,
    samples: fc.array(sample, { minLength: 1, maxLength: 4 }),
    labels: fc.dictionary(fc.constantFrom("pod", "zone"), fc.constantFrom("1", "2")),
  });
  const range = fc
    .tuple(time, time)
    .map(([left, right]) => ({ from: Math.min(left, right), until: Math.max(left, right) }));

  it("changes no answer of any range at any level while the raw blocks are there", {
    timeout: 3_600_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(profile, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
        fc.array(profile, { maxLength: 4 }),
        fc.array(range, { minLength: 1, maxLength: 4 }),
        async (blocks, late, ranges) => {
          await directory.remove();
          directory = await StoreDirectory.create();
          const clock = new ManualClock(MIDNIGHT + 4 * DAY);
          const store = await directory.open({ clock, compaction: { rollUpLevels: ROLL_UP_LEVELS } });
          const write = async (profiles: readonly PlainProfile[]): Promise<void> => {
            await store.append(plainAdmission("a", profiles));
            await store.flush();
            clock.advance(DAY);
            await store.compact();
            expect(directory.lines).toEqual([]);
          };
          const named = (profiles: readonly PlainProfile[], name: string): readonly PlainProfile[] =>
            profiles.map((one, i) => ({ ...one, identity: `${name}-${i}` }));
          const all = [...blocks.map((profiles, i) => named(profiles, String(i))), named(late, "late")];
          for (const profiles of all.slice(0, -1)) await write(profiles);
          clock.advance(40 * DAY);
          if (late.length > 0) await write(all.at(-1)!);
          await store.compact();
          for (const asked of ranges) {
            for (const level of LEVELS)
              expect(await read(store, asked, level), level).toEqual(sumUp(all.flat(), asked));
          }
        },
      ),
      { numRuns: runCount(3, 1000), endOnFailure: true },
    );
  });

  async function rollUpDay(clock: ManualClock, store: Store): Promise<void> {
    const profiles = Array.from({ length: 24 }, (_, i) => ({
      ...{ service: `s${i % 2}`, timeUnixMillis: MIDNIGHT + 1 + i * HOUR },
      samples: [{ stack: ["main", `f${i}`], value: 2 ** i }],
    }));
    await store.append(plainAdmission("a", profiles));
    await store.flush();
    clock.advance(40 * DAY);
    await store.compact();
  }

  it("writes each level once, and says which levels answered", async () => {
    const clock = new ManualClock(MIDNIGHT + DAY);
    const store = await directory.open({ clock, compaction: { rollUpLevels: ROLL_UP_LEVELS } });
    await rollUpDay(clock, store);

    expect(store.status().blockCount).toBe(5);
    expect(await store.compact()).toMatchObject({ rollUpCount: 0, mergeCount: 0, failureCount: 0 });
    const levels = async (level: Level, from: number, until: number): Promise<readonly Level[]> => {
      const nanos = { fromUnixNanos: BigInt(from) * 1_000_000n, untilUnixNanos: BigInt(until) * 1_000_000n };
      return await withSnapshot(
        store,
        { tenants: ["a"], ...nanos, level },
        async (snapshot) => snapshot.levels,
      );
    };
    expect(await levels("1h-service", MIDNIGHT + 1, MIDNIGHT + DAY)).toEqual(["1h-service"]);
    expect(await levels("1h", MIDNIGHT, MIDNIGHT + 23 * HOUR + 7 * MINUTE)).toEqual(["1h", "5m"]);
    expect(await levels("1h", MIDNIGHT, MIDNIGHT + 23 * HOUR + MINUTE)).toEqual(["1h", "raw"]);
    expect(await levels("raw", MIDNIGHT, MIDNIGHT + DAY)).toEqual(["raw"]);
    expect(await levels("1h", MIDNIGHT + 3 * DAY, MIDNIGHT + 4 * DAY)).toEqual(["raw"]);
  });

  it("reads what a damaged roll-up was made of, misses nothing, and makes it again", async () => {
    const clock = new ManualClock(MIDNIGHT + DAY);
    const options = { clock, compaction: { rollUpLevels: ROLL_UP_LEVELS } };
    const store = await directory.open(options);
    await rollUpDay(clock, store);
    const range = { from: MIDNIGHT, until: MIDNIGHT + DAY };
    const expected = await read(store, range, "raw");
    await store.close();
    const paths = await listBlockPaths(nodeFs, join(directory.path, "blocks"));
    for (const path of paths.filter((one) => one.startsWith("a/1"))) {
      await truncate(join(directory.path, "blocks", path, tables.totals.file), 10);
    }

    const again = await directory.open(options);
    expect(await read(again, range, "1h-service")).toEqual(expected);
    const missing = await withSnapshot(again, everything("a"), async ({ missingBlocks }) => missingBlocks);
    expect([again.status().quarantinedBlockCount, missing]).toEqual([3, []]);
    expect(await again.compact()).toMatchObject({ rollUpCount: 3, failureCount: 0 });
    expect(await read(again, range, "1h-service")).toEqual(expected);
  });

  it("keeps at least 99 % of the weight by name, and sums up the rest as other", async () => {
    const clock = new ManualClock(MIDNIGHT + DAY);
    const store = await directory.open({ clock, compaction: { rollUpLevels: ROLL_UP_LEVELS, maxNodes: 4 } });
    // In the first hour four of ten stacks have 99.4 %; in the second none is light.
    const values = [
      [5000, 3000, 1500, 440, 10, 10, 10, 10, 10, 10],
      [3, 3, 3, 3, 3, 3],
    ];
    for (const [hour, list] of values.entries()) {
      const samples = list.map((value, i) => ({ stack: ["main", `f${i}`], value }));
      await store.append(
        plainAdmission("a", [{ service: "s", timeUnixMillis: MIDNIGHT + hour * HOUR + 1, samples }]),
      );
    }
    await store.flush();
    clock.advance(40 * DAY);
    await store.compact();

    const first = { from: MIDNIGHT + 1, until: MIDNIGHT + HOUR };
    const second = { from: MIDNIGHT + HOUR + 1, until: MIDNIGHT + 2 * HOUR };
    for (const level of ROLL_UP_LEVELS) {
      expect(await read(store, first, level)).toEqual([
        "s 10000 of 1, 15000000000",
        ...["s main;f0 5000", "s main;f1 3000", "s main;f2 1500", "s main;f3 440", "s other 60"],
      ]);
      expect((await read(store, second, level)).filter((line) => line.includes("main;"))).toHaveLength(6);
    }
  });

  it("leaves blocks as they are whose sums leave int64", async () => {
    const clock = new ManualClock(MIDNIGHT + DAY);
    const store = await directory.open({ clock, compaction: { rollUpLevels: ROLL_UP_LEVELS } });
    for (let i = 0; i < 2; i++) {
      const samples = [{ stack: ["main"], value: String(2n ** 62n) }];
      await store.append(plainAdmission("a", [{ service: "s", timeUnixMillis: MIDNIGHT + 1 + i, samples }]));
    }
    await store.flush();
    clock.advance(40 * DAY);

    expect(await store.compact()).toMatchObject({ rollUpCount: 0, failureCount: 1 });
    expect(store.status().blockCount).toBe(1);
    expect(directory.lines.at(-1)).toContain("roll-up to 5m");
  });
});
