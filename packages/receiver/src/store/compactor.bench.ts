import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { type BlockOrigin, commitBlock } from "./commit-block.ts";
import { copyTable, orderOf } from "./copy-table.ts";
import { Duckdb } from "./duckdb.ts";
import { dataPaths } from "./filenames.ts";
import { openStore } from "./local-store.ts";
import { nodeFs } from "./node-fs.ts";
import type { TableName } from "./schema.ts";
import type { Store } from "./store.ts";

const MEBIBYTE = 1024 * 1024;
// Long ago: each window is over, but the newest blocks are of now and not quiet, hence the clock below.
const BEGIN_MS = 1_760_054_400_000;
const SERVICES = 50;
const TYPE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";

interface Shape {
  readonly blockCount: number;
  readonly profilesPerBlock: number;
  readonly samplesPerProfile: number;
  /** From the first profile to the last. */
  readonly spanMs: number;
}

/** Writes blocks by SQL: each of the 500 series has its own part of 200,000 stacks, the small numbers more often. */
async function generateBlocks(directory: string, shape: Shape): Promise<void> {
  const paths = dataPaths(directory);
  for (const path of [paths.blocks, paths.building]) await nodeFs.makeDirectory(path);
  const database = await Duckdb.open({
    path: ":memory:",
    directory,
    temporaryDirectory: join(directory, "generator"),
    memoryLimitBytes: 2048 * MEBIBYTE,
    threadCount: 2,
  });
  const place = { fs: nodeFs, clock: systemClock, paths };
  const origin: BlockOrigin = {
    tenant: "anonymous",
    level: "raw",
    mergeCount: 0,
    segments: [],
    blocks: [],
    rolledUp: [],
  };
  for (let block = 0; block < shape.blockCount; block++) {
    const first = block * shape.profilesPerBlock;
    await commitBlock(place, origin, async (target) => {
      const selects = selectsOf(shape, first);
      const rows = { samples: 0, totals: 0, series: 0, stacks: 0, frames: 0 };
      for (const table of ["totals", "samples", "series", "stacks", "frames"] as const) {
        const select = `WITH profiles AS MATERIALIZED (${selects.profiles}), rows AS MATERIALIZED (${selects.samples})
 SELECT * FROM (${selects[table === "samples" ? "allSamples" : table]}) ORDER BY ${orderOf(table)}`;
        rows[table] = await copyTable(database, target, table, select);
      }
      const nanos = (profile: number): bigint =>
        BigInt(
          Math.trunc(BEGIN_MS + (profile * shape.spanMs) / (shape.blockCount * shape.profilesPerBlock)),
        ) * 1_000_000n;
      const services = Array.from({ length: SERVICES }, (_, i) => `service-${i}`);
      return {
        minUnixNanos: nanos(first),
        maxUnixNanos: nanos(first + shape.profilesPerBlock - 1),
        rows,
        types: [TYPE],
        services: services.toSorted(),
      };
    });
  }
  database.close();
}

