import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/clock.ts";
import { Querier } from "../src/query/querier.ts";
import { DEFAULT_QUERY_LIMITS } from "../src/query/query-service.ts";
import { blockBytes } from "../src/store/block-meta.ts";
import { type BlockOrigin, commitBlock } from "../src/store/commit-block.ts";
import { copyTable, orderOf } from "../src/store/copy-table.ts";
import { Duckdb } from "../src/store/duckdb.ts";
import { type DataPaths, dataPaths } from "../src/store/filenames.ts";
import { type Level, levelMillis } from "../src/store/level.ts";
import { openStore } from "../src/store/local-store.ts";
import { nodeFs } from "../src/store/node-fs.ts";
import { TABLE_NAMES, type TableName } from "../src/store/schema.ts";
import { printTable } from "./table.ts";

const MEBIBYTE = 1024 * 1024;
const DAY_MS = 86_400_000;
// A whole day of UTC.
const MIDNIGHT = 1_760_054_400_000;
const TYPE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
const SERVICES = 4;
const PODS = 3;
const STACKS = 800;

/** A block of some days: profiles that are `stepMs` apart for each service, or for each pod. */
interface Shape {
  readonly level: Level;
  readonly firstDay: number;
  readonly dayCount: number;
  readonly stepMs: number;
  readonly podCount: number;
  /** Stacks of one profile, drawn from those of its service. */
  readonly stackCount: number;
}

async function writeBlock(database: Duckdb, paths: DataPaths, shape: Shape): Promise<number> {
  const origin: BlockOrigin = {
    ...{ tenant: "a", level: shape.level, mergeCount: 1 },
    ...{ segments: [], blocks: [], rolledUp: shape.level === "raw" ? [] : [`gone-${shape.firstDay}`] },
  };
  const begin = MIDNIGHT + shape.firstDay * DAY_MS;
  const selects = selectsOf(shape, begin);
  const meta = await commitBlock({ fs: nodeFs, clock: systemClock, paths }, origin, async (directory) => {
    const rows: Record<TableName, number> = { samples: 0, totals: 0, series: 0, stacks: 0, frames: 0 };
    for (const table of TABLE_NAMES) {
      rows[table] = await copyTable(
        database,
        directory,
        table,
        `SELECT * FROM (${selects[table]}) ORDER BY ${orderOf(table)}`,
      );
    }
    return {
      minUnixNanos: BigInt(begin + levelMillis[shape.level]) * 1_000_000n,
      maxUnixNanos: BigInt(begin + shape.dayCount * DAY_MS) * 1_000_000n,
      ...{ rows, types: [TYPE] },
      services: Array.from({ length: SERVICES }, (_, i) => `service-${i}`),
    };
  });
  return blockBytes(meta);
}

function selectsOf(shape: Shape, begin: number): Readonly<Record<TableName, string>> {
  const { podCount, stackCount, stepMs, dayCount } = shape;
  const steps = (dayCount * DAY_MS) / stepMs;
  const profiles = `SELECT '${TYPE}' AS type, 'service-' || s AS service, hash(s * 100 + p) AS series, s,
 make_timestamp_ns((${begin} + (t + 1) * ${stepMs})::BIGINT * 1000000) AS time, md5(concat_ws('/', s, p, t, ${begin}))::UUID AS profile, t, p
 FROM range(${SERVICES}) AS a(s), range(${podCount}) AS b(p), range(${steps}) AS c(t)`;
  // Each stack once in a profile: the step has no divisor in common with their number.
  const samples = `SELECT *, s * ${STACKS} + (hash(profile) % ${STACKS} + i * 7) % ${STACKS} AS number
 FROM (${profiles}), range(${stackCount}) AS d(i)`;
  const value = "(10000000 + number % 7)::BIGINT";
  const stacks = `SELECT hash(number) AS stack, list_transform(range(20), k -> hash(k * 7 + (number // (k + 1)) % 3000)) AS frames
 FROM range(${SERVICES * STACKS}) AS t(number)`;
  return {
    samples: `SELECT type, service, series, time, profile, hash(number) AS stack, ${value} AS "value", NULL::UBIGINT AS span_id, NULL::UUID AS trace_id FROM (${samples})`,
    totals: `SELECT type, service, series, time, profile, sum(${value})::BIGINT AS total, count(*)::INTEGER AS samples, 1::INTEGER AS profiles,
 10000000000 AS duration, 10000000 AS period FROM (${samples}) GROUP BY ALL`,
    series: `SELECT DISTINCT type, service, series, map(['__name__', 'service_name', 'pod'], ['process_cpu', service, p::VARCHAR]) AS labels FROM (${profiles})`,
    stacks,
    frames: `SELECT frame, 'function-' || frame AS "function", '' AS system_name, 'file-' || (frame % 200) || '.js' AS file,
 1::BIGINT AS start_line, 7::BIGINT AS line, false AS inlined, '' AS mapping, '' AS build_id, 0::UBIGINT AS address
 FROM (SELECT DISTINCT unnest(frames) AS frame FROM (${stacks}))`,
  };
}

