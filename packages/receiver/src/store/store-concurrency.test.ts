import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PlainProfile, plainAdmission } from "./testing/plain-profile.ts";
import { everything, StoreDirectory, withSnapshot } from "./testing/store-directory.ts";

const WRITERS = 4;
// Enough for a query that is planned in one transaction and executed in another to be caught in most runs.
const PROFILES = 150;

/** A profile of a few stacks, some of which all have; its sum is 10. */
function profile(writer: number, index: number): PlainProfile {
  return {
    service: `s${writer}`,
    timeUnixMillis: 1_760_000_000_000 + index * 1000 + writer,
    samples: [
      { stack: ["main", "shared"], value: 4 },
      { stack: ["main", `f${index % 7}`], value: 3 },
      { stack: ["main", `f${writer}`, `g${index}`], value: 3 },
    ],
  };
}

describe("a store that is written, flushed and read at once", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  it("shows each query whole profiles, all that were acknowledged before it and none twice", {
    timeout: 60_000,
  }, async () => {
    const store = await directory.open({ flush: { maxSampleCount: 40 } });
    let acknowledged = 0;
    const write = async (writer: number): Promise<void> => {
      for (let i = 0; i < PROFILES; i++) {
        await store.append(plainAdmission("a", [profile(writer, i)]));
        acknowledged++;
        // Comes again while it is in the head, on its way to a block, or in one.
        if (i % 5 === 0) await store.append(plainAdmission("a", [profile(writer, Math.trunc(i / 2))]));
      }
    };
    const read = async (): Promise<void> => {
      while (acknowledged < WRITERS * PROFILES) {
        const before = acknowledged;
        const { value, total, profiles, distinct, named } = await withSnapshot(
          store,
          everything("a"),
          async ({ database, from }) => {
            const sums = await database.select(
              `SELECT coalesce(sum("value"), 0)::BIGINT AS "value" FROM ${from("samples")}`,
            );
            const counts = await database.select(
              `SELECT count(*) AS n, count(DISTINCT profile) AS d, coalesce(sum(total), 0)::BIGINT AS total FROM ${from("totals")}`,
            );
            const symbols = await database.select(
              `SELECT coalesce(sum("value"), 0)::BIGINT AS "value" FROM ${from("samples")}
 JOIN ${from("stacks")} USING (stack) JOIN ${from("frames")} ON frame = frames[1] WHERE "function" = 'main'`,
            );
            return {
              value: Number(sums.bigints("value")[0]),
              total: Number(counts.bigints("total")[0]),
              profiles: Number(counts.bigints("n")[0]),
              distinct: Number(counts.bigints("d")[0]),
              named: Number(symbols.bigints("value")[0]),
            };
          },
        );
        expect({ value, total, named }).toEqual({ value: 10 * distinct, total: value, named: value });
        expect(profiles).toBe(distinct);
        expect(profiles).toBeGreaterThanOrEqual(before);
        expect(profiles).toBeLessThanOrEqual(WRITERS * PROFILES);
      }
    };

    const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
    await Promise.all([...writers, read(), read(), read()]);
    await store.flush();

    expect(store.status().blockCount).toBeGreaterThan(1);
    const rows = await withSnapshot(store, everything("a"), ({ database, from }) =>
      database.select(`SELECT count(*) AS n, count(DISTINCT profile) AS d FROM ${from("totals")}`),
    );
    expect([rows.bigints("n")[0], rows.bigints("d")[0]]).toEqual([
      BigInt(WRITERS * PROFILES),
      BigInt(WRITERS * PROFILES),
    ]);
  });
});
