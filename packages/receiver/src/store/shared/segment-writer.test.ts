import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DirectoryBlobs } from "../directory-blobs.ts";
import type { Duckdb } from "../duckdb.ts";
import { dataPaths } from "../filenames.ts";
import { ProfileHasher } from "../hash-profile.ts";
import { nodeFs } from "../node-fs.ts";
import { openDatabase } from "../open-database.ts";
import { createProfileRows, type ProfileRows } from "../profile-rows.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { type PlainProfile, plainAdmission } from "../testing/plain-profile.ts";
import type { BlockRow } from "./block-row.ts";
import { SegmentWriter } from "./segment-writer.ts";

const NOON = 1_760_011_200_000;
const hasher = new ProfileHasher();

let directory: string;
let database: Duckdb;
let writer: SegmentWriter;
let committed: BlockRow[];
let lines: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "pyroscope-segment-"));
  const paths = dataPaths(join(directory, "cache"));
  for (const path of [paths.root, paths.blocks, paths.building]) await nodeFs.makeDirectory(path);
  lines = [];
  committed = [];
  const log = (line: string): number => lines.push(line);
  database = await openDatabase({ fs: nodeFs, paths, log });
  writer = new SegmentWriter({
    ...{ fs: nodeFs, clock: new ManualClock(NOON), paths, database, log },
    blobs: new DirectoryBlobs(nodeFs, join(directory, "bucket")),
    commit: async (rows) => void committed.push(...rows),
    settle: async () => undefined,
    observer: undefined,
  });
});

afterEach(async () => {
  await writer.close();
  database.close();
  await rm(directory, { recursive: true, force: true });
});

function profile(timeUnixMillis: number): PlainProfile {
  return { service: "shop", timeUnixMillis, samples: [{ stack: ["main"], value: 1 }] };
}

/** @param fails - what of the profile's rows the head cannot take. */
function append(tenant: string, timeUnixMillis: number, fails = false): Promise<void> {
  return writer.append(plainAdmission(tenant, [profile(timeUnixMillis)]), (admitted): ProfileRows => {
    const rows = createProfileRows(admitted, hasher.hash(admitted.profile));
    // The first half of it goes in.
    return fails ? { ...rows, types: [...rows.types, undefined as never] } : rows;
  });
}

/** Lets appends reach their batch, and sends it. */
async function flush(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await writer.flush();
}

describe("SegmentWriter", () => {
  it("puts what several tenants push into one segment, and acknowledges it then", async () => {
    const appended = [append("a", NOON), append("b", NOON), append("a", NOON + 1)];
    await flush();
    await Promise.all(appended);

    const counts = committed.map(({ meta: { tenant, rows } }) => [tenant, rows.totals]);
    expect(counts).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
    expect(new Set(committed.map(({ place }) => place?.segment)).size).toBe(1);
  });

  it("acknowledges nothing of a batch that a profile broke, commits nothing of it, and goes on with the next", async () => {
    const before = append("a", NOON);
    const broken = append("a", NOON + 1, true);
    const results = Promise.allSettled([before, broken]);
    await flush();

    expect((await results).map((result) => result.status === "rejected" && result.reason.code)).toEqual([
      "STORAGE_UNAVAILABLE",
      "STORAGE_UNAVAILABLE",
    ]);
    expect(committed).toEqual([]);
    expect(writer.failedSegmentCount).toBe(1);

    const again = [append("a", NOON), append("a", NOON + 2)];
    await flush();
    await Promise.all(again);
    expect(committed.map(({ meta }) => meta.rows.totals)).toEqual([2]);
  });
});
