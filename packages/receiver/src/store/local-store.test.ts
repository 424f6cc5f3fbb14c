import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PlainProfile, plainAdmission } from "./testing/plain-profile.ts";
import { everything, foldStacks, StoreDirectory, sumAll, withSnapshot } from "./testing/store-directory.ts";

const CHECKOUT: PlainProfile = {
  service: "shop",
  timeUnixMillis: 1_760_000_000_000,
  samples: [
    { stack: ["main", "handle", "parse"], value: 10 },
    { stack: ["main", "handle", "query"], value: 30 },
    { stack: ["main", "idle"], value: 2 },
  ],
};
const LATER: PlainProfile = { ...CHECKOUT, timeUnixMillis: CHECKOUT.timeUnixMillis + 15_000 };

describe("openStore", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  it("has what was appended in the next snapshot", async () => {
    const store = await directory.open();

    await store.append(plainAdmission("a", [CHECKOUT]));

    expect(store.status().activeSeriesCount).toBe(1);
    expect(await sumAll(store, "a")).toEqual({ value: 42n, total: 42n, samples: 3n, profiles: 1n });
    expect(await foldStacks(store, "a")).toEqual([
      "main;handle;parse 10",
      "main;handle;query 30",
      "main;idle 2",
    ]);
  });

  it("tells the size of each block's files, and of nothing that is in memory", async () => {
    const store = await directory.open();
    const sizes = () => withSnapshot(store, everything("a"), async ({ blockSizes }) => blockSizes);
    await store.append(plainAdmission("a", [CHECKOUT]));
    expect(await sizes()).toEqual([]);

    await store.flush();

    const [block, ...others] = await sizes();
    expect(others).toEqual([]);
    expect(Object.entries(block ?? {}).filter(([, bytes]) => bytes > 0)).toHaveLength(5);
  });

  it("has it after a flush, and after a start from the blocks", async () => {
    const store = await directory.open();
    await store.append(plainAdmission("a", [CHECKOUT]));
    await store.append(plainAdmission("a", [LATER]));

    await store.flush();

    expect(store.status()).toMatchObject({ headProfileCount: 0, blockCount: 1, logSegmentCount: 0 });
    expect(await sumAll(store, "a")).toEqual({ value: 84n, total: 84n, samples: 6n, profiles: 2n });
    await store.close();
    const reopened = await directory.open();
    expect(await sumAll(reopened, "a")).toEqual({ value: 84n, total: 84n, samples: 6n, profiles: 2n });
    expect(await foldStacks(reopened, "a")).toEqual([
      "main;handle;parse 20",
      "main;handle;query 60",
      "main;idle 4",
    ]);
  });

  it("gives head and blocks together", async () => {
    const store = await directory.open();
    await store.append(plainAdmission("a", [CHECKOUT]));
    await store.flush();
    await store.append(plainAdmission("a", [LATER]));

    expect(await foldStacks(store, "a")).toEqual([
      "main;handle;parse 20",
      "main;handle;query 60",
      "main;idle 4",
    ]);
    const rows = await withSnapshot(store, everything("a"), ({ database, from }) =>
      database.select(`SELECT count(*) AS n FROM ${from("stacks")}`),
    );
    expect(rows.bigints("n")[0]).toBe(3n);
  });

  it("counts a profile once that comes again, in the head and after a flush and a start", async () => {
    const store = await directory.open();
    await Promise.all([
      store.append(plainAdmission("a", [CHECKOUT])),
      store.append(plainAdmission("a", [CHECKOUT, CHECKOUT])),
    ]);
    await store.append(plainAdmission("a", [CHECKOUT]));
    await store.flush();
    await store.append(plainAdmission("a", [CHECKOUT]));

    expect((await sumAll(store, "a")).profiles).toBe(1n);
    await store.close();
    const reopened = await directory.open();
    await reopened.append(plainAdmission("a", [CHECKOUT, LATER]));
    expect((await sumAll(reopened, "a")).profiles).toBe(2n);
  });

  it("keeps tenants apart", async () => {
    const store = await directory.open();
    const names = ["a", "A", "*", "../x", "a/b", "tenant'; DROP TABLE x; --", "ä", "%61", ""];

    for (const [i, tenant] of names.entries()) {
      await store.append(
        plainAdmission(tenant, [{ ...CHECKOUT, samples: [{ stack: ["main", `of${i}`], value: 1 + i }] }]),
      );
    }
    const folded = async (): Promise<readonly string[]> =>
      (await Promise.all(names.map((tenant) => foldStacks(store, tenant)))).flat();

    const expected = names.map((_, i) => `main;of${i} ${1 + i}`);
    expect(await folded()).toEqual(expected);
    await store.flush();
    expect(await folded()).toEqual(expected);
  });
});
