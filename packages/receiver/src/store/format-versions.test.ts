import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expandRecord } from "../ingest/expand-record.ts";
import { dataPaths } from "./filenames.ts";
import { nodeFs } from "./node-fs.ts";
import { listBlockPaths } from "./quarantine.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { foldStacks, StoreDirectory, sumAll } from "./testing/store-directory.ts";

const VERSIONS = [1];

// Written by the receiver of that version: a block of two merged ones, a flushed one, and a segment of the log.
const STACKS = ["gc 20000000", "idle 900000000", "late 190000000", "serve 30000000", "serve;query 530000000"];

describe("a data directory of an earlier format", () => {
  let directory: StoreDirectory;
  beforeEach(async () => {
    directory = await StoreDirectory.create();
  });
  afterEach(() => directory.remove());

  it.for(VERSIONS)("of version %i opens, is merged, and opens again", async (version) => {
    const testdata = fileURLToPath(new URL(`testdata/format-${version}`, import.meta.url));
    await cp(testdata, directory.path, { recursive: true });
    const clock = new ManualClock(Date.UTC(2027, 0, 1));
    const expected = STACKS.map((stack) => `main;${stack}`);

    const store = await directory.open({ clock, expand: expandRecord });
    expect(await foldStacks(store, "anonymous")).toEqual(expected);
    expect(await sumAll(store, "anonymous")).toMatchObject({ profiles: 5n, total: 1_670_000_000n });
    await store.flush();
    clock.advance(86_400_000);
    expect(await store.compact()).toMatchObject({ mergeCount: 1, replacedBlockCount: 3, failureCount: 0 });
    await store.close();

    const again = await directory.open({ clock, expand: expandRecord });
    expect(await foldStacks(again, "anonymous")).toEqual(expected);
    expect(await listBlockPaths(nodeFs, join(dataPaths(directory.path).blocks))).toHaveLength(1);
  });
});
