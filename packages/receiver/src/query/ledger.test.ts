import type { Tree } from "@pyroscope-ts/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROLL_UP_LEVELS } from "../store/level.ts";
import type { Store } from "../store/store.ts";
import { ManualClock } from "../store/testing/manual-clock.ts";
import { PLAIN_TYPE, type PlainProfile, plainAdmission } from "../store/testing/plain-profile.ts";
import { StoreDirectory } from "../store/testing/store-directory.ts";
import { Querier } from "./querier.ts";
import { DEFAULT_QUERY_LIMITS, type QueryService } from "./query-service.ts";

const MIDNIGHT = 1_760_054_400_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const WINDOW_COUNT = 100;

function profile(timeUnixMillis: number, index: number): PlainProfile {
  return {
    ...{
      service: `s${index % 3}`,
      timeUnixMillis,
      identity: String(index),
      labels: { pod: `p${index % 2}` },
    },
    samples: [{ stack: ["main", `f${index % 7}`], value: 1 + ((index * 7919) % 100_003) }],
  };
}

/** Milliseconds that follow from their number, spread over a length. */
function spread(number: number, length: number): number {
  return (Math.imul(number, 2_654_435_761) >>> 0) % length;
}

describe("24 hours of backfilled data", () => {
  let directory: StoreDirectory;
  const clock = new ManualClock(MIDNIGHT + 2 * DAY);
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  const query = (service: QueryService, from: number, until: number): Promise<Tree> =>
    service
      .selectTree({
        ...{ tenants: ["a"], startUnixMillis: from, endUnixMillis: until },
        ...{ profileType: PLAIN_TYPE, selector: "{}" },
      })
      .then(({ value }) => value);

  function totalOf(profiles: readonly PlainProfile[], from: number, until: number): number {
    return profiles
      .filter(({ timeUnixMillis }) => timeUnixMillis >= from && timeUnixMillis <= until)
      .reduce((sum, { samples }) => sum + Number(samples[0]!.value), 0);
  }

  it("answers one-minute windows as the ledger: raw, merged, rolled up; and whole intervals without raw blocks", {
    timeout: 120_000,
  }, async () => {
    const ledger = Array.from({ length: 2880 }, (_, i) =>
      profile(MIDNIGHT + i * 30_000 + spread(i, 30_000), i),
    );
    const compaction = { rollUpLevels: ROLL_UP_LEVELS };
    const retentionLevels = { "5m": 0, "1h": 0, "1h-service": 0, "1d-service": 0 };
    const store: Store = await directory.open({
      clock,
      compaction,
      retentionMillis: 10 * DAY,
      retentionLevels,
    });
    for (let i = 0; i < ledger.length; i += 240) {
      await store.append(plainAdmission("a", ledger.slice(i, i + 240)));
      await store.flush();
    }
    const service = new Querier({ store, limits: DEFAULT_QUERY_LIMITS, clock });
    const starts = Array.from({ length: WINDOW_COUNT }, (_, i) => MIDNIGHT + spread(i + 7, DAY - MINUTE));
    const expected = starts.map((from) => totalOf(ledger, from, from + MINUTE - 1));
    const found = async (): Promise<readonly number[]> => {
      const trees = starts.map((from) => query(service, from, from + MINUTE - 1));
      return (await Promise.all(trees)).map(({ total }) => total[0]!);
    };

    expect(await found()).toEqual(expected);
    clock.advance(DAY);
    await store.compact();
    expect(store.status().blockCount).toBe(3);
    expect(await found()).toEqual(expected);
    clock.advance(40 * DAY);
    await store.compact();
    expect(store.status().blockCount).toBe(5);
    expect(await found()).toEqual(expected);

    await store.applyRetention();
    await store.applyRetention();
    expect(store.status().blockCount).toBe(4);
    for (const from of starts.slice(0, 20)) {
      const start = MIDNIGHT + Math.floor((from - MIDNIGHT) / (5 * MINUTE)) * 5 * MINUTE + 1;
      const { total } = await query(service, start, start + 5 * MINUTE - 1);
      expect(total[0]).toBe(totalOf(ledger, start, start + 5 * MINUTE - 1));
    }
  });

  it("answers a diff of seven weeks at default settings", { timeout: 60_000 }, async () => {
    const weeks = Array.from({ length: 49 * 8 }, (_, i) => profile(MIDNIGHT + i * 3 * 60 * MINUTE + 1, i));
    const store = await directory.open({ clock, compaction: { rollUpLevels: ROLL_UP_LEVELS } });
    await store.append(plainAdmission("a", weeks));
    await store.flush();
    clock.advance(60 * DAY);
    await store.compact();
    const service = new Querier({ store, limits: DEFAULT_QUERY_LIMITS, clock });
    const side = (from: number, until: number) => ({
      ...{ tenants: ["a"], startUnixMillis: MIDNIGHT + from * DAY, endUnixMillis: MIDNIGHT + until * DAY },
      ...{ profileType: PLAIN_TYPE, selector: "{}" },
    });

    const { value, resolution } = await service.selectDiffTree({
      left: side(0, 24.5),
      right: side(24.5, 49),
    });

    expect(resolution).toContain("1h-service");
    const half = MIDNIGHT + 24.5 * DAY;
    expect([value.leftTotal[0], value.rightTotal[0]]).toEqual([
      totalOf(weeks, MIDNIGHT, half),
      totalOf(weeks, half, MIDNIGHT + 49 * DAY),
    ]);
  });
});
