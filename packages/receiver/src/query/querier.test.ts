import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { treeToFlamebearer } from "@pyroscope-ts/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import type { Store } from "../store/store.ts";
import { PLAIN_TYPE, type PlainProfile, plainAdmission } from "../store/testing/plain-profile.ts";
import { StoreDirectory } from "../store/testing/store-directory.ts";
import { Querier } from "./querier.ts";
import { DEFAULT_QUERY_LIMITS, type QueryService, type StackQuery } from "./query-service.ts";

const T0 = 1_760_000_000_000;

let directory: StoreDirectory;
let store: Store;
let queries: QueryService;

beforeEach(async () => {
  directory = await StoreDirectory.create();
  await open();
});

afterEach(async () => {
  await directory.remove();
});

async function open(): Promise<void> {
  store = await directory.open();
  const clock = { ...systemClock, nowUnixMillis: () => T0 + 60_000 };
  queries = new Querier({ store, limits: DEFAULT_QUERY_LIMITS, clock });
}

function profile(offsetMs: number, value: number, labels: Record<string, string> = {}): PlainProfile {
  return {
    service: "shop",
    timeUnixMillis: T0 + offsetMs,
    labels,
    samples: [
      { stack: ["main", "work"], value, span: "00000000000000ff" },
      { stack: ["main"], value: 1, trace: "0123456789abcdef0123456789abcdef" },
    ],
  };
}

function query(changes: Partial<StackQuery> = {}): StackQuery {
  return {
    tenants: ["a"],
    startUnixMillis: T0,
    endUnixMillis: T0 + 60_000,
    profileType: PLAIN_TYPE,
    selector: '{service_name="shop"}',
    ...changes,
  };
}

async function ticks(changes: Partial<StackQuery> = {}): Promise<number> {
  return treeToFlamebearer((await queries.selectTree(query(changes))).value).numTicks;
}

describe("Querier", () => {
  it("answers alike from the head, from a block, from both, and after a restart", async () => {
    await store.append(plainAdmission("a", [profile(1, 10)]));
    expect(await ticks()).toBe(11);

    await store.flush();
    expect(await ticks()).toBe(11);

    await store.append(plainAdmission("a", [profile(2, 100, { env: "prod" })]));
    expect(await ticks()).toBe(112);
    expect(await ticks({ selector: '{env=~"pr.*"}' })).toBe(101);
    expect(await ticks({ selector: '{env=""}' })).toBe(11);

    await store.close();
    await open();
    expect(await ticks()).toBe(112);
  });

  it("counts a profile that came twice once, in head and block", async () => {
    await store.append(plainAdmission("a", [profile(1, 10)]));
    await store.flush();
    await store.append(plainAdmission("a", [profile(1, 10)]));

    expect(await ticks()).toBe(11);
  });

  it("keeps tenants apart and merges those that are asked for together", async () => {
    await store.append(plainAdmission("a", [profile(1, 10)]));
    await store.append(plainAdmission("b", [profile(1, 100)]));
    await store.flush();
    await store.append(plainAdmission("b", [profile(2, 1000)]));

    expect(await ticks()).toBe(11);
    expect(await ticks({ tenants: ["b"] })).toBe(1102);
    expect(await ticks({ tenants: ["a", "b"] })).toBe(1113);
    expect(await ticks({ tenants: ["*"] })).toBe(0);
  });

  it("finds spans, traces and labels in head and blocks", async () => {
    await store.append(plainAdmission("a", [profile(1, 10, { pod: "1" })]));
    await store.flush();
    await store.append(plainAdmission("a", [profile(2, 100, { zone: "x" })]));

    expect(await ticks({ spanIds: ["00000000000000ff"] })).toBe(110);
    expect(await ticks({ traceIds: ["0123456789abcdef0123456789abcdef"] })).toBe(2);
    const names = await queries.labelNames({ ...query(), selectors: [] });
    expect(names.value.filter((name) => !name.startsWith("__"))).toEqual(["pod", "service_name", "zone"]);
    const series = await queries.selectTimeSeries({ ...query(), stepMs: 15_000, groupBy: ["pod"] });
    expect(series.value.map(({ values }) => [...values])).toEqual([[101], [11]]);
    expect(await queries.profileStats({ tenant: "a" })).toMatchObject({
      dataIngested: true,
      oldestUnixMillis: T0 + 1,
    });
  });

  it("answers from what is left when a block is damaged, and names the block", async () => {
    await store.append(plainAdmission("a", [profile(1, 10)]));
    await store.close();
    const files = await readdir(directory.path, { recursive: true });
    const damaged = files.find((file) => file.endsWith("profiles.parquet"))!;
    await writeFile(join(directory.path, damaged), "damaged");
    await open();
    await store.append(plainAdmission("a", [profile(2, 100)]));

    const answer = await queries.selectTree(query());

    expect(treeToFlamebearer(answer.value).numTicks).toBe(101);
    expect(answer.missingBlocks).toHaveLength(1);
    expect(damaged).toContain(answer.missingBlocks[0]);
  });

  it("stops a query whose client went away, and goes on with the next", async () => {
    await store.append(plainAdmission("a", [profile(1, 10)]));
    const controller = new AbortController();
    const running = queries.selectTree(query(), { signal: controller.signal });

    controller.abort();

    await expect(running).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await ticks()).toBe(11);
  });
});
