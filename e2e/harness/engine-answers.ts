import { deepEqual } from "node:assert/strict";
import type { Tree } from "@pyroscope-ts/protocol";
import { Querier } from "../../packages/receiver/src/query/querier.ts";
import { DEFAULT_QUERY_LIMITS, type QueryService } from "../../packages/receiver/src/query/query-service.ts";
import { ROLL_UP_LEVELS } from "../../packages/receiver/src/store/level.ts";
import type { SharedStoreOptions } from "../../packages/receiver/src/store/shared/shared-store.ts";
import type { Store } from "../../packages/receiver/src/store/store.ts";
import { ManualClock } from "../../packages/receiver/src/store/testing/manual-clock.ts";
import { PLAIN_TYPE, type PlainProfile } from "../../packages/receiver/src/store/testing/plain-profile.ts";
import { seededRandom } from "../../packages/receiver/src/store/testing/seeded-random.ts";
import type { SharedStores } from "./shared-stores.ts";

const MIDNIGHT = 1_760_054_400_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const DAYS = 4;
const SPAN = "f0000000000000ab";
const TRACE = "00c0ffee00c0ffee00c0ffee00c0ffee";

function makeProfiles(day: number): readonly PlainProfile[] {
  return Array.from({ length: 120 }, (_, i) => ({
    // One of them is in one day only, and deleted from it.
    service: day === 2 && i % 4 === 3 ? "gone" : `s'\\${i % 3}`,
    // Odd distances, and whole minutes now and then.
    timeUnixMillis: MIDNIGHT + day * DAY + (i % 7 === 0 ? i * 12 * MINUTE : i * 11 * MINUTE + 17 * i),
    samples: [
      {
        stack: ["main", `f${i % 5}`, `g${i % 3}`],
        value: 1 + ((i * 7919) % 1000),
        ...(i % 2 === 0 && { span: SPAN, trace: TRACE }),
      },
      { stack: ["main", "shared"], value: i },
    ],
    labels: { pod: `p${i % 3}` },
    identity: `${day}-${i}`,
  }));
}

/**
 * Fills the bucket with days that are merged and rolled up, a day that is merged, one in segments, repeats, and an
 * application that is deleted and not yet out of its blocks.
 *
 * @returns a clock that stands after all of that.
 */
export async function fillForEngines(stores: SharedStores): Promise<ManualClock> {
  const clock = new ManualClock(MIDNIGHT + DAY);
  const writer = await stores.open({ clock, compaction: { rollUpLevels: ROLL_UP_LEVELS } });
  for (let day = 0; day < DAYS; day++) {
    const profiles = makeProfiles(day);
    await stores.append(writer, ...profiles.slice(0, 70));
    await stores.append(writer, ...profiles.slice(60));
    clock.advance(day === 1 ? 40 * DAY : DAY);
    if (day < DAYS - 1) await writer.compact();
  }
  await writer.deleteApplication({ tenant: "a", service: "gone" });
  return clock;
}

/** Asks stores the same at random; throws where they do not answer the same. */
export async function compareEngines(
  stores: SharedStores,
  options: Partial<SharedStoreOptions>,
  clock: ManualClock,
  queryCount: number,
): Promise<void> {
  const role = { writes: false, reads: true, compacts: false };
  const open = async (more: Partial<SharedStoreOptions>): Promise<QueryService> => {
    const store: Store = await stores.open({ clock, role, ...more });
    // So little that estimates are not enough and stacks are counted.
    const limits = { ...DEFAULT_QUERY_LIMITS, maxQueryMemoryBytes: 1024 * 1024 };
    return new Querier({ store, limits, clock });
  };
  const [here, there] = [await open({}), await open(options)];
  const random = seededRandom(17);
  const pick = <T>(...items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  for (let i = 0; i < queryCount; i++) {
    const times = [0, 0].map(
      () => pick(0, 1) * 5 * MINUTE * Math.floor(random() * DAYS * 288) + Math.floor(random() * DAYS * DAY),
    );
    const service = pick(undefined, "s'\\\\0", "s'\\\\1", "gone");
    const pod = pick(undefined, undefined, "p0", "p1");
    const matchers = [service && `service_name="${service}"`, pod && `pod=~"${pod}|none"`].filter(Boolean);
    const query = {
      ...{ tenants: ["a"], profileType: PLAIN_TYPE, selector: `{${matchers.join(",")}}` },
      ...{ startUnixMillis: MIDNIGHT + Math.min(...times), endUnixMillis: MIDNIGHT + Math.max(...times) },
      ...pick({}, {}, { spanIds: [SPAN] }, { traceIds: [TRACE] }, { spanIds: ["00000000000000ff"] }),
    };
    if (i % 2 === 0) {
      const ask = async (service: QueryService): Promise<unknown> => {
        const { value, resolution } = await service.selectTree(query);
        return { resolution, lines: toLines(value) };
      };
      deepEqual(await ask(there), await ask(here), JSON.stringify(query));
    } else {
      const series = {
        ...{
          ...query,
          stepMs: pick(15_000, 5 * MINUTE, DAY),
          groupBy: pick([], ["pod"], ["service_name", "pod"]),
        },
        ...{
          aggregation: pick("sum" as const, "average" as const),
          callSite: pick(["main"], ["main", "f1"]),
        },
      };
      const ask = async (service: QueryService): Promise<unknown> => {
        const { value, resolution } = await service.selectTimeSeries(series);
        const lines = value.map(({ labels, unixMillis, values }) =>
          JSON.stringify([labels, [...unixMillis], [...values]]),
        );
        return { resolution, lines: lines.toSorted() };
      };
      deepEqual(await ask(there), await ask(here), JSON.stringify(series));
    }
  }
}

function toLines({ length, name, parent, total, self, names }: Tree): readonly string[] {
  const lines: string[] = [];
  for (let node = 0; node < length; node++) {
    const path: string[] = [];
    for (let at = node; at > 0; at = parent[at] ?? 0) path.unshift(names[name[at] ?? 0] ?? "");
    lines.push(`${path.join(";")} ${total[node]} ${self[node]}`);
  }
  return lines.toSorted();
}
