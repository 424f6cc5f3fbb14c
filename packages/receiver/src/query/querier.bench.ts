import { describe, test } from "vitest";
import { systemClock } from "../clock.ts";
import { PLAIN_TYPE, type PlainProfile, plainAdmission } from "../store/testing/plain-profile.ts";
import { StoreDirectory } from "../store/testing/store-directory.ts";
import { Querier } from "./querier.ts";
import { DEFAULT_QUERY_LIMITS, type StackQuery } from "./query-service.ts";

const T0 = 1_760_000_000_000;
const STACK_COUNT = 40_000;
const PROFILE_COUNT = 4;
// A query takes half a second: ten say enough, and the defaults would run for minutes.
const RUN = { iterations: 10, time: 0, warmupIterations: 2, warmupTime: 0 };

/** Numbers that are the same in every run. */
function createRandom(): (below: number) => number {
  let state = 1;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** 40,000 different stacks of 15 to 40 frames: the trunk is shared, the tops are wide. */
function drawProfiles(): readonly PlainProfile[] {
  const random = createRandom();
  const stacks = Array.from({ length: STACK_COUNT }, () =>
    Array.from({ length: 15 + random(25) }, (_, level) =>
      level < 8 ? `trunk${level}_${random(2)}` : `fn${level}_${random(120)}`,
    ),
  );
  return Array.from({ length: PROFILE_COUNT }, (_, profile) => ({
    service: "shop",
    timeUnixMillis: T0 + profile,
    samples: stacks
      .filter((_stack, i) => i % PROFILE_COUNT === profile)
      .map((stack) => ({ stack, value: 1 + random(1000) })),
  }));
}

describe("queries over 40,000 stacks in a block", () => {
  test("merge, export and diff", { timeout: 300_000 }, async ({ bench }) => {
    const directory = await StoreDirectory.create();
    const store = await directory.open();
    for (const profile of drawProfiles()) await store.append(plainAdmission("a", [profile]));
    await store.flush();
    const queries = new Querier({ store, limits: DEFAULT_QUERY_LIMITS, clock: systemClock });
    const query: StackQuery = {
      tenants: ["a"],
      startUnixMillis: T0,
      endUnixMillis: T0 + 1000,
      profileType: PLAIN_TYPE,
      selector: '{service_name="shop"}',
    };

    await bench("selectTree", async () => {
      await queries.selectTree(query);
    }).run(RUN);
    await bench("exportStacks pprof", async () => {
      await queries.exportStacks({ ...query, format: "pprof" });
    }).run(RUN);
    await bench("selectDiffTree", async () => {
      await queries.selectDiffTree({ left: query, right: query });
    }).run(RUN);
    await bench("selectTimeSeries", async () => {
      await queries.selectTimeSeries({ ...query, stepMs: 15, groupBy: ["service_name"] });
    }).run(RUN);
    await directory.remove();
  });
});