function selectsOf(
  shape: Shape,
  first: number,
): Readonly<Record<TableName | "profiles" | "allSamples", string>> {
  const stepMs = shape.spanMs / (shape.blockCount * shape.profilesPerBlock);
  const profiles = `SELECT '${TYPE}' AS type, 'service-' || (p % ${SERVICES}) AS service, hash(p % 500) AS series,
 make_timestamp_ns((${BEGIN_MS} + floor(p * ${stepMs}))::BIGINT * 1000000) AS time,
 md5(p::VARCHAR)::UUID AS profile, p FROM range(${first}, ${first + shape.profilesPerBlock}) AS t(p)`;
  const samples = `SELECT DISTINCT ON (profile, number) type, service, series, time, profile,
 (hash(p, i) % 4000 * (hash(p, i, 1) % 4000) // 4000 + 4000 * (p % 50)) AS number FROM profiles, range(${shape.samplesPerProfile}) AS s(i)`;
  const stacks = `SELECT hash(number) AS stack, list_transform(range(20), k -> hash(k * 7 + (number // (k + 1)) % 3000)) AS frames FROM (SELECT DISTINCT number FROM rows)`;
  return {
    profiles,
    samples,
    allSamples: `SELECT type, service, series, time, profile, hash(number) AS stack, (10000000 + number % 7)::BIGINT AS "value",
 NULL::UBIGINT AS span_id, NULL::UUID AS trace_id FROM rows`,
    totals: `SELECT type, service, series, time, profile, sum(10000000 + number % 7)::BIGINT AS total, count(*)::INTEGER AS samples,
 1::INTEGER AS profiles, 10000000000 AS duration, 10000000 AS period FROM rows GROUP BY ALL`,
    series: `SELECT DISTINCT type, service, series, map(['service_name'], [service]) AS labels FROM profiles`,
    stacks,
    frames: `SELECT frame, 'function-' || frame AS "function", '' AS system_name, 'file-' || (frame % 200) || '.js' AS file,
 1::BIGINT AS start_line, 7::BIGINT AS line, false AS inlined, '' AS mapping, '' AS build_id, 0::UBIGINT AS address
 FROM (SELECT DISTINCT unnest(frames) AS frame FROM (${stacks}))`,
  };
}

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function measure(act: () => Promise<unknown>): Promise<Cost> {
  const [cpu, begin] = [process.cpuUsage(), performance.now()];
  await act();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: Math.round(performance.now() - begin), cpuMs: Math.round((user + system) / 1000) };
}

async function queryOneService(store: Store): Promise<bigint> {
  const range = {
    tenants: ["anonymous"],
    fromUnixNanos: 0n,
    untilUnixNanos: 2n ** 62n,
    services: ["service-7"],
  };
  const snapshot = await store.snapshot(range);
  const result = await snapshot.database.select(
    `SELECT sum(total)::BIGINT AS total FROM (SELECT stack, sum(value) AS total FROM ${snapshot.from("samples")} WHERE service = 'service-7' GROUP BY stack)`,
  );
  snapshot.release();
  return result.bigints("total")[0]!;
}

async function withStore(shape: Shape, use: (store: Store) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "pyroscope-bench-"));
  try {
    await generateBlocks(directory, shape);
    const store = await openStore({
      directory,
      fs: nodeFs,
      clock: { ...systemClock, nowUnixMillis: () => Date.now() + 86_400_000 },
      expand: () => [],
      retentionMillis: 0,
      log: (line) => process.stdout.write(`${line}\n`),
    });
    try {
      await use(store);
    } finally {
      await store.close();
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}

function print(what: string, { wallMs, cpuMs }: Cost): void {
  process.stdout.write(`${what}: ${wallMs} ms, ${cpuMs} ms CPU\n`);
}

test("a thousand small files, then the block of them", { timeout: 1_800_000 }, async () => {
  const shape = { blockCount: 1000, profilesPerBlock: 120, samplesPerProfile: 83, spanMs: 599_000 };
  await withStore(shape, async (store) => {
    const expected = await queryOneService(store);
    print("one service in 1,000 files", await measure(() => queryOneService(store)));
    print("compaction", await measure(() => store.compact()));
    expect(store.status().blockCount).toBe(1);
    expect(await queryOneService(store)).toBe(expected);
    print("one service in the block", await measure(() => queryOneService(store)));
  });
});

test("50 million rows under 256 MB", { timeout: 1_800_000 }, async () => {
  const shape = { blockCount: 50, profilesPerBlock: 12_100, samplesPerProfile: 83, spanMs: 3_599_000 };
  await withStore(shape, async (store) => {
    const { blockBytes } = store.status();
    const expected = await queryOneService(store);
    let peakBytes = 0;
    const watch = setInterval(() => {
      peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
    }, 200);
    const cost = await measure(async () => {
      expect(await store.compact()).toMatchObject({ failureCount: 0 });
    });
    clearInterval(watch);
    print(`compaction of ${(blockBytes / MEBIBYTE).toFixed(0)} MB`, cost);
    const { blockCount, blockBytes: bytes } = store.status();
    process.stdout.write(
      `${blockCount} blocks of ${(bytes / MEBIBYTE).toFixed(0)} MB, ${(peakBytes / MEBIBYTE).toFixed(0)} MB resident at most\n`,
    );
    expect(await queryOneService(store)).toBe(expected);
  });
});
