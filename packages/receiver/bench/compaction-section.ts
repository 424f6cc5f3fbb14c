import { deepEqual } from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { makeDataDirectory } from "../../../e2e/harness/receiver-process.ts";
import { systemClock } from "../src/clock.ts";
import { openStore } from "../src/store/local-store.ts";
import { nodeFs } from "../src/store/node-fs.ts";
import type { Store } from "../src/store/store.ts";
import { DEFAULT_COMPACTION_LIMITS } from "../src/store/store-options.ts";
import { type GeneratedShape, generateBlocks } from "../src/store/testing/generate-blocks.ts";
import { printTable } from "./table.ts";

const MEBIBYTE = 1024 * 1024;
const GIGABYTE = 1e9;
/** 10 million rows of ten minutes. */
const SMALL_FILES = { blockCount: 1000, profilesPerBlock: 120, samplesPerProfile: 83, spanMs: 599_000 };
/** 50 million rows of an hour. */
const LARGE = { blockCount: 50, profilesPerBlock: 12_100, samplesPerProfile: 83, spanMs: 3_599_000 };
const ROUNDS = 5;

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** One service in a thousand files, and in the block that they are merged into. */
export async function benchSmallFiles(): Promise<void> {
  await withStore("files", SMALL_FILES, async (store) => {
    const expected = await sumService(store);
    const before = await measureBest(() => sumService(store));
    const merge = await measure(() => store.compact());
    deepEqual([store.status().blockCount, await sumService(store)], [1, expected]);
    const after = await measureBest(() => sumService(store));
    const ratio = (left: number, right: number): string => (left / right).toFixed(2);
    printTable(
      `One service among 10 million rows (ms, best of ${ROUNDS})`,
      ["", "wall", "CPU"],
      [
        ["in 1,000 files", before.wallMs.toFixed(0), before.cpuMs.toFixed(0)],
        ["in the block of them", after.wallMs.toFixed(0), after.cpuMs.toFixed(0)],
        ["ratio, goal 2", ratio(before.wallMs, after.wallMs), ratio(before.cpuMs, after.cpuMs)],
        ["the merge", merge.wallMs.toFixed(0), merge.cpuMs.toFixed(0)],
      ],
    );
  });
}

/** The merge of an hour of 50 million rows: time for each gigabyte, and memory. */
export async function benchCompaction(): Promise<void> {
  await withStore("compaction", LARGE, async (store) => {
    const { blockBytes } = store.status();
    const expected = await sumService(store);
    const idleBytes = process.memoryUsage.rss();
    let peakBytes = 0;
    const watch = setInterval(() => {
      peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
    }, 200);
    const cost = await measure(async () => {
      const { failureCount, mergeCount } = await store.compact();
      deepEqual({ failureCount, mergeCount }, { failureCount: 0, mergeCount: 1 });
    });
    clearInterval(watch);
    deepEqual(await sumService(store), expected);
    const status = store.status();
    const perGigabyte = (millis: number): string => ((millis / 1000 / blockBytes) * GIGABYTE).toFixed(1);
    const toMebibytes = (bytes: number): string => (bytes / MEBIBYTE).toFixed(0);
    printTable(
      "Merge of 50 million rows in 50 blocks",
      ["", "found", "goal"],
      [
        ["MB before", toMebibytes(blockBytes), ""],
        ["MB after", toMebibytes(status.blockBytes), ""],
        ["blocks after", String(status.blockCount), ""],
        ["s", (cost.wallMs / 1000).toFixed(1), ""],
        ["s of CPU", (cost.cpuMs / 1000).toFixed(1), ""],
        ["s for a GB", perGigabyte(cost.wallMs), "30"],
        ["s of CPU for a GB", perGigabyte(cost.cpuMs), ""],
        ["MB that DuckDB may have", toMebibytes(DEFAULT_COMPACTION_LIMITS.memoryLimitBytes), "512"],
        ["MB resident before, and at most", `${toMebibytes(idleBytes)}, ${toMebibytes(peakBytes)}`, ""],
      ],
    );
  });
}

/** @param name - Of the blocks below `$BENCH_DATA`, which are generated once and copied from there; without it, each time. */
async function withStore(
  name: string,
  shape: GeneratedShape,
  use: (store: Store) => Promise<void>,
): Promise<void> {
  const directory = await makeDataDirectory();
  try {
    const { BENCH_DATA } = process.env;
    const kept = BENCH_DATA === undefined ? directory.path : join(BENCH_DATA, name);
    if (kept === directory.path || !existsSync(kept)) await generateBlocks(kept, shape);
    if (kept !== directory.path)
      await cp(join(kept, "blocks"), join(directory.path, "blocks"), { recursive: true });
    const store = await openStore({
      ...{ directory: directory.path, fs: nodeFs, expand: () => [], retentionMillis: 0 },
      // The blocks are of now, and only those that are quiet are merged. Roll-ups are another matter.
      clock: { ...systemClock, nowUnixMillis: () => Date.now() + 86_400_000 },
      compaction: { rollUpLevels: [] },
      log: (line) => process.stdout.write(`${line}\n`),
    });
    try {
      await use(store);
    } finally {
      await store.close();
    }
  } finally {
    await directory.remove();
  }
}

async function sumService(store: Store): Promise<bigint> {
  const snapshot = await store.snapshot({
    ...{ tenants: ["anonymous"], fromUnixNanos: 0n, untilUnixNanos: 2n ** 62n, services: ["service-7"] },
    tables: ["samples"],
  });
  try {
    const result = await snapshot.database.select(
      `SELECT sum(total)::BIGINT AS total FROM (
 SELECT stack, sum(value) AS total FROM ${snapshot.from("samples")} WHERE service = 'service-7' GROUP BY stack)`,
    );
    return result.bigints("total")[0] ?? 0n;
  } finally {
    snapshot.release();
  }
}

async function measure(act: () => Promise<unknown>): Promise<Cost> {
  const [cpu, begin] = [process.cpuUsage(), performance.now()];
  await act();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - begin, cpuMs: (user + system) / 1000 };
}

async function measureBest(act: () => Promise<unknown>): Promise<Cost> {
  const costs: Cost[] = [];
  for (let round = 0; round < ROUNDS; round++) costs.push(await measure(act));
  return {
    wallMs: Math.min(...costs.map(({ wallMs }) => wallMs)),
    cpuMs: Math.min(...costs.map(({ cpuMs }) => cpuMs)),
  };
}
