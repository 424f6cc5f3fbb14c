import type { Tree } from "@pyroscope-ts/protocol";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BlockViews, openBlockViews } from "../store/block-views.ts";
import { ROLL_UP_LEVELS } from "../store/level.ts";
import { nodeFs } from "../store/node-fs.ts";
import { ManualClock } from "../store/testing/manual-clock.ts";
import { PLAIN_TYPE, type PlainProfile, plainAdmission } from "../store/testing/plain-profile.ts";
import { runCount } from "../store/testing/run-count.ts";
import { StoreDirectory } from "../store/testing/store-directory.ts";
import { Querier } from "./querier.ts";
import { DEFAULT_QUERY_LIMITS, type QueryService } from "./query-service.ts";

const MIDNIGHT = 1_760_054_400_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const DAYS = 4;

/** What is asked, for the querier and for SQL. */
interface Question {
  readonly from: number;
  readonly until: number;
  readonly service: string | undefined;
  readonly pod: string | undefined;
}

function makeProfiles(day: number): readonly PlainProfile[] {
  return Array.from({ length: 120 }, (_, i) => ({
    service: `s${i % 4}`,
    // Odd distances, and whole minutes now and then.
    timeUnixMillis: MIDNIGHT + day * DAY + (i % 7 === 0 ? i * 12 * MINUTE : i * 11 * MINUTE + 17 * i),
    samples: [
      { stack: ["main", `f${i % 5}`, `g${i % 3}`], value: 1 + ((i * 7919) % 1000) },
      { stack: ["main", "shared"], value: i },
    ],
    labels: { pod: `p${i % 3}` },
    identity: `${day}-${i}`,
  }));
}

function sum({ length, name, parent, total, self, names }: Tree): readonly string[] {
  const lines: string[] = [];
  for (let node = 0; node < length; node++) {
    if (self[node] === 0) continue;
    const path: string[] = [];
    for (let at = node; at > 0; at = parent[at]!) path.unshift(names[name[at]!]!);
    lines.push(`${path.join(";")} ${self[node]}`);
  }
  return [`total ${total[0]}`, ...lines.toSorted()];
}

describe("answers", () => {
  let directory: StoreDirectory;
  let service: QueryService;
  let views: BlockViews;
  beforeAll(async () => {
    directory = await StoreDirectory.create();
    const clock = new ManualClock(MIDNIGHT + DAY);
    const store = await directory.open({ clock, compaction: { rollUpLevels: ROLL_UP_LEVELS } });
    for (let day = 0; day < DAYS; day++) {
      await store.append(plainAdmission("a", makeProfiles(day)));
      await store.flush();
      clock.advance(day === 2 ? 40 * DAY : DAY);
      // The last day stays raw.
      if (day < DAYS - 1) await store.compact();
    }
    service = new Querier({ store, limits: DEFAULT_QUERY_LIMITS, clock });
    views = await openBlockViews({ fs: nodeFs, directory: directory.path, tenant: "a", level: "raw" });
  }, 60_000);
  afterAll(async () => {
    await views.close();
    await directory.remove();
  });

  const time = fc.oneof(
    fc.integer({ min: 0, max: DAYS * DAY }),
    fc.integer({ min: 0, max: DAYS * 24 * 12 }).map((interval) => interval * 5 * MINUTE),
  );
  const question: fc.Arbitrary<Question> = fc
    .tuple(
      time,
      time,
      fc.option(fc.constantFrom("s0", "s1", "s2", "s3")),
      fc.option(fc.constantFrom("p0", "p1", "p2")),
    )
    .map(([left, right, name, pod]) => ({
      from: MIDNIGHT + Math.min(left, right),
      until: MIDNIGHT + Math.max(left, right),
      service: name ?? undefined,
      pod: pod ?? undefined,
    }));

  it("equal SQL over the blocks, whatever level they were made from", { timeout: 600_000 }, async () => {
    const resolutions = new Set<string>();
    await fc.assert(
      fc.asyncProperty(question, async ({ from, until, service: name, pod }) => {
        const matchers = [name && `service_name="${name}"`, pod && `pod="${pod}"`].filter(Boolean);
        const answer = await service.selectTree({
          ...{ tenants: ["a"], startUnixMillis: from, endUnixMillis: until },
          ...{ profileType: PLAIN_TYPE, selector: `{${matchers.join(",")}}` },
        });
        resolutions.add(answer.resolution);
        const where = [
          `time BETWEEN make_timestamp_ns(${from}000000) AND make_timestamp_ns(${until}999999)`,
          ...(name === undefined ? [] : [`service = '${name}'`]),
          ...(pod === undefined ? [] : [`labels['pod'] = '${pod}'`]),
        ].join(" AND ");
        const rows = await views.select(
          `SELECT path, sum("value") FROM samples WHERE ${where} GROUP BY path HAVING sum("value") <> 0`,
        );
        const values = rows.rows.map(([, value]) => Number(value));
        expect(sum(answer.value)).toEqual([
          `total ${values.reduce((left, right) => left + right, 0)}`,
          ...rows.rows.map(([path, value]) => `${path} ${value}`).toSorted(),
        ]);
      }),
      { numRuns: runCount(40, 1000) },
    );
    // Raw, and roll-ups with their ends.
    expect(resolutions.size).toBeGreaterThan(3);
  });
});