/** Flame graph and time series of one service over a day of raw profiles, and over two years of days. */
export async function benchYears(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "pyroscope-bench-"));
  try {
    const paths = dataPaths(directory);
    for (const path of [paths.blocks, paths.building]) await nodeFs.makeDirectory(path);
    const database = await Duckdb.open({
      ...{ path: ":memory:", directory, temporaryDirectory: join(directory, "generator") },
      ...{ memoryLimitBytes: 1024 * MEBIBYTE, threadCount: 2 },
    });
    const day = {
      level: "raw",
      firstDay: 760,
      dayCount: 1,
      stepMs: 15_000,
      podCount: PODS,
      stackCount: 83,
    } as const;
    const rawBytes = await writeBlock(database, paths, day);
    let years = 0;
    for (let firstDay = 0; firstDay < 730; firstDay += 30) {
      const month = {
        level: "1d-service",
        firstDay,
        dayCount: 30,
        stepMs: DAY_MS,
        podCount: 1,
        stackCount: STACKS,
      } as const;
      years += await writeBlock(database, paths, month);
    }
    database.close();
    await compare(directory, rawBytes, years);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function compare(directory: string, rawBytes: number, yearBytes: number): Promise<void> {
  const store = await openStore({
    ...{ directory, fs: nodeFs, clock: systemClock, expand: () => [], retentionMillis: 0 },
    log: (line) => process.stdout.write(`${line}\n`),
  });
  const limits = { ...DEFAULT_QUERY_LIMITS, queryTimeoutMs: 600_000, cacheBytes: 0 };
  const service = new Querier({ store, limits, clock: systemClock });
  const ranges = {
    "a day, raw": [760 * DAY_MS, 761 * DAY_MS],
    "two years, 1d-service": [1, 755 * DAY_MS],
  } as const;
  const rows: string[][] = [];
  for (const [name, [from, until]] of Object.entries(ranges)) {
    const query = {
      ...{ tenants: ["a"], startUnixMillis: MIDNIGHT + from, endUnixMillis: MIDNIGHT + until },
      ...{ profileType: TYPE, selector: `{service_name="service-2"}` },
    };
    const times: number[] = [];
    let resolution = "";
    for (let round = 0; round < 7; round++) {
      const cpu = process.cpuUsage();
      ({ resolution } = await service.selectTree(query));
      const { user, system } = process.cpuUsage(cpu);
      times.push((user + system) / 1000);
    }
    // The first one reads every file for its checksum.
    const [first = 0, ...later] = times;
    const median = later.toSorted((left, right) => left - right)[3] ?? 0;
    const bytes = name.startsWith("two") ? yearBytes : rawBytes;
    rows.push([name, resolution, (bytes / MEBIBYTE).toFixed(1), first.toFixed(0), median.toFixed(0)]);
  }
  printTable(
    "A flame graph of one service of four",
    ["range", "levels", "MiB", "first, ms CPU", "ms CPU"],
    rows,
  );
  await store.close();
}
